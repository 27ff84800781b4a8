"""The caller's side: HTTP/1.1 from a client, one request after the other.

Requests become exchanges: an invocation, a passage to the control process, or a refusal. One is
current at a time; pipelined ones queue behind it, and reading stops meanwhile, so that answers
keep their order and memory stays bounded by what one read may bring.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

from parkade.apps.gateway import answers
from parkade.apps.gateway.exchange import Refusal
from parkade.apps.gateway.invocation import Invocation
from parkade.apps.gateway.passage import Passage
from parkade.apps.gateway.reception import HEAD_LIMIT, receive, without_upgrade

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.apps.gateway.deadlines import Deadlines
    from parkade.apps.gateway.exchange import Exchange
    from parkade.apps.gateway.process import Gateway

LAST_MOMENT = 1.0

#: Why reading is paused: requests wait behind the current one. Passages have another reason.
QUEUE = 1

_CLOSES = b"Connection: close\r\n\r\n"
_STAYS = b"Connection: keep-alive\r\n\r\n"


class Client(asyncio.Protocol):
    """One connection from a caller."""

    __slots__ = (
        "_advancing",
        "_begun",
        "_deaf",
        "_fed",
        "_headers",
        "_holds",
        "_inside",
        "_old",
        "_parser",
        "_queue",
        "_reading",
        "_stuck",
        "_timer",
        "_upgrade",
        "_url",
        "current",
        "gateway",
        "transport",
    )

    def __init__(self, gateway: Gateway, *, inside: bool) -> None:
        self.gateway = gateway
        self.transport: asyncio.Transport
        #: The exchange whose answer is next.
        self.current: Exchange | None = None
        self._inside = inside
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Exchange] = deque()
        #: The exchange whose body is being read.
        self._reading: Exchange | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        #: Whether a request's head has begun, and how much of it has been read.
        self._begun = False
        self._fed = 0
        self._old = False
        self._holds = 0
        self._timer: Deadlines[Client] | None = None
        #: Length of the write buffer when it was last seen full; None: it is not.
        self._stuck: int | None = None
        self._advancing = False
        #: Whether what comes from the caller is no longer read as requests.
        self._deaf = False
        #: A request that asks for another protocol, which it does not get.
        self._upgrade: tuple[bytes, bytes, list[tuple[bytes, bytes]]] | None = None

    # What the event loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        self.transport = cast("asyncio.Transport", transport)
        gateway = self.gateway
        gateway.clients.add(self)
        self._wait(gateway.head_limit)
        if gateway.draining:
            # It was accepted a moment before: its request may be on the way.
            asyncio.get_running_loop().call_later(LAST_MOMENT, self.drain)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what was under way: a caller who hangs up wants nothing more."""
        del exc
        self._deaf = True
        self._wait(None)
        self.gateway.stalls.drop(self)
        self.gateway.left(self)
        exchanges = [self.current, *self._queue]
        self.current = None
        self._queue.clear()
        for exchange in exchanges:
            if exchange is not None:
                exchange.cancel()

    def data_received(self, data: bytes) -> None:
        """Take the next piece of a request."""
        if self._deaf:
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours
        except httptools.HttpParserError:
            if not self._deaf:
                self._refuse_rest(answers.BAD_REQUEST)
        self._limit()

    def pause_writing(self) -> None:
        """Let an answer wait whose reader is slow, though not for ever."""
        self._stuck = self.transport.get_write_buffer_size()
        self.gateway.stalls.start(self)
        if self.current is not None:
            self.current.hold()

    def resume_writing(self) -> None:
        """Go on: the reader has caught up."""
        self._stuck = None
        self.gateway.stalls.drop(self)
        if self.current is not None:
            self.current.go_on()
        self._advance()

    def stalled(self) -> None:
        """Hang up on a reader that has read nothing since the last look."""
        left = self.transport.get_write_buffer_size()
        if self._stuck is not None and left < self._stuck:
            self._stuck = left
            self.gateway.stalls.start(self)
        else:
            self.transport.abort()

    def late(self) -> None:
        """Hang up: a request did not come, or not to its end, in its time."""
        self._timer = None
        self.transport.abort()

    # What the parser tells it.

    def on_url(self, url: bytes) -> None:
        """Keep a piece of the address."""
        self._begun = True
        self._url = self._url + url if self._url else url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Find out what is asked for."""
        url, headers = self._url, self._headers
        self._url, self._headers = b"", []
        self._begun = False
        fed, self._fed = self._fed, 0
        parser = self._parser
        if self._deaf:
            return
        if parser.should_upgrade():
            self._upgrade = (parser.get_method(), url, headers)
            return
        self._old = parser.get_http_version() == "1.0"
        self._take(
            receive(
                self,
                parser.get_method(),
                url,
                headers,
                fed=fed,
                keep=parser.should_keep_alive(),
                old=self._old,
            )
        )

    def on_body(self, chunk: bytes) -> None:
        """Hand on a piece of the body."""
        if self._reading is not None:
            self._reading.feed(chunk)

    def on_message_complete(self) -> None:
        """Hand on the end of the body."""
        exchange, self._reading = self._reading, None
        if self._headers:
            self._headers = []  # trailers
        if exchange is not None:
            exchange.end()

    # What its exchanges ask for.

    def admit(self, credential: bytes, endpoint: str) -> answers.Answer | None:
        """Return why this caller may not invoke the endpoint; None: it may."""
        if self._inside:
            return self.gateway.admission.refusal_inside(credential)
        return self.gateway.admission.refusal(credential, endpoint)

    def proceed(self) -> None:
        """Tell the caller to send the body it announced."""
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def answer(self, exchange: Exchange, answer: answers.Answer) -> None:
        """Send an answer of the gateway's own; the exchange is over."""
        self.respond(exchange, [answer.head], (answer.body,))

    def respond(self, exchange: Exchange, head: Sequence[bytes], body: Iterable[bytes]) -> None:
        """Send status line and headers, completed, and the body; the exchange is over."""
        self.transport.writelines([self._head(exchange, head), *body])
        self.finished(exchange)

    def start(self, exchange: Exchange, lines: Sequence[bytes]) -> bool:
        """Send the head of an answer that comes in parts; tell whether as chunks."""
        chunked = not self._old
        if chunked:
            lines = (b"Transfer-Encoding: chunked\r\n", *lines)
        else:
            exchange.keep = False  # its end is that of the connection
        self.transport.write(self._head(exchange, (b"HTTP/1.1 200 OK\r\n", *lines)))
        return chunked

    @property
    def stuck(self) -> bool:
        """Tell whether the caller has not read what was sent to it."""
        return self._stuck is not None

    def cut(self) -> None:
        """End the connection within an answer, once what there is of it is sent."""
        self._deaf = True
        self.transport.close()

    def finished(self, exchange: Exchange) -> None:
        """Turn to the next request, or end the connection."""
        self.current = None
        if not exchange.keep or (self.gateway.draining and not self._queue):
            self._end(whole=self._reading is not exchange)
        elif self._queue:
            self._advance()
        elif self._reading is None and not self._begun:
            self._wait(self.gateway.idle_limit)

    def hold(self, reason: int) -> None:
        """Stop reading."""
        if not self._holds:
            self.transport.pause_reading()
            self._wait(None)
        self._holds |= reason

    def go_on(self, reason: int) -> None:
        """Read again, unless another reason holds."""
        if not self._holds & reason:
            return
        self._holds &= ~reason
        if not self._holds:
            self.transport.resume_reading()
            self._limit()

    def drain(self) -> None:
        """Close the connection as soon as nothing is under way."""
        if self.current is None and (self._deaf or not self._begun):
            self.transport.close()
        elif isinstance(self.current, Passage):
            self.current.drain()

    def abandon(self) -> None:
        """End the connection, whatever is under way."""
        if isinstance(self.current, Invocation):
            self.current.abandon()
        self.transport.close()

    # How it does that.

    def _head(self, exchange: Exchange, lines: Iterable[bytes]) -> bytes:
        gateway = self.gateway
        if gateway.draining and not self._queue:
            exchange.keep = False
        if not exchange.keep:
            ending = _CLOSES
        elif self._old:
            ending = _STAYS
        else:
            ending = b"\r\n"
        return b"".join((*lines, gateway.stamp(exchange.number), ending))

    def _take(self, exchange: Exchange) -> None:
        self._reading = exchange
        if self.current is None and not self._queue and self._stuck is None:
            if self._timer is not None:
                self._wait(None)
            self.current = exchange
            exchange.begin()
        else:
            self._queue.append(exchange)
            self.hold(QUEUE)

    def _advance(self) -> None:
        """Begin queued exchanges, as far as their predecessors are read by the caller."""
        if self._advancing:
            return
        self._advancing = True
        while self.current is None and self._queue and self._stuck is None:
            self.current = self._queue.popleft()
            if not self._queue:
                self.go_on(QUEUE)
            self.current.begin()
        self._advancing = False

    def _without_upgrade(self, rest: bytes) -> None:
        """Read the request again as one for HTTP/1.1; some clients offer HTTP/2 with each."""
        if self._upgrade is None:
            return  # nothing is read any more
        method, url, headers = self._upgrade
        self._upgrade = None
        self._parser = httptools.HttpRequestParser(self)
        if method == b"CONNECT":
            self._refuse_rest(answers.METHOD_NOT_ALLOWED)
            return
        self.data_received(without_upgrade(method, url, headers) + rest)

    def _refuse_rest(self, answer: answers.Answer) -> None:
        """Read no more from this caller; answer so when the requests before are answered."""
        self._deaf = True
        broken, self._reading = self._reading, None
        if isinstance(broken, Passage):
            # Its answer may have begun already.
            self.transport.abort()
            return
        if broken is not None:
            broken.cancel()
            if broken is self.current:
                self.current = None
            elif broken in self._queue:
                self._queue.remove(broken)
        self._take(Refusal(self, answer, keep=False))

    def _limit(self) -> None:
        """Put the connection under the limit for what it waits for from the caller."""
        if self._deaf or self._holds:
            return
        if self._reading is not None:
            self._wait(self.gateway.body_limit)
        elif self._begun:
            if self._fed > HEAD_LIMIT:
                self._refuse_rest(answers.HEAD_TOO_LARGE)
            elif self._timer is not self.gateway.head_limit:
                self._wait(self.gateway.head_limit)

    def _wait(self, limit: Deadlines[Client] | None) -> None:
        if self._timer is not None:
            self._timer.drop(self)
        self._timer = limit
        if limit is not None:
            limit.start(self)

    def _end(self, *, whole: bool) -> None:
        """Close the connection once the answer is sent.

        Where the caller is still sending, what comes is read and dropped for a while: closing
        at once would reset the connection, and the answer could be lost with it.
        """
        self._deaf = True
        while self._queue:
            self._queue.pop().cancel()
        if self._stuck is None or not whole:
            self._wait(self.gateway.linger_limit)
        if whole:
            self.transport.close()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
