"""Pipelines: the answer of each container is the request for the next one.

The request of the caller is kept as it came: where a container goes away before it answers, the
whole pipeline is begun again, elsewhere if there is a choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.gateway.headers import ACCEPT, ATTRIBUTES, CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What of an answer becomes part of the next request, instead of what the caller sent.
_TAKEN = {b"Content-Type: ": CONTENT_TYPE, b"X-Amzn-SageMaker-Custom-Attributes: ": ATTRIBUTES}


class Relay:
    """How far a request has come through the containers of its instance."""

    __slots__ = ("_chunks", "_last", "_size", "_taken", "at", "began")

    def __init__(self, containers: int) -> None:
        self._last = containers - 1
        self.restart()

    def restart(self) -> None:
        """Begin again with the first container."""
        self.at = 0
        #: When the first container was sent its request; 0: not yet known.
        self.began = 0.0
        self._taken: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def last(self) -> bool:
        """Tell whether it is at the last container, whose answer is the caller's."""
        return self.at == self._last

    def advance(self, lines: Sequence[bytes], chunks: list[bytes], size: int, sent: float) -> None:
        """Take a container's answer on to the next; this one was `sent` its request then."""
        self.began = self.began or sent
        self.at += 1
        for start, value in zip(lines[::3], lines[1::3], strict=True):
            if start in _TAKEN:
                self._taken[_TAKEN[start]] = value
        if not any(start == b"Content-Type: " for start in lines[::3]):
            self._taken[CONTENT_TYPE] = b""
        self._chunks, self._size = chunks, size

    def request(self, lines: Sequence[bytes], chunks: Sequence[bytes], size: int) -> list[bytes]:
        """Return the request for this container, made of the caller's."""
        if self.at:
            chunks, size = self._chunks, self._size
        start, *rest = lines
        sent = dict(zip(rest[::2], rest[1::2], strict=True)) | self._taken
        if not self.last:
            sent.pop(ACCEPT, None)
        opening = b"".join(line + value for line, value in sent.items() if value)
        return [start, opening, b"\r\nContent-Length: %d\r\n\r\n" % size, *chunks]
