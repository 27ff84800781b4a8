"""One client of a container: its requests are parsed, and answered in their order.

An answer may come in parts, each a turn of its own, or later, from elsewhere. What the client
sent behind the request waits for the end of it; other clients do not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import httptools

from .messages import Answer, Request, refusal, wire
from .outflow import Outflow
from .streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .server import Server

    #: What comes of a request when its turn has come; a future for what is done elsewhere.
    Outcome = Answer | Stream | asyncio.Future[Answer]


class Program(Protocol):
    """What a container answers with."""

    def __call__(
        self, method: bytes, target: bytes, request: Request
    ) -> Answer | Callable[[], Outcome]:
        """Return the answer at once, or what gives it when the request's turn has come.

        Neither raises.
        """
        ...


class Job(NamedTuple):
    """A complete request, waiting for its turn."""

    connection: Connection
    work: Answer | Callable[[], Outcome]
    keep_alive: bool
    #: The client knows no chunks: HTTP/1.0.
    whole: bool

    def run(self) -> None:
        """Answer it, or begin to."""
        work = self.work
        outcome = work if isinstance(work, Answer) else work()
        if isinstance(outcome, Answer):
            self.connection.answer(outcome, keep_alive=self.keep_alive)
        elif isinstance(outcome, Stream):
            self.connection.send(outcome, keep_alive=self.keep_alive, whole=self.whole)
        else:
            self.connection.promise(outcome, keep_alive=self.keep_alive)


class Connection(asyncio.Protocol):
    """One client: parses its requests, answers them in their order."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._receiving = False
        #: Requests that are complete and not answered yet.
        self._unanswered = 0
        #: The answer that has begun, or is done elsewhere, and what waits for its end.
        self._underway: Outflow | asyncio.Future[Answer] | None = None
        self._deferred: list[Job] = []
        self._writable = True
        #: The stream that waits until the client has taken what was sent.
        self._held: Outflow | None = None
        self._broken = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let go of a connection; its queued jobs are skipped, its stream is ended."""
        if isinstance(self._underway, Outflow):
            self._underway.abandon()
        self._server.lost(self)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; complete requests join the queue."""
        if self._broken:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            # What follows cannot be told apart from the broken request.
            self._broken = True
            self._receiving = False
            self._enter(refusal(400, f"the request is not HTTP: {error}"), keep_alive=False)

    def pause_writing(self) -> None:
        """Read no further requests, and make no further parts, while the client takes nothing."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        if not self._transport.is_closing():
            self._transport.resume_reading()
            if self._held is not None:
                self._server.add(self._held)
                self._held = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._receiving = True
        self._path = b""
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """Take (a part of) the path."""
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Tell clients that ask first to go on."""
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body; one that is too long is read to its end, but not kept."""
        self._size += len(part)
        if self._server.max_body is None or self._size <= self._server.max_body:
            self._parts.append(part)
        else:
            self._parts.clear()

    def on_message_complete(self) -> None:
        """Queue the request."""
        self._receiving = False
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        headers = self._headers
        keep_alive = self._parser.should_keep_alive()
        # Without either, it is no HTTP/1.0; to ask the parser takes longer.
        whole = (not keep_alive or b"connection" in headers) and (
            self._parser.get_http_version() == "1.0"
        )
        self._enter(self._work(Request(body, headers)), keep_alive=keep_alive, whole=whole)

    # The rest.

    def _work(self, request: Request) -> Answer | Callable[[], Outcome]:
        server = self._server
        if server.max_body is not None and self._size > server.max_body:
            return refusal(413, f"the body is longer than {server.max_body} bytes")
        return server.program(self._parser.get_method(), self._path, request)

    def _enter(
        self, work: Answer | Callable[[], Outcome], *, keep_alive: bool, whole: bool = False
    ) -> None:
        """Queue a request; what needs no script and would overtake nobody is answered at once."""
        self._unanswered += 1
        if isinstance(work, Answer) and self._unanswered == 1:
            self.answer(work, keep_alive=keep_alive)
        else:
            self._server.add(Job(self, work, keep_alive, whole))

    def is_answering(self) -> bool:
        """Tell whether an answer is under way, so that no other may begin."""
        return self._underway is not None

    def defer(self, job: Job) -> None:
        """Keep a job until the answer that is under way has ended."""
        self._deferred.append(job)

    def answer(self, answer: Answer, *, keep_alive: bool) -> None:
        """Send the answer to the oldest request."""
        keep_alive = keep_alive and not (self._server.stopping and self._is_last())
        self._transport.write(wire(answer, keep_alive=keep_alive))
        self.settle(keep_alive=keep_alive)

    def settle(self, *, keep_alive: bool) -> None:
        """Take note that the oldest request is answered to the end."""
        self._unanswered -= 1
        self._underway = None
        if not keep_alive or (self._server.stopping and self._is_idle()):
            self._transport.close()
        elif self._deferred:
            self._server.put_back(self._deferred)
            self._deferred = []

    def promise(self, answer: asyncio.Future[Answer], *, keep_alive: bool) -> None:
        """Answer the oldest request once its answer is there."""
        self._underway = answer
        answer.add_done_callback(lambda done: self._keep(done, keep_alive=keep_alive))

    def _keep(self, answer: asyncio.Future[Answer], *, keep_alive: bool) -> None:
        if not self.is_closing():
            self.answer(answer.result(), keep_alive=keep_alive)

    def send(self, stream: Stream, *, keep_alive: bool, whole: bool) -> None:
        """Begin to answer the oldest request in parts."""
        self._underway = Outflow(self, stream, keep_alive=keep_alive, whole=whole)
        self._underway.run()

    def write(self, pieces: Iterable[bytes]) -> None:
        """Send a part of an answer."""
        self._transport.writelines(pieces)

    def go_on(self, outflow: Outflow) -> None:
        """Give the stream its next turn, once the client has caught up."""
        if self._writable:
            self._server.add(outflow)
        else:
            self._held = outflow

    def cut(self) -> None:
        """End the connection within an answer, which tells that the answer is not whole."""
        self._underway = None
        self._transport.close()

    def reads(self) -> bool:
        """Tell whether what arrives is read."""
        return self._writable and not self.is_closing()

    def fileno(self) -> int:
        """Return the descriptor of its socket."""
        return cast("int", self._transport.get_extra_info("socket").fileno())

    def is_closing(self) -> bool:
        """Tell whether nobody waits for an answer any more."""
        return self._transport.is_closing()

    def close_if_idle(self) -> None:
        """Close unless a request is being received or waits for its answer."""
        if self._is_idle():
            self._transport.close()

    def _is_idle(self) -> bool:
        return not self._unanswered and not self._receives()

    def _is_last(self) -> bool:
        """Tell whether nothing follows the request that is answered now."""
        return self._unanswered == 1 and not self._receives()

    def _receives(self) -> bool:
        return self._receiving and not self._server.uploads_over
