"""One asynchronous invocation on its way: from the input object through the workers to the output.

Inputs and answers may be large, so that they stream from and to the objects; only what goes from
one container of a pipeline to the next is laid down in between. The output appears whole, or not.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack, asynccontextmanager, contextmanager
from io import BytesIO
from time import monotonic
from typing import IO, TYPE_CHECKING

import httpx

from parkade.domain import names
from parkade.domain.errors import TooLarge
from parkade.runtime.trips import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from parkade.ports.backlog import AsyncRequest
    from parkade.ports.objects import Objects
    from parkade.runtime.trips import Trip

#: Input and answer (SageMaker: 1 GB).
PAYLOAD_LIMIT = 2**30
#: Of a container's error, in bytes.
ERROR_LIMIT = 65_536
_PIECE = 2**20
#: Of what goes from container to container, before it is laid down on disk.
_IN_MEMORY = 8 * 2**20


class WorkerGone(Exception):
    """The worker went away, or could not be reached: another one may do better."""


class Declined(Exception):
    """The model answered with an error; the message is for the caller."""


class Courier:
    """Carries requests to workers. Raises WorkerGone, Declined, and ParkadeError (no input ...)."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def deliver(
        self, request: AsyncRequest, body: bytes, addresses: Sequence[str], trip: Trip
    ) -> str:
        """Store the answer at the request's output location; return its content type.

        How it goes is noted in the `trip`.
        """
        with ExitStack() as open_files:
            begun = monotonic()
            source, size = self._source(request, body)
            trip.download += monotonic() - begun
            open_files.enter_context(source)
            trip.stage, begun = Stage.MODEL, monotonic()
            content_type = request.content_type
            for address in addresses[:-1]:
                between = open_files.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
                async with _answer(request, address, content_type, source, size, trip) as answer:
                    async for piece in _pieces(answer):
                        await asyncio.to_thread(between.write, piece)
                    content_type = answer.headers.get("content-type", "")
                size = between.tell()
                between.seek(0)
                source = between
            try:
                async with _answer(
                    request, addresses[-1], content_type, source, size, trip
                ) as answer:
                    return await self._keep(request, answer, trip)
            finally:
                trip.model = max(0.0, monotonic() - begun - trip.upload)

    def _source(self, request: AsyncRequest, body: bytes) -> tuple[IO[bytes], int]:
        if not request.input_location:
            return BytesIO(body), len(body)
        bucket, key = names.s3_address(request.input_location, field="InputLocation")
        info, file = self._objects.fetch(bucket, key)
        if info.size > PAYLOAD_LIMIT:
            file.close()
            raise TooLarge(
                f"{request.input_location} has {info.size} bytes; {PAYLOAD_LIMIT} are allowed"
            )
        return file, info.size

    async def _keep(self, request: AsyncRequest, answer: httpx.Response, trip: Trip) -> str:
        content_type: str = answer.headers.get("content-type", "application/octet-stream")
        bucket, key = names.s3_address(request.output_location, field="S3OutputPath")
        with _uploading(trip):
            writer = self._objects.writer(bucket, key, {"content-type": content_type})
        with writer as output:
            async for piece in _pieces(answer):
                with _uploading(trip):
                    await asyncio.to_thread(output.write, piece)
            with _uploading(trip):
                await asyncio.to_thread(output.commit)
        return content_type


@asynccontextmanager
async def _answer(
    request: AsyncRequest,
    address: str,
    content_type: str,
    source: IO[bytes],
    size: int,
    trip: Trip,
) -> AsyncIterator[httpx.Response]:
    """Give the model's answer, which is none of an error. The caller sets the time limit."""
    headers = {
        "Content-Type": content_type,
        "Accept": request.accept,
        "X-Amzn-SageMaker-Custom-Attributes": request.custom_attributes,
        "X-Amzn-SageMaker-Inference-Id": request.inference_id,
        "traceparent": request.trace_parent,
        "tracestate": request.trace_state,
    }
    by_socket = address.startswith("/")
    # Nobody shows a certificate here; reading those that are trusted takes 20 ms and more.
    transport = httpx.AsyncHTTPTransport(uds=address if by_socket else None, verify=False)
    url = "http://localhost/invocations" if by_socket else f"http://{address}/invocations"
    async with httpx.AsyncClient(
        transport=transport,
        timeout=None,  # noqa: S113  the caller limits the whole
        trust_env=False,
    ) as client:
        try:
            async with client.stream(
                "POST",
                url,
                content=_read(source),
                headers={
                    "Content-Length": str(size),
                    **{name: value for name, value in headers.items() if value},
                },
            ) as answer:
                trip.status = answer.status_code
                if not answer.is_success:
                    raise await _declined(answer)
                yield answer
        except httpx.TransportError as error:
            raise WorkerGone(f"{type(error).__name__}: {error}") from error


@contextmanager
def _uploading(trip: Trip) -> Iterator[None]:
    """Count the time of what is done within as upload; what fails within, fails there."""
    before, begun = trip.stage, monotonic()
    trip.stage = Stage.UPLOAD
    yield
    trip.upload += monotonic() - begun
    trip.stage = before


async def _read(source: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(source.read, _PIECE):
        yield piece


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for piece in answer.aiter_raw(_PIECE):
        size += len(piece)
        if size > PAYLOAD_LIMIT:
            raise TooLarge(f"the model's answer is larger than {PAYLOAD_LIMIT} bytes")
        yield piece


async def _declined(answer: httpx.Response) -> Declined:
    text = b""
    async for piece in answer.aiter_raw():
        text += piece
        if len(text) > ERROR_LIMIT:
            break
    side = "client" if answer.is_client_error else "server"
    told = text[:ERROR_LIMIT].decode("utf-8", "replace")
    return Declined(
        f'Received {side} error ({answer.status_code}) from primary with message "{told}".'
    )
