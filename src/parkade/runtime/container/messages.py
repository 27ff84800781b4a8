"""What passes between the socket and the script: requests, answers, and errors as answers."""

from __future__ import annotations

import json
import sys
import traceback
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"


class Request(NamedTuple):
    """One invocation. Header names are in lower case."""

    body: bytes
    headers: Mapping[bytes, bytes]


class Answer(NamedTuple):
    """One answer, ready to be sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """The request is at fault. Scripts may raise any exception with a `status_code` like this."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def refusal(status: int, message: str) -> Answer:
    """Return the answer that says in JSON what is wrong."""
    return Answer(status, json.dumps({"error": message}).encode())


def failure(error: BaseException) -> Answer:
    """Return the answer to an exception: its own `status_code`, or 500 and a traceback in the log."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status <= 599:
        message = str(error) or type(error).__name__
    else:
        status = 500
        message = f"{type(error).__name__}: {error}"
    if status >= 500:
        traceback.print_exception(error, file=sys.stderr)
    return refusal(status, message)


def wire(answer: Answer, *, keep_alive: bool) -> bytes:
    """Return the answer's bytes, in one piece so that they leave in one write."""
    head = _headers(answer, keep_alive=keep_alive)
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(answer.body), answer.body)


def opened(answer: Answer, *, keep_alive: bool) -> bytes:
    """Return the head of an answer whose body follows in chunks."""
    return _headers(answer, keep_alive=keep_alive) + b"Transfer-Encoding: chunked\r\n\r\n"


def _headers(answer: Answer, *, keep_alive: bool) -> bytes:
    head = _head(answer.status, answer.content_type, keep_alive)
    if answer.headers:
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers).encode("latin-1")
    return head


@lru_cache(maxsize=256)
def _head(status: int, content_type: str, keep_alive: bool) -> bytes:  # noqa: FBT001 - a cache key
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    if not keep_alive:
        lines.append("Connection: close")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
