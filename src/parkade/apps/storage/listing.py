"""S3's lists of objects, in both versions."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import quote

from parkade.apps.storage.buckets import OWNER
from parkade.apps.storage.call import Call, answer, iso
from parkade.apps.storage.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.responses import Response

    from parkade.apps.storage.xml import Element
    from parkade.ports.objects import ObjectInfo, ObjectPage

_MOST = 1000


async def second(call: Call) -> Response:
    """ListObjectsV2."""
    token = call.query.get("continuation-token", "")
    start = call.query.get("start-after", "")
    spelt = spelling(call)
    goes_on = "continuation-token" in call.query
    limit, page = await _page(call, _read_token(token) if goes_on else start)
    content = _content(call, page, limit, spelt, owner=call.query.get("fetch-owner") == "true")
    content.append(("KeyCount", str(len(page.objects) + len(page.prefixes))))
    if goes_on:
        content.append(("ContinuationToken", token))
    elif start:
        content.append(("StartAfter", spelt(start)))
    if page.following:
        content.append(("NextContinuationToken", _token(page.following)))
    return answer(("ListBucketResult", content))


async def first(call: Call) -> Response:
    """ListObjects, which older tools use."""
    marker = call.query.get("marker", "")
    spelt = spelling(call)
    limit, page = await _page(call, marker)
    content = _content(call, page, limit, spelt, owner=True)
    content.append(("Marker", spelt(marker)))
    if page.following:
        content.append(("NextMarker", spelt(page.following)))
    return answer(("ListBucketResult", content))


async def _page(call: Call, after: str) -> tuple[int, ObjectPage]:
    limit = call.number("max-keys", _MOST, most=_MOST)
    await call.require_bucket()
    page = await asyncio.to_thread(
        call.objects.page,
        call.bucket,
        call.query.get("prefix", ""),
        delimiter=call.query.get("delimiter", ""),
        after=after,
        limit=limit,
    )
    return limit, page


def _content(
    call: Call, page: ObjectPage, limit: int, spelt: Callable[[str], str], *, owner: bool
) -> list[Element]:
    content: list[Element] = [
        ("Name", call.bucket),
        ("Prefix", spelt(call.query.get("prefix", ""))),
        ("MaxKeys", str(limit)),
        ("IsTruncated", "true" if page.following else "false"),
    ]
    if call.query.get("delimiter"):
        content.append(("Delimiter", spelt(call.query["delimiter"])))
    if call.query.get("encoding-type"):
        content.append(("EncodingType", "url"))
    content += _objects(page.objects, spelt, owner=owner)
    content += (("CommonPrefixes", (("Prefix", spelt(each)),)) for each in page.prefixes)
    return content


def _objects(
    objects: Iterable[ObjectInfo], spelt: Callable[[str], str], *, owner: bool
) -> Iterable[Element]:
    for each in objects:
        facts: list[Element] = [
            ("Key", spelt(each.key)),
            ("LastModified", iso(each.modified_at)),
            ("ETag", f'"{each.etag}"'),
            ("Size", str(each.size)),
            ("StorageClass", "STANDARD"),
        ]
        if owner:
            facts.append(("Owner", OWNER))
        yield "Contents", facts


def spelling(call: Call) -> Callable[[str], str]:
    """Return how keys are written in the answer."""
    asked = call.query.get("encoding-type", "")
    if asked not in {"", "url"}:
        raise invalid("Invalid Encoding Method specified in Request: encoding-type is url.")
    return (lambda text: quote(text, safe="/")) if asked else str


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _read_token(token: str) -> str:
    try:
        after = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        after = ""
    if not after:
        raise invalid("The continuation token provided is incorrect.")
    return after
