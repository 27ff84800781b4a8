"""An answer on its way to its caller while the model still makes it.

It is sent in AWS's event-stream encoding or as it is, in chunks or, to a caller of HTTP/1.0, until
the connection ends. What goes wrong once it has begun can be told in the first encoding alone; in
the other the connection ends where the answer has not.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from parkade.apps.gateway import eventstream
from parkade.apps.gateway.upstream import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.apps.gateway.client import Client
    from parkade.apps.gateway.invocation import Invocation

_EVENTS_TYPE = b"Content-Type: %b\r\n" % eventstream.CONTENT_TYPE
_MODELS_TYPE = b"X-Amzn-SageMaker-Content-Type: "


class Stream:
    """One answer; it ends with `end`, or with `fail`."""

    __slots__ = (
        "_chunked",
        "_client",
        "_events",
        "_invocation",
        "_room",
        "cut",
        "kept",
        "lines",
        "status",
    )

    def __init__(
        self,
        client: Client,
        invocation: Invocation,
        status: int,
        lines: list[bytes],
        variant: bytes,
        *,
        keeps: int | None,
    ) -> None:
        """Send the head, made of the model's header lines and the one that tells the variant."""
        self.status = status
        self.lines = lines
        #: The first bytes of the answer, and whether there were more.
        self.kept: list[bytes] = []
        self.cut = False
        self._room = keeps
        self._client = client
        self._invocation = invocation
        self._events = invocation.events
        head = [variant, *lines]
        if self._events:
            told = (_MODELS_TYPE if line == CONTENT_TYPE else line for line in head)
            head = [_EVENTS_TYPE, *told]
        self._chunked = client.start(invocation, head)

    def send(self, pieces: list[bytes]) -> None:
        """Send what the model has made, each piece for itself."""
        if self._room is not None and not self.cut:
            self._room = self._keep(pieces, self._room)
        if self._events:
            self._write(chain.from_iterable(map(eventstream.parts, pieces)))
        else:
            self._write(pieces)

    def end(self) -> None:
        """Know that this was all."""
        if self._chunked:
            self._client.transport.write(b"0\r\n\r\n")
        self._client.finished(self._invocation)

    def fail(self, kind: str, message: str, code: str | None = None) -> None:
        """Tell the caller that the rest will not come."""
        if self._events:
            self._write([eventstream.failure(kind, message, code)])
            self.end()
        else:
            self._client.cut()

    def _keep(self, pieces: list[bytes], room: int) -> int:
        for piece in pieces:
            self.kept.append(piece[:room])
            if len(piece) > room:
                self.cut = True
                return 0
            room -= len(piece)
        return room

    def _write(self, pieces: Iterable[bytes]) -> None:
        if self._chunked:
            pieces = chain.from_iterable((b"%x\r\n" % len(each), each, b"\r\n") for each in pieces)
        self._client.transport.writelines(pieces)
