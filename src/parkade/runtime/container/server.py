"""The HTTP side of a container: a unix socket, and the model inline on the event loop.

Requests are parsed as they come and queued; each turn of the loop runs one of them, in the
order in which they were complete. Between two jobs the loop reads what has arrived, so that
many connections are served fairly, and whoever hung up meanwhile is not worked for. A thread
would only add a hop: the model holds the processor either way.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, cast

import httptools

from .messages import Answer, Request, refusal, wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BACKLOG = 1024
#: After a job as long as this the loop catches up before the next: to accept a client, to read
#: its request and to see that it hung up takes a turn each.
LONG_JOB_SECONDS = 0.001
CATCH_UP_TURNS = 4
#: After SIGTERM: what had arrived by then (in the backlog, in a socket's buffer) is read first.
LINGER_SECONDS = 0.02
#: After SIGTERM: how long a request that has begun to arrive may take to be complete.
UPLOAD_SECONDS = 2.0
_PONG = Answer(200, b"", "")


class Job(NamedTuple):
    """A complete request, waiting for its turn; `answer` is there where the script is not asked."""

    connection: Connection
    request: Request
    answer: Answer | None
    keep_alive: bool


class Server:
    """The connections and the queue of one worker."""

    def __init__(self, answer: Callable[[Request], Answer], *, max_body: int | None) -> None:
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        self._turn_is_due = False
        self._turns_to_catch_up = 0
        self._gone = asyncio.Event()
        self.max_body = max_body
        self.stopping = False
        self.uploads_over = False
        self.connections: set[Connection] = set()

    def add(self, job: Job) -> None:
        """Queue a complete request."""
        self._jobs.append(job)
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Run the next job that somebody still waits for."""
        if self._turns_to_catch_up:
            self._turns_to_catch_up -= 1
            self._loop.call_soon(self._turn)
            return
        job = self._next_job()
        if self._jobs:
            self._loop.call_soon(self._turn)
        else:
            self._turn_is_due = False
        if job is not None:
            begun = time.monotonic()
            answer = job.answer or self._answer(job.request)
            job.connection.finish(answer, keep_alive=job.keep_alive)
            if time.monotonic() - begun > LONG_JOB_SECONDS:
                self._turns_to_catch_up = CATCH_UP_TURNS

    def _next_job(self) -> Job | None:
        while self._jobs:
            job = self._jobs.popleft()
            if not job.connection.is_closing():
                return job
        return None

    def lost(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        if self.stopping and not self.connections:
            self._gone.set()

    async def drain(self, listener: asyncio.Server) -> None:
        """Stop accepting, answer what was received, and return when every connection is closed."""
        await asyncio.sleep(LINGER_SECONDS)
        for _ in range(CATCH_UP_TURNS):
            await asyncio.sleep(0)
        listener.close()
        self.stopping = True
        self._close_idle()
        deadline = self._loop.call_later(UPLOAD_SECONDS, self._give_up_uploads)
        if self.connections:
            await self._gone.wait()
        deadline.cancel()

    def _give_up_uploads(self) -> None:
        self.uploads_over = True
        self._close_idle()

    def _close_idle(self) -> None:
        for connection in tuple(self.connections):
            connection.close_if_idle()


class Connection(asyncio.Protocol):
    """One client: parses its requests, answers them in their order."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._receiving = False
        #: Requests that are complete and not answered yet.
        self._unanswered = 0
        self._broken = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let go of a connection; its queued jobs are skipped."""
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
            self._enter(None, refusal(400, f"the request is not HTTP: {error}"), keep_alive=False)

    def pause_writing(self) -> None:
        """Read no further requests of a client that does not take its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

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
        request = Request(body, self._headers)
        keep_alive = self._parser.should_keep_alive()
        self._enter(request, self._known_answer(), keep_alive=keep_alive)

    # The rest.

    def _known_answer(self) -> Answer | None:
        """Return the answer to a request that needs no script, None for an invocation."""
        method, path = self._parser.get_method(), self._path.partition(b"?")[0]
        if path == b"/invocations":
            if method != b"POST":
                return refusal(405, "send POST to /invocations")
            if self._server.max_body is not None and self._size > self._server.max_body:
                return refusal(413, f"the body is longer than {self._server.max_body} bytes")
            return None
        if path == b"/ping":
            return _PONG if method == b"GET" else refusal(405, "send GET to /ping")
        return refusal(404, "a container answers GET /ping and POST /invocations")

    def _enter(self, request: Request | None, answer: Answer | None, *, keep_alive: bool) -> None:
        """Queue a request; what needs no script and would overtake nobody is answered at once."""
        self._unanswered += 1
        if answer is not None and self._unanswered == 1:
            self.finish(answer, keep_alive=keep_alive)
        else:
            self._server.add(Job(self, request or Request(b"", {}), answer, keep_alive))

    def finish(self, answer: Answer, *, keep_alive: bool) -> None:
        """Send the answer to the oldest request."""
        self._unanswered -= 1
        last = self._server.stopping and self._is_idle()
        keep_alive = keep_alive and not last
        self._transport.write(wire(answer, keep_alive=keep_alive))
        if not keep_alive:
            self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether nobody waits for an answer any more."""
        return self._transport.is_closing()

    def close_if_idle(self) -> None:
        """Close unless a request is being received or waits for its answer."""
        if self._is_idle():
            self._transport.close()

    def _is_idle(self) -> bool:
        receiving = self._receiving and not self._server.uploads_over
        return not self._unanswered and not receiving


async def serve(
    answer: Callable[[Request], Answer], path: Path, *, max_body: int | None = None
) -> None:
    """Answer on a unix socket until SIGTERM, then finish what was received."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    server = Server(answer, max_body=max_body)
    listener = await loop.create_unix_server(lambda: Connection(server), str(path), backlog=BACKLOG)
    await stop.wait()
    # No further client finds the way in; those who did are served.
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - a local name, gone at once
    await server.drain(listener)
