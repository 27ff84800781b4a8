"""S3's operations that store and copy one object: PutObject, CopyObject."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from parkade.apps import selection, transfers
from parkade.apps.storage import receiving
from parkade.apps.storage.call import Call, exists, iso, nothing, patiently
from parkade.apps.storage.faults import Fault, invalid, no_bucket, not_there
from parkade.domain.errors import ObjectNotFound

if TYPE_CHECKING:
    from starlette.responses import Response

    from parkade.apps.storage.xml import Element
    from parkade.ports.objects import ObjectInfo

SOURCE = "x-amz-copy-source"
_SOURCE_RANGE = "x-amz-copy-source-range"
#: Headers by which a copy onto itself asks for a change, though here they mean none.
_CHANGES = ("x-amz-storage-class", "x-amz-server-side-encryption")
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


async def put(call: Call) -> Response:
    """PutObject; a bucket that is not there is made."""
    said = receiving.said(call.headers)
    with call.objects.writer(call.bucket, call.key, said) as writer:
        sums = await receiving.stored(call, writer)
        info = await asyncio.to_thread(writer.commit)
    return nothing(200, {"ETag": f'"{info.etag}"', **sums})


async def copy(call: Call) -> Response:
    """CopyObject."""
    directive = call.headers.get("x-amz-metadata-directive", "COPY").upper()
    if directive not in {"COPY", "REPLACE"}:
        raise invalid(f"Unknown metadata directive {directive!r}: COPY or REPLACE.")
    replaced = receiving.said(call.headers) if directive == "REPLACE" else None
    source = source_of(call)
    changes = replaced is not None or any(name in call.headers for name in _CHANGES)
    if source == (call.bucket, call.key) and not changes:
        raise invalid(
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class or encryption.",
            "InvalidRequest",
        )

    def work() -> Element:
        info, file = opened(call, source)
        with (
            file,
            call.objects.writer(
                call.bucket, call.key, info.headers if replaced is None else replaced
            ) as writer,
        ):
            while data := file.read(transfers.PIECE):
                writer.write(data)
            return result("CopyObjectResult", writer.commit())

    return await patiently(work)


def result(tag: str, info: ObjectInfo) -> Element:
    """Return the document that tells of a copy."""
    return (tag, (("LastModified", iso(info.modified_at)), ("ETag", f'"{info.etag}"')))


def source_of(call: Call) -> tuple[str, str]:
    """Return bucket and key of what is to be copied."""
    text, _, version = call.headers[SOURCE].partition("?versionId=")
    if version not in {"", "null"}:
        raise not_there("CopyObject of a version", "Objects have no versions.")
    bucket, slash, key = unquote(text).removeprefix("/").partition("/")
    if not slash or not key:
        raise invalid(f"{SOURCE} must be BUCKET/KEY, percent-encoded.")
    return bucket, key


def opened(call: Call, source: tuple[str, str]) -> tuple[ObjectInfo, BinaryIO]:
    """Open what is to be copied, if the conditions for it hold."""
    try:
        info, file = call.objects.fetch(*source)
    except ObjectNotFound:
        if not exists(call.objects, source[0]):
            raise no_bucket(source[0]) from None
        raise
    conditions = {
        name: call.headers[f"{SOURCE}-{name}"]
        for name in _CONDITIONS
        if f"{SOURCE}-{name}" in call.headers
    }
    if selection.select(conditions, info).status != selection.WHOLE:
        file.close()
        raise Fault(
            "PreconditionFailed",
            412,
            "At least one of the pre-conditions you specified for the source did not hold.",
        )
    return info, file


def source_range(call: Call, size: int) -> tuple[int, int]:
    """Return which part of the source is to be copied, from its first byte to past its last."""
    text = call.headers.get(_SOURCE_RANGE, "")
    if not text:
        return 0, size
    match = re.fullmatch(r"bytes=(\d{1,18})-(\d{1,18})", text, re.ASCII)
    if match is None:
        raise invalid(f"{_SOURCE_RANGE} must be bytes=FIRST-LAST.")
    first, last = int(match[1]), int(match[2])
    if first > last or last >= size:
        raise Fault(
            "InvalidRange", 416, f"The range {text} is not in the source, which has {size} bytes."
        )
    return first, last + 1
