"""Objects on their way between a connection and the disk, in large pieces.

The disk is used outside the event loop, for it can be slow, and no more of an object than a
piece is held in memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO

from parkade.domain.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from parkade.ports.objects import ObjectWriter

#: bytes. What is handed to the disk, or read from it, at once.
PIECE = 1024 * 1024
#: Answers that are somebody's object: no browser may take them for a page of this server.
GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


class Intake:
    """Takes an object's content up to a limit."""

    def __init__(self, writer: ObjectWriter, limit: int) -> None:
        self._writer = writer
        self._limit = limit
        self._size = 0

    def take(self, content: bytes) -> None:
        """Write the next piece. Raises TooLarge."""
        self._size += len(content)
        self.require(self._size)
        if content:
            self._writer.write(content)

    def require(self, size: int) -> None:
        """Raise TooLarge where `size` bytes are more than is taken."""
        if size > self._limit:
            raise TooLarge(
                f"the object is larger than {self._limit} bytes",
                hint="limits.object_bytes in server.yaml sets the limit",
            )


async def receive(body: AsyncIterator[bytes], take: Callable[[bytes], object]) -> None:
    """Hand a body on. A client that goes away raises ClientDisconnect."""
    pending = bytearray()
    async for piece in body:
        pending += piece
        if len(pending) >= PIECE:
            await asyncio.to_thread(take, bytes(pending))
            pending.clear()
    if pending:
        await asyncio.to_thread(take, bytes(pending))


async def send(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    """Give the bytes from `start` up to `end`, and close the file."""
    with file:
        left = end - start
        await asyncio.to_thread(file.seek, start)
        while left > 0 and (data := await asyncio.to_thread(file.read, min(PIECE, left))):
            left -= len(data)
            yield data
