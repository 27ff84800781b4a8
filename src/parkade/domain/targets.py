"""Target models: the many models of one endpoint, each an object below the endpoint's prefix."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: SageMaker's limit of TargetModel.
TARGET_LIMIT = 1024


def target_model(text: str) -> str:
    """Return `text` as the name of a target model: a key below the prefix, without a slash first.

    Raises InvalidInput.
    """
    target = text.lstrip("/")
    if not 1 <= len(target) <= TARGET_LIMIT or not target.isprintable() or target[0].isspace():
        raise InvalidInput(
            f"TargetModel {text[:80]!r} is not the name of a target model",
            field="TargetModel",
            hint=f"use 1 to {TARGET_LIMIT} characters that can be printed, such as a/b.tar.gz",
        )
    if {"", ".", ".."} & set(target.split("/")):
        raise InvalidInput(
            f"TargetModel {text[:80]!r} has an empty part, '.' or '..'",
            field="TargetModel",
            hint="name the object by what follows the model's ModelDataUrl: a/b.tar.gz",
        )
    return target


def target_address(prefix: str, target: str) -> str:
    """Return the s3:// address of a target model below `prefix`, an s3:// address. Raises InvalidInput."""
    bucket, key = names.s3_prefix(prefix)
    return names.object_address(bucket, key + target_model(target), field="TargetModel")


def target_of(prefix: str, address: str) -> str | None:
    """Return the target model that has this address below `prefix`; None where it lies elsewhere."""
    bucket, key = names.s3_prefix(prefix)
    begin = f"s3://{bucket}/{key}"
    return address[len(begin) :] if address.startswith(begin) else None


def opaque_name(address: str, etag: str) -> str:
    """Return what a container is told as the name of this content of a target model."""
    return hashlib.sha256(f"{address}\n{etag}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSetting:
    """What somebody asked for about one target model of an endpoint."""

    endpoint_name: str
    target: str
    #: Whether it stays loaded, even where memory is short.
    pinned: bool = False
    #: After how many minutes without a request it is unloaded; None: as the server's settings say.
    ttl_minutes: float | None = None

    def __post_init__(self) -> None:
        names.endpoint_name(self.endpoint_name)
        target_model(self.target)
        if self.ttl_minutes is not None and not 0 < self.ttl_minutes < float("inf"):
            raise InvalidInput(
                f"ttl_minutes {self.ttl_minutes} is not a number above 0", field="ttl_minutes"
            )

    @property
    def says_nothing(self) -> bool:
        """Whether it asks for nothing but what holds anyway."""
        return not self.pinned and self.ttl_minutes is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A loaded copy, as far as it matters for whether it may stay."""

    target: str
    used_at: datetime
    busy: bool = False
    pinned: bool = False


def victim(loaded: Iterable[Loaded]) -> Loaded | None:
    """Return what gives way where memory is short: the model that was unused for longest.

    One that is busy goes only where all are, and a pinned one never. SageMaker documents that unused
    models go, and not in which order (unverified).
    """
    free = [each for each in loaded if not each.pinned]
    return min(free, key=lambda each: (each.busy, each.used_at), default=None)
