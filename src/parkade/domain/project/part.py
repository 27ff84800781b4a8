"""The parts of a project: one noun each, with its content in the form that the API has for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.names import NAME_LIMIT

if TYPE_CHECKING:
    from parkade.domain.event import Json

#: Hexadecimal digits of the content's fingerprint in a derived name.
_DIGITS = 10


class Kind(StrEnum):
    """What a part is. They are made in this order, and removed the other way round."""

    MODEL = "model"
    BUDGET = "budget"
    SUBSCRIBER = "subscriber"
    ALARM = "alarm"
    ENDPOINT = "endpoint"
    ROUTE = "route"
    TESTER = "tester"

    @property
    def order(self) -> int:
        """Its place in the order in which parts are made."""
        return list(Kind).index(self)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ref:
    """Names one part on this server, whichever project it is of."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part as a file wants it."""

    kind: Kind
    #: What it is called where it runs, the project's prefix included.
    name: str
    #: What it is called in the file. The part keeps it when its name is derived anew.
    key: str
    #: JSON, in the form that the keeper of its kind reads and tells.
    content: Mapping[str, Json]
    #: Places of secrets in the content, such as `environment.HF_TOKEN`: nobody is shown them.
    secret: frozenset[str] = frozenset()

    @property
    def ref(self) -> Ref:
        """What it is known by."""
        return Ref(kind=self.kind, name=self.name)


def prefix_of(project: str, stage: str) -> str:
    """Return what the names of all parts begin with.

    A stage that begins with a capital follows directly, as the seed has it
    (`TextClassification` and `Demo`: `TextClassificationDemo`), any other after a hyphen.
    """
    if not stage:
        return project
    return f"{project}{stage}" if stage[0].isupper() else f"{project}-{stage}"


def derived_name(stem: str, content: Mapping[str, Json]) -> str:
    """Return a name of at most 63 characters that the same content has every time."""
    told = json.dumps(content, sort_keys=True, separators=(",", ":"))
    fingerprint = hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
    return f"{stem[: NAME_LIMIT - _DIGITS - 1].rstrip('-')}-{fingerprint}"
