"""The worker's side: keep-alive connections to an instance, one request at a time on each.

Why a request is given to a second worker when the first one closed its connection before the
first byte of an answer: a worker that is killed takes its open connections with it, and the
callers whose requests it held have done nothing wrong. So the death of one worker loses nothing.
It is done once only, after a short pause: a request that ends two workers is likely the cause.
(Invocations may therefore reach a model twice, as they may with any client that retries.)

A connection that is refused has not cost anybody anything. It is no try: the instance is left
out until it accepts connections again or control takes it away, and the request goes elsewhere or
waits. The same holds while the instance's backlog is full.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from parkade.apps import link
    from parkade.apps.gateway.invocation import Invocation

#: Connections, and so requests, that one instance is given at a time.
CONNECTIONS = 64
#: Seconds until an instance that refused a connection is tried again; doubles up to the longest.
FIRST_PROBE = 0.05
LONGEST_PROBE = 1.0

#: Headers of a worker's answer that reach the caller, as SageMaker does it.
PASSED_BACK = {
    b"content-type": b"Content-Type: ",
    b"x-amzn-sagemaker-custom-attributes": b"X-Amzn-SageMaker-Custom-Attributes: ",
    b"x-amzn-sagemaker-new-session-id": b"X-Amzn-SageMaker-New-Session-Id: ",
    b"x-amzn-sagemaker-closed-session-id": b"X-Amzn-SageMaker-Closed-Session-Id: ",
}

logger = logging.getLogger(__name__)


class WorkerConnection(asyncio.Protocol):
    """One connection to a worker; carries one invocation, or is idle."""

    __slots__ = (
        "_chunks",
        "_done",
        "_framed",
        "_headed",
        "_heard",
        "_lines",
        "_parser",
        "_reusable",
        "_size",
        "_status",
        "_surplus",
        "instance",
        "invocation",
        "transport",
    )

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.invocation: Invocation | None = None
        self.transport: asyncio.Transport
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
        self._framed = False

    def send(self, invocation: Invocation) -> None:
        """Send the invocation; its `answered`, `broken` or `bereft` is called in return."""
        self.invocation = invocation
        invocation.connection = self
        invocation.sent = monotonic()
        self.transport.writelines(invocation.request())

    def abort(self) -> None:
        """Hang up; nobody waits for the answer any more."""
        self.invocation = None
        self.transport.abort()

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
            self.abort()
            invocation.broken(0, f"The container's answer is not HTTP: {error}")
            return
        if self._done:
            self._finish(invocation)
        elif self._size > invocation.limit:
            self._refuse_size(invocation)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the invocation that was under way, if any."""
        self.instance.lost(self)
        invocation = self.invocation
        if invocation is None:
            return
        self.invocation = None
        if not self._heard:
            invocation.bereft()
        elif exc is None and self._headed and not self._framed:
            # An answer without a length ends with its connection.
            status = self._parser.get_status_code()
            invocation.answered(status, self._lines, self._chunks, self._size)
        else:
            invocation.broken(0, "The container closed the connection within its answer.")

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
        elif key in {b"content-length", b"transfer-encoding"}:
            self._framed = True

    def on_headers_complete(self) -> None:
        """Note that the headers are whole."""
        self._headed = True

    def on_body(self, chunk: bytes) -> None:
        """Keep a piece of the body, unless the body is too long already."""
        if self._done:
            return
        self._size += len(chunk)
        if self.invocation is not None and self._size <= self.invocation.limit:
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
            self._headed = self._framed = False
            self._lines = []

    def _finish(self, invocation: Invocation) -> None:
        status, lines, chunks, size = self._status, self._lines, self._chunks, self._size
        if size > invocation.limit:
            self._refuse_size(invocation)
            return
        reusable = self._reusable and not self._surplus
        self.invocation = None
        self._reset()
        if reusable:
            self.instance.release(self)
        else:
            self.transport.close()
        invocation.answered(status, lines, chunks, size)

    def _refuse_size(self, invocation: Invocation) -> None:
        self.abort()
        invocation.broken(
            self._parser.get_status_code(), f"The answer is larger than {invocation.limit} bytes."
        )


class Instance:
    """One worker as the gateway sees it: its connections, and how busy it is."""

    __slots__ = (
        "_changed",
        "_pause",
        "_tasks",
        "_timer",
        "addresses",
        "gone",
        "id",
        "idle",
        "in_flight",
        "refusing",
    )

    def __init__(self, route: link.InstanceRoute, changed: Callable[[], None]) -> None:
        """Call `changed` when it stops or begins again to accept connections."""
        self.id = route.id
        self.addresses = route.addresses
        self.in_flight = 0
        self.idle: list[WorkerConnection] = []
        self.gone = False
        self.refusing = False
        self._changed = changed
        self._pause = FIRST_PROBE
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, invocation: Invocation) -> None:
        """Carry the invocation to the worker; `leave` gives the place back."""
        self.in_flight += 1
        invocation.instance = self
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                connection.send(invocation)
                return
        self._spawn(self._open(invocation))

    def release(self, connection: WorkerConnection) -> None:
        """Take back a connection that has done its work."""
        if self.gone:
            connection.transport.close()
        else:
            self.idle.append(connection)

    def lost(self, connection: WorkerConnection) -> None:
        """Forget a connection that is closed."""
        if connection in self.idle:
            self.idle.remove(connection)

    def vanish(self) -> None:
        """Take nothing new; what is under way is finished."""
        self.gone = True
        for connection in self.idle:
            connection.transport.close()
        self.idle.clear()
        if self._timer is not None:
            self._timer.cancel()

    async def _open(self, invocation: Invocation) -> None:
        try:
            connection = await self._connect()
        except OSError as error:
            self._refuse(error)
            if invocation.instance is self:
                invocation.refused()
            return
        if invocation.instance is self:
            connection.send(invocation)
        else:
            self.release(connection)

    async def _connect(self) -> WorkerConnection:
        loop = asyncio.get_running_loop()
        address = self.addresses[0]
        host, _, port = address.rpartition(":")
        if address.startswith("/"):
            _, connection = await loop.create_unix_connection(
                lambda: WorkerConnection(self), address
            )
        else:
            _, connection = await loop.create_connection(
                lambda: WorkerConnection(self), host, int(port)
            )
        return connection

    def _refuse(self, error: OSError) -> None:
        if self.refusing or self.gone:
            return
        logger.warning("instance %s refuses connections: %s", self.id, error)
        self.refusing = True
        self._pause = FIRST_PROBE
        self._probe_later()
        self._changed()

    def _probe_later(self) -> None:
        # A worker that restarts on its socket tells nobody here; a full backlog neither.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pause, lambda: self._spawn(self._probe()))
        self._pause = min(self._pause * 2, LONGEST_PROBE)

    async def _probe(self) -> None:
        try:
            connection = await self._connect()
        except OSError:
            if not self.gone:
                self._probe_later()
            return
        logger.info("instance %s accepts connections again", self.id)
        self.refusing = False
        self.release(connection)
        self._changed()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
