"""The worker's side: keep-alive connections to a container, one request at a time on each.

Why a request is given to a second worker when the first one closed its connection before the
first byte of an answer: a worker that is killed takes its open connections with it, and the
callers whose requests it held have done nothing wrong. So the death of one worker loses nothing.
It is done once only, after a short pause: a request that ends two workers is likely the cause.
(Invocations may therefore reach a model twice, as they may with any client that retries.)

An answer is whole before the caller gets any of it, unless the invocation has it pass as it
comes. Then no more of it is here at a time than one read brings.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.gateway.carried import Carried
    from parkade.apps.gateway.instances import Container

CONTENT_TYPE = b"Content-Type: "
NEW_SESSION = b"X-Amzn-SageMaker-New-Session-Id: "
CLOSED_SESSION = b"X-Amzn-SageMaker-Closed-Session-Id: "
#: Said by our container of many models with a 404 of its own.
NOT_LOADED = b"X-Parkade-Model-Not-Loaded: "
#: Headers of a worker's answer that reach the caller, as SageMaker does it.
PASSED_BACK = {
    b"content-type": CONTENT_TYPE,
    b"x-amzn-sagemaker-custom-attributes": b"X-Amzn-SageMaker-Custom-Attributes: ",
    b"x-amzn-sagemaker-new-session-id": NEW_SESSION,
    b"x-amzn-sagemaker-closed-session-id": CLOSED_SESSION,
    b"x-parkade-model-not-loaded": NOT_LOADED,
}
#: The content type whose readers wait for each piece, however the answer ends.
EVENTS = b"text/event-stream"


class WorkerConnection(asyncio.Protocol):
    """One connection to a container; carries one invocation, or is idle."""

    __slots__ = (
        "_chunks",
        "_container",
        "_done",
        "_flowing",
        "_flows",
        "_framed",
        "_headed",
        "_heard",
        "_lines",
        "_parser",
        "_reusable",
        "_size",
        "_sized",
        "_status",
        "_surplus",
        "invocation",
        "transport",
    )

    def __init__(self, container: Container) -> None:
        self.invocation: Carried | None = None
        self.transport: asyncio.Transport
        self._container = container
        self._parser = httptools.HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._heard = False
        self._headed = False
        self._done = False
        self._reusable = False
        self._surplus = False
        self._status = 0
        #: Whether the answer's end can be told from its headers, and whether by a length.
        self._framed = self._sized = False
        #: Whether the answer is one that passes as it comes, and whether that has begun.
        self._flows = self._flowing = False

    def send(self, invocation: Carried) -> None:
        """Send the invocation; how it went is told to it in return."""
        self.invocation = invocation
        invocation.connection = self
        invocation.sent = monotonic()
        self.transport.writelines(invocation.request())

    def abort(self) -> None:
        """Hang up; nobody waits for the answer any more."""
        self.invocation = None
        self.transport.abort()

    def hold(self) -> None:
        """Read no more: the caller reads slowly."""
        self.transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        self.transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer."""
        invocation = self.invocation
        if invocation is None:
            # Nobody asked. What comes next could be taken for the answer to another request.
            self.transport.abort()
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours
        except httptools.HttpParserError as error:
            if self._flows:
                self._pass_on(invocation)
            self.abort()
            invocation.broken(0, f"The container's answer is not HTTP: {error}")
            return
        if self._flows:
            self._pass_on(invocation)
        if self._done:
            self._finish(invocation)
        elif self._size > invocation.limit:
            self._refuse_size(invocation)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the invocation that was under way, if any."""
        self._container.lost(self)
        invocation = self.invocation
        if invocation is None:
            return
        self.invocation = None
        if not self._heard:
            invocation.bereft()
        elif exc is not None or not self._headed or self._framed:
            invocation.broken(0, "The container closed the connection within its answer.")
        elif self._flowing:
            invocation.ended()
        else:
            # An answer without a length ends with its connection.
            status = self._parser.get_status_code()
            invocation.answered(status, self._lines, self._chunks, self._size)

    def on_message_begin(self) -> None:
        """Note a second answer to one request."""
        self._surplus = self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep what is passed back."""
        if self._done:
            return
        key = name.lower()
        line = PASSED_BACK.get(key)
        if line is not None:
            self._lines += (line, value, b"\r\n")
        elif key == b"content-length":
            self._framed = self._sized = True
        elif key == b"transfer-encoding":
            self._framed = True

    def on_headers_complete(self) -> None:
        """Note that the headers are whole."""
        self._headed = True
        invocation = self.invocation
        if invocation is None or self._done:
            return
        if invocation.events or not self._sized:
            self._flows = (
                200 <= self._parser.get_status_code() < 300
                and invocation.streams
                and (
                    invocation.events or self._framed or answer_type(self._lines).startswith(EVENTS)
                )
            )

    def on_body(self, chunk: bytes) -> None:
        """Keep a piece of the body, unless the body is too long already."""
        if self._done:
            return
        self._size += len(chunk)
        if self._flows or (self.invocation is not None and self._size <= self.invocation.limit):
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Note the end of the answer, unless it is an interim one such as 100."""
        if self._done:
            return
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._done = True
            # The parser knows it here only.
            self._reusable = self._parser.should_keep_alive()
        else:
            self._headed = self._framed = self._sized = False
            self._lines = []

    def _pass_on(self, invocation: Carried) -> None:
        """Give the caller what has come, unless that is the whole and it takes wholes."""
        if not self._flowing:
            if self._done and not invocation.events and self._size <= invocation.limit:
                return
            self._flowing = True
            invocation.begun(self._parser.get_status_code(), self._lines)
        chunks, self._chunks, self._size = self._chunks, [], 0
        if chunks:
            invocation.part(chunks)

    def _finish(self, invocation: Carried) -> None:
        status, lines, chunks, size = self._status, self._lines, self._chunks, self._size
        flowing = self._flowing
        if size > invocation.limit:
            self._refuse_size(invocation)
            return
        reusable = self._reusable and not self._surplus
        self.invocation = None
        self._reset()
        if reusable:
            if flowing:
                self.go_on()  # the caller may have held it
            self._container.release(self)
        else:
            self.transport.close()
        if flowing:
            invocation.ended()
        else:
            invocation.answered(status, lines, chunks, size)

    def _refuse_size(self, invocation: Carried) -> None:
        self.abort()
        invocation.broken(
            self._parser.get_status_code(), f"The answer is larger than {invocation.limit} bytes."
        )


def answer_type(lines: Sequence[bytes]) -> bytes:
    """Return the content type among the lines of an answer; empty: it has none."""
    return next(
        (
            value
            for line, value in zip(lines[::3], lines[1::3], strict=True)
            if line == CONTENT_TYPE
        ),
        b"",
    )
