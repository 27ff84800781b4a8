"""What of a message's head is passed on between a caller and the control process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

Headers: TypeAlias = "Sequence[tuple[bytes, bytes]]"

#: Headers that belong to one connection and not to the message.
_HOPS = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
    b"upgrade", b"http2-settings",
})  # fmt: skip
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStart:
    """The head of an answer without framing, and how control framed it."""

    head: bytes
    #: Whether control told the length.
    length: bool
    chunked: bool
    #: Whether it is a stream of server-sent events.
    events: bool


def request(method: bytes, target: bytes, headers: Headers) -> tuple[bytes, bool]:
    """Return a request's head for control, still open, and whether its body is in chunks."""
    own = _named(headers) | _FORWARDED
    lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
    lines += [b"%b: %b\r\n" % header for header in headers if header[0].lower() not in own]
    chunked = any(name.lower() == b"transfer-encoding" for name, _ in headers)
    if chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    return b"".join(lines), chunked


def origin(transport: asyncio.Transport, headers: Headers) -> bytes:
    """Return the rest of the head: where the request came from."""
    hops = [value for name, value in headers if name.lower() == b"x-forwarded-for"]
    peer = transport.get_extra_info("peername")
    if isinstance(peer, tuple):
        hops.append(str(peer[0]).encode())
    lines = [b"X-Forwarded-For: %b\r\n" % b", ".join(hops)] if hops else []
    secure = transport.get_extra_info("sslcontext") is not None
    lines.append(b"X-Forwarded-Proto: %b\r\n" % (b"https" if secure else b"http"))
    # Not `Connection: close`: control, when it refuses a body before it has read it, would close
    # upon the answer, and the answer be lost in the reset. It reads on, and the gateway closes.
    return b"".join(lines) + b"\r\n"


def response(status: int, reason: bytes, headers: Headers) -> ResponseStart:
    """Return the head of an answer for the caller, still open."""
    own = _named(headers)
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, reason)]
    lines += [b"%b: %b\r\n" % header for header in headers if header[0].lower() not in own]
    known = {name.lower(): value for name, value in headers}
    return ResponseStart(
        head=b"".join(lines),
        length=b"content-length" in known,
        chunked=b"transfer-encoding" in known,
        events=known.get(b"content-type", b"").startswith(b"text/event-stream"),
    )


def _named(headers: Headers) -> frozenset[bytes]:
    """Return the headers of this connection alone, with those that `Connection` names."""
    named = (
        token.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for token in value.split(b",")
    )
    return _HOPS.union(named)
