"""Answers in parts: what a script is asked for that returns a generator.

Generators, asynchronous ones and every other iterator are streams; a text, bytes, a list, a dict
or an array is none. Nothing of the answer is fixed before the first part is there, so that a
script can fail with a status, and set headers, until its first `yield`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .context import checked
from .defaults import plain
from .messages import Answer, failure

if TYPE_CHECKING:
    from .context import Context

#: What values that are neither bytes nor texts are sent as: each a line.
JSON_LINES = "application/jsonlines"
#: Stands for the part after the last one.
END = object()
#: What ends a part of a script; `sys.exit` in a request is to end that request alone.
FAILURES = (Exception, SystemExit)
_ITERATORS = (Iterator, AsyncIterator)
_WRITTEN = (bytes, str, bytearray, memoryview)


class Stream(NamedTuple):
    """An answer whose parts are still to be asked for."""

    parts: Iterator[Any] | AsyncIterator[Any]
    context: Context
    #: What the caller accepts; the type of parts that are bytes or texts.
    accept: str
    #: What the script returned beside the parts; empty where it returned none.
    content_type: str = ""

    def opening(self, first: Any) -> Answer:
        """Return the answer's status and headers, told when its first part is there."""
        of_parts = self.accept if isinstance(first, _WRITTEN) else JSON_LINES
        content_type = self.content_type or self.context.response_content_type or of_parts
        headers = self.context.response_headers
        return Answer(self.context.status, b"", checked(content_type), headers)


def is_stream(value: Any) -> bool:
    """Tell whether parts come out of the value one by one."""
    return isinstance(value, _ITERATORS)


def encoded(part: Any) -> bytes:
    """Return a part as it is sent: bytes and texts as they are, other values as a line of JSON."""
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, bytearray | memoryview):
        # The script may fill the same memory again before this has left.
        return bytes(part)
    return json.dumps(part, default=plain).encode() + b"\n"


def chunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the data as a chunk of a chunked body; it must not be empty."""
    return b"%x\r\n" % len(data), data, b"\r\n"


def gathered(answer: Answer | Stream) -> Answer:
    """Return the answer whole, for who is not waiting on a socket."""
    if isinstance(answer, Answer):
        return answer
    parts = answer.parts
    try:
        taken = asyncio.run(_taken(parts)) if isinstance(parts, AsyncIterator) else list(parts)
        opening = answer.opening(taken[0] if taken else b"")
        return opening._replace(body=b"".join(map(encoded, taken)))
    except FAILURES as error:
        return failure(error)


async def _taken(parts: AsyncIterator[Any]) -> list[Any]:
    return [part async for part in parts]
