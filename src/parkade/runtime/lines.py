"""A line to a worker of ours: a JSON value in each line, in both directions; this is our end.

What comes over it is for speed alone. Whether a worker is well it tells by its answers, and one whose
line is cut, because the host that held the other end is gone, goes on as it was.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

#: Bytes. A process with ten thousand modules has less to say.
_LONGEST = 4 * 2**20
_PIECE = 2**16


class Line:
    """Our end; the other one is inherited by the worker, and `given` away then."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        #: Its descriptor in the worker.
        self.number = self._theirs.fileno()
        self._heard = b""

    def given(self) -> None:
        """Let go of the other end, now that the worker has it."""
        self._theirs.close()

    def close(self) -> None:
        """Let go of both ends."""
        self._theirs.close()
        self._ours.close()

    async def say(self, value: Any) -> None:
        """Send a value. Raises ConnectionError where nobody is there to hear it."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._ours, json.dumps(value).encode() + b"\n")

    async def hear(self) -> Any:
        """Return the next value; None where nothing more comes, or nothing that is one."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._heard:
            try:
                piece = await loop.sock_recv(self._ours, _PIECE)
            except ConnectionError:
                return None
            if not piece or len(self._heard) > _LONGEST:
                return None
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        try:
            return json.loads(line)
        except ValueError:
            return None
