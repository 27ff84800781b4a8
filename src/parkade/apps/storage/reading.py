"""S3's operations that read one object: GetObject, HeadObject, GetObjectTagging."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from parkade.apps import selection, transfers
from parkade.apps.storage.call import Call, answer, http_date, nothing
from parkade.apps.storage.faults import Fault, invalid

if TYPE_CHECKING:
    from parkade.ports.objects import ObjectInfo

#: Parameters of the query that say which headers the answer shall have.
OVERRIDES = frozenset(
    f"response-{name}"
    for name in (
        "cache-control", "content-disposition", "content-encoding", "content-language",
        "content-type", "expires",
    )
)  # fmt: skip
_TYPE = "binary/octet-stream"


async def get(call: Call) -> Response:
    """GetObject, or the part of it that is asked for."""
    info, file = await asyncio.to_thread(call.objects.fetch, call.bucket, call.key)
    chosen = selection.select(call.headers, info)
    if chosen.status not in {selection.WHOLE, selection.PART}:
        file.close()
        return _unmet(call, info, chosen)
    return StreamingResponse(
        transfers.send(file, chosen.start, chosen.end),
        chosen.status,
        headers=_headers(call, info, chosen),
    )


async def head(call: Call) -> Response:
    """HeadObject."""
    info = await asyncio.to_thread(call.objects.stat, call.bucket, call.key)
    chosen = selection.select(call.headers, info)
    if chosen.status not in {selection.WHOLE, selection.PART}:
        return _unmet(call, info, chosen)
    return nothing(chosen.status, _headers(call, info, chosen))


async def tagging(call: Call) -> Response:
    """GetObjectTagging: objects have no tags here, which some clients ask for before they copy."""
    await asyncio.to_thread(call.objects.stat, call.bucket, call.key)
    return answer(("Tagging", (("TagSet", ()),)))


def _headers(call: Call, info: ObjectInfo, chosen: selection.Selection) -> dict[str, str]:
    told = {
        name.removeprefix("response-").title(): _printable(name, value)
        for name, value in call.query.items()
        if name in OVERRIDES
    }
    headers = {
        "Content-Type": _TYPE,
        **{name.title(): value for name, value in info.headers.items() if name[:2] != "x-"},
        **{name: value for name, value in info.headers.items() if name[:2] == "x-"},
        **_facts(info),
        **chosen.headers(info.size),
        **told,
    }
    if chosen.status == selection.WHOLE and call.headers.get("x-amz-checksum-mode") == "ENABLED":
        headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(info.etag)).decode()
        headers["x-amz-checksum-type"] = "FULL_OBJECT"
    return headers


def _printable(name: str, value: str) -> str:
    """Return what a caller wants in a header, if it is one line of characters that fit there."""
    if not all(" " <= each <= "~" for each in value):
        raise invalid(f"{name} holds characters that do not fit in a header.")
    return value


def _unmet(call: Call, info: ObjectInfo, chosen: selection.Selection) -> Response:
    if chosen.status == selection.UNCHANGED:
        return nothing(chosen.status, _facts(info))
    if chosen.status == selection.OUTSIDE:
        raise Fault(
            "InvalidRange",
            chosen.status,
            f"The requested range is not satisfiable: the object has {info.size} bytes.",
            ActualObjectSize=str(info.size),
            RangeRequested=call.headers["range"],
        )
    raise Fault(
        "PreconditionFailed",
        chosen.status,
        "At least one of the pre-conditions you specified did not hold.",
        Condition="If-Match" if "if-match" in call.headers else "If-Unmodified-Since",
    )


def _facts(info: ObjectInfo) -> dict[str, str]:
    return {
        "ETag": f'"{info.etag}"',
        "Last-Modified": http_date(info.modified_at),
        "Accept-Ranges": "bytes",
        **transfers.GUARDED,
    }
