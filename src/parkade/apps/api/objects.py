"""Objects, the folder that plays S3: `/v1/objects/{bucket}/{key}`.

Uploads go to disk as they come, in pieces, and are visible only once they are whole; an upload
that breaks off leaves nothing behind.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from parkade.apps import selection, transfers
from parkade.apps.api.auth import Admin, Operator
from parkade.apps.api.errors import answer, respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.objects import BucketList, ObjectList, ObjectView, StoredView
from parkade.domain import names
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from parkade.ports.objects import ObjectInfo

routes = router("Objects", "/v1/objects")

TYPE = "application/octet-stream"
#: Either names the SHA-256 that the body has to have.
_OWN_SUM, _SUMS = "x-parkade-sha256", "content-digest"
_SPELLINGS = {"Key": "key", "Bucket": "bucket"}
_CONDITIONS: dict[int | str, dict[str, Any]] = {
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "It is the one that the caller has (`If-None-Match`)."},
}


@routes.get("")
async def list_buckets(
    services: Both, _caller: Operator, limit: Limit = 100, after: After = ""
) -> BucketList:
    """List the buckets in the order of their names."""
    there = await asyncio.to_thread(services.objects.buckets)
    found, following = page(there, lambda bucket: bucket.name, limit=limit, after=after)
    return BucketList.of(found, following)


@routes.get("/{bucket}")
async def list_objects(
    services: Both,
    _caller: Operator,
    bucket: str,
    prefix: Annotated[str, Query(description="Only keys that begin so.")] = "",
    delimiter: Annotated[
        str, Query(description="Keys that have it after the prefix are told together.")
    ] = "",
    limit: Limit = 100,
    after: After = "",
) -> ObjectList:
    """List a bucket's objects in the order of keys.

    With a `delimiter`, usually `/`, keys that go on after it are not told one by one: `prefixes`
    has what they have in common, like the folders of a folder.
    """
    with respelt(_SPELLINGS):
        found = await asyncio.to_thread(
            services.objects.page, bucket, prefix, delimiter=delimiter, after=after, limit=limit
        )
    return ObjectList(
        objects=[ObjectView.of(each) for each in found.objects],
        prefixes=list(found.prefixes),
        next=found.following or None,
    )


@routes.delete("/{bucket}", status_code=204)
async def delete_bucket(services: Both, _caller: Admin, bucket: str) -> None:
    """Delete an empty bucket."""
    with respelt(_SPELLINGS):
        await asyncio.to_thread(services.objects.remove_bucket, bucket)


@routes.put(
    "/{bucket}/{key:path}",
    status_code=201,
    openapi_extra={"requestBody": {"content": {TYPE: {}}, "required": True}},
)
async def put_object(
    services: Both, request: Request, _caller: Admin, bucket: str, key: str
) -> StoredView:
    """Store an object in place of an older one, whole or not at all.

    A bucket that is not there is made. The size is limited by `limits.object_bytes`. The body is
    compared with a SHA-256 that `Content-Digest` (`sha-256=:...:`) or `X-Parkade-SHA256` (in hex)
    names.
    """
    bucket, key = _address(bucket, key)
    expected = _expected(request.headers)
    said = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
    with respelt(_SPELLINGS), services.objects.writer(bucket, key, said) as writer:
        intake = transfers.Intake(writer, services.file().limits.object_bytes)
        length = request.headers.get("content-length", "0")
        if length.isdecimal():
            intake.require(int(length))
        await transfers.receive(request.stream(), intake.take)
        if expected and writer.digest() != expected:
            raise InvalidInput(
                f"the body that arrived has the SHA-256 {writer.digest()}, not {expected}",
                field="body",
                hint="it was changed on its way: send it again",
            )
        info = await asyncio.to_thread(writer.commit)
    return StoredView.of(info)


@routes.get(
    "/{bucket}/{key:path}",
    response_class=StreamingResponse,
    responses={200: {"content": {TYPE: {}}, "description": "The object."}, **_CONDITIONS},
)
async def get_object(
    services: Both, request: Request, _caller: Operator, bucket: str, key: str
) -> Response:
    """Read an object, byte for byte as it was put; with `Range`, a part of it."""
    info, file = await asyncio.to_thread(services.objects.fetch, *_address(bucket, key))
    chosen = selection.select(request.headers, info)
    if chosen.status in {selection.WHOLE, selection.PART}:
        return _answer(info, chosen, transfers.send(file, chosen.start, chosen.end))
    file.close()
    return _unmet(info, chosen)


@routes.head("/{bucket}/{key:path}", response_class=Response, responses=_CONDITIONS)
async def head_object(
    services: Both, request: Request, _caller: Operator, bucket: str, key: str
) -> Response:
    """Describe an object in headers: its length, ETag and time."""
    info = await asyncio.to_thread(services.objects.stat, *_address(bucket, key))
    chosen = selection.select(request.headers, info)
    if chosen.status in {selection.WHOLE, selection.PART}:
        return _answer(info, chosen)
    return Response(
        status_code=chosen.status, headers={**_headers(info), **chosen.headers(info.size)}
    )


@routes.delete("/{bucket}/{key:path}", status_code=204)
async def delete_object(services: Both, _caller: Admin, bucket: str, key: str) -> None:
    """Delete an object; one that is not there counts as done."""
    await asyncio.to_thread(services.objects.delete, *_address(bucket, key))


def _answer(
    info: "ObjectInfo", chosen: selection.Selection, content: AsyncIterator[bytes] | None = None
) -> Response:
    headers = {**_headers(info), **chosen.headers(info.size)}
    headers["Content-Type"] = info.headers.get("content-type", TYPE)
    if content is None:
        return Response(status_code=chosen.status, headers=headers)
    return StreamingResponse(content, chosen.status, headers=headers)


def _unmet(info: "ObjectInfo", chosen: selection.Selection) -> Response:
    headers = {**_headers(info), **chosen.headers(info.size)}
    headers.pop("Content-Length", None)
    if chosen.status == selection.UNCHANGED:
        return Response(status_code=chosen.status, headers=headers)
    if chosen.status == selection.OUTSIDE:
        return answer(
            chosen.status,
            "range_not_satisfiable",
            f"the object has {info.size} bytes, none in this range",
            hint="ask for bytes that are there, or without the header Range",
            headers=headers,
        )
    return answer(
        chosen.status,
        "precondition_failed",
        "the object is another one than If-Match or If-Unmodified-Since asks for",
        hint="look at its ETag, or ask without the header",
        headers=headers,
    )


def _address(bucket: str, key: str) -> tuple[str, str]:
    return names.s3_address(f"s3://{bucket}/{key}", field="key")


def _expected(headers: Mapping[str, str]) -> str:
    """Return the SHA-256 in hex that the body has to have; empty: none is named."""
    if own := headers.get(_OWN_SUM, ""):
        return _hex(own.strip().lower(), _OWN_SUM)
    match = re.search(r"sha-256=:([^:]*):", headers.get(_SUMS, ""))
    if match is None:
        return ""
    try:
        return _hex(base64.b64decode(match[1], validate=True).hex(), _SUMS)
    except binascii.Error:
        return _hex("", _SUMS)


def _hex(text: str, header: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidInput(
            f"the header {header} does not hold a SHA-256",
            field=header,
            hint=f"{_OWN_SUM} holds 64 digits in hex, {_SUMS} sha-256=:<base64>:",
        )
    return text


def _headers(info: "ObjectInfo") -> dict[str, str]:
    return {
        "ETag": f'"{info.etag}"',
        "Last-Modified": format_datetime(info.modified_at, usegmt=True),
        "Accept-Ranges": "bytes",
        **transfers.GUARDED,
    }
