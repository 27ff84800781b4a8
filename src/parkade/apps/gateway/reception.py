"""What a request's head asks for: the exchange that will answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.gateway import answers
from parkade.apps.gateway.exchange import Refusal
from parkade.apps.gateway.invocation import Invocation
from parkade.apps.gateway.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.exchange import Exchange

HEAD_LIMIT = 65_536
HEADERS_LIMIT = 100
ADDRESS_LIMIT = 8192


def receive(
    client: Client,
    method: bytes,
    url: bytes,
    headers: list[tuple[bytes, bytes]],
    *,
    fed: int,
    keep: bool,
    old: bool,
) -> Exchange:
    """Return the exchange; `fed` bytes may be more than the head was, but are not less."""
    if len(headers) > HEADERS_LIMIT or (fed > HEAD_LIMIT and _size(headers) > HEAD_LIMIT):
        return Refusal(client, answers.HEAD_TOO_LARGE, keep=False)
    if len(url) > ADDRESS_LIMIT:
        return Refusal(client, answers.URI_TOO_LONG, keep=False)
    gateway = client.gateway
    door = gateway.doors.get(url) or gateway.doors.find(url, method)
    if isinstance(door, bytes):
        seconds = gateway.admission.delay(_credential(headers))
        if seconds:
            return Refusal(client, answers.passage_throttled(seconds), keep=keep)
        return Passage(client, method, door, headers, keep=keep, old=old)
    if method != b"POST":
        answer = answers.METHOD_NOT_ALLOWED
        if method == b"HEAD":
            answer = answers.Answer(answer.status, answer.head, b"")
        return Refusal(client, answer, keep=keep)
    return Invocation(client, door, url, headers, keep=keep)


def without_upgrade(method: bytes, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a request that asks for another protocol as the one for HTTP/1.1 that it is."""
    lines = [b"%b %b HTTP/1.1" % (method, url)]
    for name, value in headers:
        if name.lower() not in {b"connection", b"upgrade", b"http2-settings"}:
            lines.append(b"%b: %b" % (name, value))
        elif b"close" in value.lower():
            lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _credential(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return next((value for name, value in headers if name.lower() == b"authorization"), b"")


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
