"""A line to whoever started the process: a JSON value in each line, in both directions."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from typing import Any


class Line:
    """This end of it."""

    def __init__(self, descriptor: int) -> None:
        # Nothing that the model starts is to hold it open.
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._heard = self._socket.makefile("rb")

    def hear(self) -> Any:
        """Wait for the next value and return it; None where the other end is closed."""
        try:
            line = self._heard.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def say(self, value: Any) -> None:
        """Send a value; nobody hears it where the other end is closed."""
        with suppress(ConnectionError):
            self._socket.sendall(json.dumps(value).encode() + b"\n")

    async def tell(self, value: Any) -> None:
        """Send a value without holding up the loop, whoever reads it or does not."""
        self._socket.setblocking(False)
        with suppress(ConnectionError):
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(self._socket, json.dumps(value).encode() + b"\n")

    def close(self) -> None:
        """Let go of it."""
        self._heard.close()
        self._socket.close()
