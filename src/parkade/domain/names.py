"""What may be called what: names, route paths, s3:// addresses.

The patterns are those of botocore's `sagemaker/2017-07-24` description.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.event import METER

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_LIMIT = 63
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_MODEL = re.compile(r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?")
_TOKEN = re.compile(r"[a-zA-Z0-9]([._\-a-zA-Z0-9]*[a-zA-Z0-9])?")
_OWNER = re.compile(r"[a-zA-Z0-9]([._@+\-a-zA-Z0-9]*[a-zA-Z0-9])?")
_ROUTE = re.compile(r"/[a-zA-Z0-9]([._\-a-zA-Z0-9]*[a-zA-Z0-9])?")
#: As S3, none that could be taken for a host's address.
_BUCKET = re.compile(r"(?!(?:\d{1,3}\.){3}\d{1,3}(?:/|\Z))[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_S3 = re.compile(rf"s3://({_BUCKET.pattern})/(.+)", re.DOTALL)

#: First path segments that are Parkade's own; no route may take them.
RESERVED_ROUTES = frozenset({
    "v1", "docs", "openapi.json", "metrics", "console", "endpoints", "endpoint-expiry",
    "startexecution", "describeexecution", "prod", "models", "openai",
    "s3", "sts", "x",
})  # fmt: skip


def endpoint_name(text: object, *, field: str = "EndpointName") -> str:
    """Return `text` if it may name an endpoint, endpoint config or variant."""
    return _checked(text, _ENDPOINT, field)


def model_name(text: object, *, field: str = "ModelName") -> str:
    """Return `text` if it may name a model."""
    return _checked(text, _MODEL, field)


def token_name(text: object, *, field: str = "name") -> str:
    """Return `text` if it may name a token."""
    return _checked(text, _TOKEN, field)


def owner_name(text: object, *, field: str = "owner") -> str:
    """Return `text` if it may name an owner: a person, a team, an e-mail address."""
    return _checked(text, _OWNER, field)


def buyer_name(text: object, *, field: str = "owner") -> str:
    """Return `text` if it may name somebody who buys a lease: an owner that is not the meter.

    The meter owns what it adopts, and has no default budget: nobody may buy in its name.
    """
    name = owner_name(text, field=field)
    if name == METER:
        raise InvalidInput(
            f"{field} {name!r} is Parkade's own",
            field=field,
            hint="name who pays: a person, a team, an e-mail address",
        )
    return name


def _checked(text: object, pattern: re.Pattern[str], field: str) -> str:
    if not isinstance(text, str) or not text:
        raise InvalidInput(f"{field} is missing or not a text", field=field, hint=f"give {field}")
    if len(text) > NAME_LIMIT or not pattern.fullmatch(text):
        raise InvalidInput(
            f"{field} {text[:80]!r} is not a valid name",
            field=field,
            hint=f"use 1 to {NAME_LIMIT} characters that match {pattern.pattern}",
        )
    return text


def route_path(text: object, *, field: str = "path") -> str:
    """Return `text` as a route path such as `/falcon`: one segment, not one of Parkade's own."""
    if not isinstance(text, str):
        raise InvalidInput(f"{field} is missing or not a text", field=field)
    path = text if text.startswith("/") else "/" + text
    if len(path) > NAME_LIMIT + 1 or not _ROUTE.fullmatch(path):
        raise InvalidInput(
            f"{field} {text[:80]!r} is not a valid route",
            field=field,
            hint="a route is one path segment such as /falcon: letters, digits, '.', '_' and '-'",
        )
    if path[1:] in RESERVED_ROUTES:
        raise InvalidInput(
            f"{field} {path!r} is reserved for Parkade itself",
            field=field,
            hint="reserved are " + ", ".join("/" + name for name in sorted(RESERVED_ROUTES)),
        )
    return path


def bucket_name(text: object, *, field: str = "Bucket") -> str:
    """Return `text` if it may name a bucket."""
    if not isinstance(text, str) or not _BUCKET.fullmatch(text) or ".." in text:
        raise InvalidInput(
            f"{field} {str(text)[:80]!r} is not a valid bucket name",
            field=field,
            hint="bucket names are 3 to 63 of a-z, 0-9, '.' and '-', and not an IP address",
        )
    return text


def s3_address(text: object, *, field: str = "ModelDataUrl") -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key; neither may climb out of its folder."""
    match = _S3.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidInput(
            f"{field} {str(text)[:200]!r} is not an s3:// address",
            field=field,
            hint="write s3://bucket/key; bucket names are 3 to 63 of a-z, 0-9, '.' and '-'",
        )
    bucket, key = match.groups()
    parts = key.split("/")
    if len(key.encode()) > 1024 or ".." in bucket or {".", ".."} & set(parts) or "\0" in key:
        raise InvalidInput(f"{field} {str(text)[:200]!r} has an unusable key", field=field)
    if key.startswith("/") or "" in parts[:-1]:
        raise InvalidInput(f"{field} {str(text)[:200]!r} has an empty part in its key", field=field)
    return bucket, key


def s3_prefix(text: object, *, field: str = "ModelDataUrl") -> tuple[str, str]:
    """Split `s3://bucket` or `s3://bucket/prefix` into the bucket and the prefix, maybe empty."""
    plain = text.rstrip("/") if isinstance(text, str) else text
    if isinstance(plain, str) and plain.startswith("s3://") and "/" not in plain[5:]:
        bucket, _ = s3_address(plain + "/-", field=field)
        return bucket, ""
    bucket, key = s3_address(plain, field=field)
    return bucket, key + "/"


def object_address(bucket: str, key: str, *, field: str = "Key") -> str:
    """Return `s3://bucket/key` where it is the address of just this bucket and this key."""
    address = f"s3://{bucket}/{key}"
    if s3_address(address, field=field) != (bucket, key):
        raise InvalidInput(f"bucket {bucket[:80]!r} has a slash in its name", field=field)
    return address


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or return an empty text."""
    close = get_close_matches(wrong, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
