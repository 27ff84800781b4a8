"""Asking workers whether they are well: `GET /ping` over their unix sockets."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

_REQUEST = b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_STATUS_LINE = 12

#: A worker is asked often at first: most are ready within a second.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_GROWTH = 1.2


async def ping(path: Path) -> bool:
    """Tell whether the worker answers 200. Raises OSError where it does not answer at all."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, str(path))
        await loop.sock_sendall(connection, _REQUEST)
        answer = b""
        while len(answer) < _STATUS_LINE:
            piece = await loop.sock_recv(connection, 1024)
            if not piece:
                break
            answer += piece
    status = _STATUS.match(answer)
    return status is not None and status[1] == b"200"


async def answers(path: Path, *, limit: float) -> bool:
    """Tell whether the worker answers 200 within `limit` seconds."""
    try:
        async with asyncio.timeout(limit):
            return await ping(path)
    except OSError:  # refused, reset, or timed out
        return False


def listens(path: Path) -> bool:
    """Tell whether somebody accepts connections on the socket, however busy."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        return connection.connect_ex(str(path)) in {0, errno.EAGAIN}


async def until_well(path: Path, *, limit: timedelta) -> None:
    """Return once the worker answers 200; each request may take `limit`."""
    pause = _FIRST_PAUSE
    while not await answers(path, limit=limit.total_seconds()):
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


async def until_silent(path: Path, *, every: timedelta, limit: timedelta) -> None:
    """Return once the worker has given no answer of 200 for `limit`.

    Each request may take what is left of it: a worker that computes answers late.
    """
    loop = asyncio.get_running_loop()
    well_at = loop.time()
    while (left := well_at + limit.total_seconds() - loop.time()) > 0:
        if await answers(path, limit=left):
            well_at = loop.time()
        await asyncio.sleep(every.total_seconds())
