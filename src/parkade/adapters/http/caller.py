"""The caller port over HTTP/1.1: TCP, TLS or a unix socket, one connection, one call at a time.

It is as thin as can be, for its own time is a part of what it measures: the request is one write,
and the answer is parsed as it comes. A connection that the other side closed between two calls is
opened anew within the time of the next one, as every client has to.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httptools

from parkade.domain.errors import InvalidInput
from parkade.domain.tester.shot import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Bytes of an answer that are kept: what a model may answer, and more than any case expects.
_LIMIT = 64 * 1024**2
_CONNECT_LIMIT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where callers connect to, and what they ask for."""

    host: str
    port: int
    #: The path, as it stands in a request.
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    #: With TLS; None: without.
    tls: ssl.SSLContext | None = None
    #: Instead of host and port.
    socket: Path | None = None

    @classmethod
    def of(cls, url: str, path: str, headers: Mapping[str, str]) -> Address:
        """Return the address of a path below a URL. Raises InvalidInput for what is no such URL."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise _unusable(url) from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _unusable(url)
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname,
            port=port or (443 if secure else 80),
            target=parts.path.rstrip("/") + path,
            headers=headers,
            tls=ssl.create_default_context() if secure else None,
        )

    def head(self) -> bytes:
        """Return the part of a request's head that is the same for all of them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {80, 443} if self.socket is None else {self.port}
        lines = [
            f"POST {self.target} HTTP/1.1",
            f"Host: {host}" if self.port in usual else f"Host: {host}:{self.port}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if any("\r" in line or "\n" in line for line in lines):
            raise InvalidInput("a header has a line break in it", field="headers")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n"


class _Unconnected(OSError):
    """There is nobody to connect to."""


class HttpCaller:
    """The caller port."""

    def __init__(self, address: Address, *, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._head = address.head()
        self._connection: _Connection | None = None

    async def open(self) -> None:
        """Connect ahead of the first call."""
        try:
            async with asyncio.timeout(min(self._timeout, _CONNECT_LIMIT)):
                await self._connected()
        except (OSError, TimeoutError):
            # The first call tries again, and tells.
            self._drop()

    async def call(self, body: bytes, content_type: str) -> Reply:
        """Ask, and return once the last byte of the answer is there."""
        request = b"%bContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            self._head,
            content_type.encode("latin-1", "replace"),
            len(body),
            body,
        )
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connected()
                return await connection.ask(request)
        except TimeoutError:
            self._drop()
            return Reply(status=0, trouble=f"no answer within {self._timeout:g} s")
        except _Unconnected as error:
            return Reply(status=0, trouble=f"no connection: {error}")
        except (OSError, httptools.HttpParserError) as error:
            self._drop()
            return Reply(status=0, trouble=f"the connection broke: {error}")
        except asyncio.CancelledError:
            self._drop()
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        self._drop()

    async def _connected(self) -> _Connection:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = await _connect(self._address)
            except OSError as error:
                raise _Unconnected(error.strerror or str(error)) from error
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


async def _connect(address: Address) -> _Connection:
    loop = asyncio.get_running_loop()
    if address.socket is not None:
        _, connection = await loop.create_unix_connection(_Connection, str(address.socket))
    else:
        _, connection = await loop.create_connection(
            _Connection, address.host, address.port, ssl=address.tls
        )
    return connection


class _Connection(asyncio.Protocol):
    """One connection, and the answer that is under way on it."""

    def __init__(self) -> None:
        self.closed = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._type = ""
        self._pieces: list[bytes] = []
        self._size = 0

    async def ask(self, request: bytes) -> Reply:
        """Send the request; return the answer. Raises ConnectionError, or what the parser raises."""
        if self._transport is None or self.closed:
            raise ConnectionResetError("it was closed before the request was sent")
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._type, self._pieces, self._size = "", [], 0
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    # What the loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know where to write to."""
        # Not every loop's transports are of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer."""
        if self._parser is None:
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Know that nothing more comes."""
        self.closed = True
        self._fail(exc or ConnectionResetError("the other side hung up"))

    # What the parser tells it.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if name.lower() == b"content-type":
            self._type = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(body)
        if self._size <= _LIMIT:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Give the answer to whoever asked."""
        parser, answer = self._parser, self._answer
        assert parser is not None  # noqa: S101  it has just called
        assert answer is not None  # noqa: S101  it was made with it
        status = parser.get_status_code()
        if status < 200:
            self._type, self._pieces, self._size = "", [], 0
            return  # the answer itself follows
        if not parser.should_keep_alive():
            self.closed = True
        self._parser = None
        if not answer.done():
            reply = Reply(status=status, content_type=self._type, body=b"".join(self._pieces))
            if self._size > _LIMIT:
                reply = Reply(status=0, trouble=f"the answer has more than {_LIMIT} bytes")
            answer.set_result(reply)
        if self.closed:
            self.close()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _unusable(url: str) -> InvalidInput:
    return InvalidInput(
        f"{url[:200]!r} is not a URL that can be called",
        field="url",
        hint="it is like http://127.0.0.1:8700; set PARKADE_URL",
    )
