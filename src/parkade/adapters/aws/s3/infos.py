"""What is known of an object in S3: what its writer said of it, and the SHA-256 of its content."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC
from typing import TYPE_CHECKING, Any

from parkade.ports.objects import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where an object that Parkade has written says what its SHA-256 is.
SUM = "parkade-sha256"
_META = "x-amz-meta-"
#: The type of objects whose writer has named none.
_USUAL = "binary/octet-stream"
#: Headers that S3 keeps, and its members for them.
_MEMBERS = {
    "content-type": "ContentType",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-disposition": "ContentDisposition",
    "cache-control": "CacheControl",
    "expires": "Expires",
}


def members(headers: Mapping[str, str], digest: str) -> dict[str, Any]:
    """Return the members of a PutObject that keep what the writer says, and the SHA-256."""
    found: dict[str, Any] = {
        member: headers[name] for name, member in _MEMBERS.items() if name in headers
    }
    meta = {
        name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)
    }
    return {**found, "Metadata": {**meta, SUM: digest}}


def info(bucket: str, key: str, head: Mapping[str, Any]) -> ObjectInfo:
    """Describe an object by what HeadObject or GetObject answers."""
    return ObjectInfo(
        bucket=bucket,
        key=key,
        size=head["ContentLength"],
        etag=_digest(head),
        modified_at=head["LastModified"].astimezone(UTC),
        headers=_headers(head),
    )


def _digest(head: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content, as far as anybody has computed it.

    Of an object that somebody else has put in parts nobody has. Its digest is then one that stands
    for S3's ETag: it changes with the content, and is that of no content.
    """
    given: str = head["Metadata"].get(SUM, "")
    if given:
        return given
    try:
        checksum = base64.b64decode(head.get("ChecksumSHA256", ""), validate=True)
    except (binascii.Error, ValueError):
        checksum = b""  # that of parts: `...=-3`
    if len(checksum) == hashlib.sha256().digest_size and head.get("ChecksumType") != "COMPOSITE":
        return checksum.hex()
    return hashlib.sha256(f"S3's ETag {head['ETag']}".encode()).hexdigest()


def _headers(head: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: head[member]
        for name, member in _MEMBERS.items()
        if member != "Expires" and head.get(member)
    }
    if found.get("content-type") == _USUAL:
        del found["content-type"]
    if head.get("ExpiresString"):
        found["expires"] = head["ExpiresString"]
    meta = {f"{_META}{name}": value for name, value in head["Metadata"].items() if name != SUM}
    return found | meta
