"""A stream on its way to a client: one part for each turn of the server.

Parts are asked for no faster than the client takes them, and no longer than it is there; then
the generator is closed, so that its `finally` runs. What fails before the first part is an
ordinary answer. What fails later can only be told by ending the connection within the body.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from .messages import Answer, failure, opened
from .streams import END, FAILURES, Stream, chunk, encoded

if TYPE_CHECKING:
    from .connection import Connection

#: Closings of asynchronous generators under way; a task that nobody holds may vanish.
_closings: set[asyncio.Task[None]] = set()


class Outflow:
    """Sends one stream; `run` is called at each of its turns."""

    __slots__ = (
        "_keep_alive",
        "_opening",
        "_over",
        "_stream",
        "_task",
        "_whole",
        "connection",
    )

    def __init__(
        self, connection: Connection, stream: Stream, *, keep_alive: bool, whole: bool
    ) -> None:
        self.connection = connection
        self._stream = stream
        self._keep_alive = keep_alive
        #: For a client that knows no chunks: the parts so far.
        self._whole: list[bytes] | None = [] if whole else None
        self._opening: Answer | None = None
        self._task: asyncio.Task[Any] | None = None
        self._over = False

    def run(self) -> None:
        """Ask for the next part and send it."""
        parts = self._stream.parts
        if isinstance(parts, AsyncIterator):
            self._task = asyncio.ensure_future(_following(parts))
            self._task.add_done_callback(self._arrived)
            return
        try:
            part = next(parts, END)
        except FAILURES as error:
            self._failed(error)
        else:
            self._take(part)

    def abandon(self) -> None:
        """Ask for no further part: the client is gone."""
        self._over = True
        self._close()

    def _arrived(self, task: asyncio.Task[Any]) -> None:
        self._task = None
        if self._over or task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._take(task.result())
        else:
            self._failed(error)

    def _take(self, part: Any) -> None:
        if part is END:
            self._end()
            return
        try:
            data = encoded(part)
            if self._opening is None:
                self._open(part, data)
            elif self._whole is not None:
                self._whole.append(data)
            elif data:
                self.connection.write(chunk(data))
        except FAILURES as error:
            self._failed(error)
        else:
            self.connection.go_on(self)

    def _open(self, part: Any, data: bytes) -> None:
        opening = self._stream.opening(part)
        if self._whole is not None:
            self._whole.append(data)
        else:
            head = opened(opening, keep_alive=self._keep_alive)
            self.connection.write((head, *(chunk(data) if data else ())))
        self._opening = opening

    def _end(self) -> None:
        self._over = True
        opening = self._opening or self._stream.opening(b"")
        if self._whole is not None or self._opening is None:
            body = b"".join(self._whole or ())
            self.connection.answer(opening._replace(body=body), keep_alive=self._keep_alive)
        else:
            self.connection.write((b"0\r\n\r\n",))
            self.connection.settle(keep_alive=self._keep_alive)
        self._close()

    def _failed(self, error: BaseException) -> None:
        self._over = True
        if self._opening is None or self._whole is not None:
            self.connection.answer(failure(error), keep_alive=self._keep_alive)
        else:
            traceback.print_exception(error, file=sys.stderr)
            self.connection.cut()
        self._close()

    def _close(self) -> None:
        parts = self._stream.parts
        if isinstance(parts, AsyncIterator):
            closing = asyncio.ensure_future(_closed(parts, self._task))
            _closings.add(closing)
            closing.add_done_callback(_closings.discard)
            return
        try:
            getattr(parts, "close", _nothing)()
        except FAILURES as error:
            traceback.print_exception(error, file=sys.stderr)


async def _following(parts: AsyncIterator[Any]) -> Any:
    try:
        return await anext(parts, END)
    except SystemExit as error:
        # Leaving a task, it would end the loop.
        raise RuntimeError("the script called exit") from error


async def _closed(parts: AsyncIterator[Any], task: asyncio.Task[Any] | None) -> None:
    """End what the generator waits for, then the generator itself."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
    try:
        await getattr(parts, "aclose", _nothing_later)()
    except FAILURES as error:
        traceback.print_exception(error, file=sys.stderr)


def _nothing() -> None:
    """Close an iterator that needs no closing."""


async def _nothing_later() -> None:
    """Close an asynchronous iterator that needs no closing."""
