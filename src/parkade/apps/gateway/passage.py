"""The passage to the control process, for all that is no invocation.

Requests and answers stream through in both directions, each side no faster than the other
reads. One connection serves one request: what is managed is asked for rarely, and a connection
of its own cannot have been closed by a control process that has gone.

While control is away its socket is held open by the supervisor, so that requests wait in its
backlog. They do so for a few seconds; whether control is there is known from the link.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from parkade.apps.gateway import answers, forwarding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.gateway.client import Client

#: Seconds that a request waits for a control process that is away.
PATIENCE = 5.0
#: Seconds that an answer under way gets when the gateway is to stop.
DRAIN = 5.0
_RETRY = 0.1

#: One of the reasons why a client's reading is paused; each is a bit.
HOLD = 2

_AWAY = answers.passage_error(
    "The control process is not running.",
    "ask again; if this lasts, see logs/control.log in the state folder",
)
_LOST = answers.passage_error(
    "The control process went away while it had this request.",
    "look whether it was carried out, and ask again if not",
)
_UNREADABLE = answers.passage_error(
    "The control process gave an answer that is not HTTP.", "see logs/control.log"
)


class Passage(asyncio.Protocol):
    """One request for control: an exchange of its client, and the protocol on control's side."""

    __slots__ = (
        "_again",
        "_chunked",
        "_client",
        "_complete",
        "_done",
        "_head",
        "_headers",
        "_headless",
        "_heard",
        "_old",
        "_open_ended",
        "_over",
        "_parser",
        "_pending",
        "_reason",
        "_repeatable",
        "_responding",
        "_since",
        "_stream",
        "_task",
        "_timer",
        "_transport",
        "_unframed",
        "keep",
        "number",
    )

    def __init__(
        self,
        client: Client,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        keep: bool,
        old: bool,
    ) -> None:
        self.keep = keep
        self.number = client.gateway.next_number()
        self._client = client
        self._old = old
        self._headless = method == b"HEAD"
        head, self._chunked = forwarding.request(method, target, headers)
        self._head = head + forwarding.origin(client.transport, headers)
        self._repeatable = method in {b"GET", b"HEAD"}
        self._again = False
        self._complete = False
        self._pending: list[bytes] = []
        self._since = 0.0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._stream = False
        self._expect_answer()

    def _expect_answer(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._heard = False
        self._responding = False
        self._unframed = False
        self._open_ended = False
        self._done = False

    # What its client tells it.

    def begin(self) -> None:
        """Take the turn on the client's connection; no more is read until control is there."""
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        if not self._complete:
            self._client.hold(HOLD)
        self._task = loop.create_task(self._connect())
        self._timer = loop.call_later(PATIENCE, self._look)

    def feed(self, chunk: bytes) -> None:
        """Pass on a piece of the body."""
        if self._over:
            return
        self._repeatable = False
        self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)

    def end(self) -> None:
        """Pass on the end of the body."""
        self._complete = True
        if self._chunked and not self._over:
            self._send(b"0\r\n\r\n")

    def cancel(self) -> None:
        """Drop it: the caller has gone away."""
        self._close()

    def hold(self) -> None:
        """Read no more from control: the caller reads slowly."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def drain(self) -> None:
        """Come to an end: streams of events at once, for their readers come again."""
        self.keep = False
        if self._stream:
            self._cut()
        else:
            asyncio.get_running_loop().call_later(DRAIN, self._cut)

    # What the event loop tells it of control's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what there is of the request."""
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()
            return
        self._transport.writelines([self._head, *self._pending])
        self._pending = []
        self._client.go_on(HOLD)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer."""
        if self._over:
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours
        except httptools.HttpParserError:
            if not self._done:
                self._fail(_UNREADABLE)
                return
        if self._done:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Finish, ask again where nothing can have been done twice, or tell the caller."""
        if self._over:
            return
        if self._responding and self._open_ended and exc is None:
            self._finish()
        elif self._heard or self._again or not self._repeatable:
            self._fail(_LOST)
        else:
            self._expect_answer()
            self._again = True
            self._task = asyncio.get_running_loop().create_task(self._connect())

    def pause_writing(self) -> None:
        """Read no more from the caller: control reads slowly."""
        if not self._over:
            self._client.hold(HOLD)

    def resume_writing(self) -> None:
        """Read on."""
        self._client.go_on(HOLD)

    # What the parser tells it.

    def on_status(self, reason: bytes) -> None:
        """Keep the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin the answer, or pass on an interim one."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._respond(status)
            self._done = self._headless
        elif status == 100 and not self._old:
            self._client.proceed()
        self._headers = []
        self._reason = b""

    def on_body(self, chunk: bytes) -> None:
        """Pass on a piece at once; events must not wait for more of them."""
        if self._over or self._done:
            return
        if self._unframed and not self._old:
            self._client.transport.writelines([b"%x\r\n" % len(chunk), chunk, b"\r\n"])
        else:
            self._client.transport.write(chunk)

    def on_message_complete(self) -> None:
        """Note the end of the answer."""
        self._done = self._responding

    # How it does that.

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        path = self._client.gateway.control_socket
        while True:
            try:
                await loop.create_unix_connection(lambda: self, path)
            except OSError:
                if loop.time() - self._since > PATIENCE:
                    self._fail(_AWAY)
                    return
                await asyncio.sleep(_RETRY)
            else:
                return

    def _look(self) -> None:
        """Give up where control has been away for too long."""
        if self._heard:
            return
        away = self._client.gateway.away()
        if away >= PATIENCE:
            self._fail(_AWAY)
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(PATIENCE - away + 0.01, self._look)

    def _send(self, data: bytes) -> None:
        if self._transport is None:
            self._pending.append(data)
        else:
            self._transport.write(data)

    def _respond(self, status: int) -> None:
        start = forwarding.response(status, self._reason, self._headers)
        self._responding = True
        self._stream = start.events
        self._unframed = not (start.length or self._headless or status in {204, 304})
        # Such an answer ends with its connection.
        self._open_ended = self._unframed and not start.chunked
        lines = [start.head]
        if self._unframed and not self._old:
            lines.append(b"Transfer-Encoding: chunked\r\n")
        if (self._unframed and self._old) or not self._complete or self._client.gateway.draining:
            self.keep = False
        if not self.keep:
            lines.append(b"Connection: close\r\n")
        elif self._old:
            lines.append(b"Connection: keep-alive\r\n")
        self._client.transport.write(b"".join(lines) + b"\r\n")

    def _finish(self) -> None:
        if self._unframed and not self._old:
            self._client.transport.write(b"0\r\n\r\n")
        self._close()
        self._client.finished(self)

    def _fail(self, answer: answers.Answer) -> None:
        """Tell the caller, by cutting the connection where an answer has begun."""
        if self._over:
            return
        self._close()
        if self._responding:
            self._client.transport.abort()
            return
        if not self._complete:
            self.keep = False
        if self._headless:
            answer = answers.Answer(answer.status, answer.head, b"")
        self._client.answer(self, answer)

    def _cut(self) -> None:
        if not self._over:
            self._close()
            self._client.transport.close()

    def _close(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._client.go_on(HOLD)
