"""One request of S3, taken apart and its caller known, and the ways to answer it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from parkade.apps.storage import xml
from parkade.apps.storage.faults import Fault, fault, invalid, no_bucket
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from parkade.apps.assembly import Services
    from parkade.apps.signing.callers import Caller
    from parkade.ports.objects import Objects

MEDIA = "application/xml"
#: Seconds after which an answer that takes long is begun, and is kept alive by blanks.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked, of which bucket and key (empty: of none), by whom."""

    services: Services
    request: Request
    caller: Caller
    bucket: str
    key: str
    query: Mapping[str, str]
    #: A lock by name, for what must not be done twice at once.
    alone: Callable[[str], asyncio.Lock]

    @property
    def objects(self) -> Objects:
        """The objects."""
        return self.services.objects

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; their names match in any case."""
        return self.request.headers

    def number(self, name: str, default: int, *, most: int) -> int:
        """Return a number of the query; a larger one counts as `most`."""
        text = self.query.get(name, "") or str(default)
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise invalid(f"Argument {name} must be an integer between 0 and {2**31 - 1}.")
        return min(int(text), most)

    async def require_bucket(self) -> None:
        """Raise NoSuchBucket where the bucket is not there."""
        if not await asyncio.to_thread(exists, self.objects, self.bucket):
            raise no_bucket(self.bucket)


def exists(objects: Objects, bucket: str) -> bool:
    """Tell whether the bucket is there."""
    return any(each.name == bucket for each in objects.buckets())


def answer(root: xml.Element, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a document of S3."""
    return Response(xml.document(root, xml.S3), headers=headers, media_type=MEDIA)


def nothing(status: int = 204, headers: Mapping[str, str] | None = None) -> Response:
    """Answer without a body."""
    return Response(status_code=status, headers=headers)


def failure(error: Fault, resource: str, request_id: str) -> xml.Element:
    """Return the document of an error."""
    return (
        "Error",
        (
            ("Code", error.code),
            ("Message", error.message),
            # What a client wrote may hold characters that no document can.
            *(fact for fact in error.facts.items() if fact[1].isprintable()),
            ("Resource", resource),
            ("RequestId", request_id),
        ),
    )


async def patiently(
    work: Callable[[], xml.Element], *, alone: asyncio.Lock | None = None
) -> Response:
    """Do what may take long in a thread, and answer with the document it returns.

    The answer is begun after a while and kept alive by blanks, as S3 does it: its clients look
    for an error in such an answer, too. The lock is held until the work is done, also when the
    client is gone.
    """
    if alone is not None:
        await alone.acquire()
    task = asyncio.ensure_future(asyncio.to_thread(work))
    if alone is not None:
        task.add_done_callback(lambda _: alone.release())
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if done:
        return answer(task.result())
    return StreamingResponse(_kept_alive(task), media_type=MEDIA)


async def _kept_alive(task: asyncio.Future[xml.Element]) -> AsyncIterator[bytes]:
    yield xml.DECLARATION
    while not (await asyncio.wait({task}, timeout=PATIENCE))[0]:
        yield b" "
    try:
        yield xml.written(task.result(), xml.S3)
    except ParkadeError as error:
        yield xml.written(failure(fault(error), "", ""))


def iso(moment: datetime) -> str:
    """Write an instant as S3's documents do."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def http_date(moment: datetime) -> str:
    """Write an instant as headers do."""
    return format_datetime(moment, usegmt=True)
