"""Objects, the folder that plays S3: `/v1/objects/{bucket}/{key}`.

Uploads go to disk as they come, in pieces, and are visible only once they are whole; an upload
that breaks off leaves nothing behind. The disk is used outside the event loop: it can be slow.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, BinaryIO

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.objects import ObjectList, ObjectView, StoredView
from parkade.domain import names
from parkade.domain.errors import TooLarge

if TYPE_CHECKING:
    from parkade.ports.objects import ObjectInfo, Objects, ObjectWriter

routes = router("Objects", "/v1/objects")

#: bytes. What is handed to the disk, or read from it, at once.
_PIECE = 1024 * 1024
_TYPE = "application/octet-stream"
_SPELLINGS = {"Key": "key"}


@routes.get("/{bucket}")
async def list_objects(
    services: Served,
    _caller: Operator,
    bucket: str,
    prefix: Annotated[str, Query(description="Only keys that begin so.")] = "",
    limit: Limit = 100,
    after: After = "",
) -> ObjectList:
    """List a bucket's objects in the order of keys."""
    _address(bucket, "any")
    there = await asyncio.to_thread(services.objects.ls, bucket, prefix)
    found, following = page(there, lambda info: info.key, limit=limit, after=after)
    return ObjectList(objects=[ObjectView.of(each) for each in found], next=following)


@routes.put(
    "/{bucket}/{key:path}",
    status_code=201,
    openapi_extra={"requestBody": {"content": {_TYPE: {}}, "required": True}},
)
async def put_object(
    services: Served, request: Request, _caller: Admin, bucket: str, key: str
) -> StoredView:
    """Store an object in place of an older one, whole or not at all.

    A bucket that is not there is made. The size is limited by `limits.object_bytes`.
    """
    bucket, key = _address(bucket, key)
    limit = services.file().limits.object_bytes
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    with respelt(_SPELLINGS), services.objects.writer(bucket, key) as writer:
        await _receive(request, writer, limit)
        info = await asyncio.to_thread(writer.commit)
    return StoredView.of(info)


@routes.get(
    "/{bucket}/{key:path}",
    response_class=StreamingResponse,
    responses={200: {"content": {_TYPE: {}}, "description": "The object."}},
)
async def get_object(
    services: Served, _caller: Operator, bucket: str, key: str
) -> StreamingResponse:
    """Read an object, byte for byte as it was put."""
    file, headers = await asyncio.to_thread(_open, services.objects, *_address(bucket, key))
    return StreamingResponse(_send(file), headers=headers, media_type=_TYPE)


@routes.head("/{bucket}/{key:path}", response_class=Response)
async def head_object(services: Served, _caller: Operator, bucket: str, key: str) -> Response:
    """Describe an object in headers: its length, ETag and time."""
    info = await asyncio.to_thread(services.objects.stat, *_address(bucket, key))
    return Response(headers={**_headers(info), "Content-Length": str(info.size)}, media_type=_TYPE)


@routes.delete("/{bucket}/{key:path}", status_code=204)
async def delete_object(services: Served, _caller: Admin, bucket: str, key: str) -> None:
    """Delete an object; one that is not there counts as done."""
    await asyncio.to_thread(services.objects.delete, *_address(bucket, key))


def _open(objects: "Objects", bucket: str, key: str) -> tuple[BinaryIO, dict[str, str]]:
    """Return the object's file with the headers that describe it."""
    file = objects.open(bucket, key)
    try:
        headers = _headers(objects.stat(bucket, key))
        # Another may have been put since it was opened; the length of what is sent is its own.
        headers["Content-Length"] = str(file.seek(0, os.SEEK_END))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, headers


async def _receive(request: Request, writer: "ObjectWriter", limit: int) -> None:
    """Pass the body on in large pieces. A client that goes away raises ClientDisconnect."""
    size = 0
    pending = bytearray()
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pending += piece
        if len(pending) >= _PIECE:
            await asyncio.to_thread(writer.write, bytes(pending))
            pending.clear()
    if pending:
        await asyncio.to_thread(writer.write, bytes(pending))


async def _send(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while data := await asyncio.to_thread(file.read, _PIECE):
            yield data


def _address(bucket: str, key: str) -> tuple[str, str]:
    return names.s3_address(f"s3://{bucket}/{key}", field="key")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the object is larger than {limit} bytes",
        hint="limits.object_bytes in server.yaml sets the limit",
    )


def _headers(info: "ObjectInfo") -> dict[str, str]:
    return {
        "ETag": f'"{info.etag}"',
        "Last-Modified": format_datetime(info.modified_at, usegmt=True),
    }
