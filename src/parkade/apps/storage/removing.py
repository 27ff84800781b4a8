"""S3's operations that delete objects: DeleteObject, DeleteObjects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from parkade.apps.storage import receiving, xml
from parkade.apps.storage.call import Call, answer, nothing
from parkade.apps.storage.checksums import Sums
from parkade.apps.storage.faults import fault, invalid, not_there
from parkade.domain.errors import InvalidInput, ParkadeError

if TYPE_CHECKING:
    from starlette.responses import Response

_MOST = 1000


async def one(call: Call) -> Response:
    """DeleteObject; one that is not there counts as done."""
    await call.require_bucket()
    try:
        await asyncio.to_thread(call.objects.delete, call.bucket, call.key)
    except InvalidInput:
        return nothing()  # there can be no such object
    return nothing()


async def many(call: Call) -> Response:
    """DeleteObjects."""
    if not Sums(call.headers).named:
        raise invalid(
            "Missing required header for this request: Content-MD5 or x-amz-checksum-*.",
            "InvalidRequest",
        )
    asked = xml.read(await receiving.document(call), "Delete")
    named = asked.all("Object")
    keys = [each.value("Key") for each in named]
    if not 1 <= len(keys) <= _MOST:
        raise xml.malformed(f"it must name 1 to {_MOST} objects")
    more = {child.tag for each in named for child in each.children} - {"Key"}
    if more:
        raise not_there(
            f"DeleteObjects with {', '.join(sorted(more))[:200]}", "Objects have a Key."
        )
    await call.require_bucket()
    told = await asyncio.to_thread(_delete, call, keys)
    if asked.value("Quiet") == "true":
        told = [each for each in told if each[0] == "Error"]
    return answer(("DeleteResult", told))


def _delete(call: Call, keys: list[str]) -> list[xml.Element]:
    told: list[xml.Element] = []
    for key in keys:
        try:
            call.objects.delete(call.bucket, key)
        except InvalidInput:
            told.append(("Deleted", (("Key", key),)))  # there can be no such object
        except ParkadeError as error:
            why = fault(error, key)
            told.append(("Error", (("Key", key), ("Code", why.code), ("Message", why.message))))
        else:
            told.append(("Deleted", (("Key", key),)))
    return told
