"""Asking workers whether they are well: a GET of their health path, `/ping` in SageMaker."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.runtime import addresses

if TYPE_CHECKING:
    from datetime import timedelta

PATH = "/ping"
_REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_STATUS_LINE = 12

#: A worker is asked often at first: most are ready within a second.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_GROWTH = 1.2


async def ping(address: str, path: str = PATH) -> bool:
    """Tell whether the worker answers 200. Raises OSError where it does not answer at all."""
    loop = asyncio.get_running_loop()
    with addresses.opened(address) as connection:
        await addresses.connect(connection, address)
        await loop.sock_sendall(connection, _REQUEST.format(path).encode())
        answer = b""
        while len(answer) < _STATUS_LINE:
            piece = await loop.sock_recv(connection, 1024)
            if not piece:
                break
            answer += piece
    status = _STATUS.match(answer)
    return status is not None and status[1] == b"200"


async def answers(address: str, path: str = PATH, *, limit: float) -> bool:
    """Tell whether the worker answers 200 within `limit` seconds."""
    try:
        async with asyncio.timeout(limit):
            return await ping(address, path)
    except OSError:  # refused, reset, or timed out
        return False


async def until_well(
    address: str, path: str = PATH, *, limit: timedelta, listens: asyncio.Event | None = None
) -> None:
    """Return once the worker answers 200; each request may take `limit`.

    `listens` is set when it says so: then it is asked at once, instead of after the next pause.
    """
    pause = _FIRST_PAUSE
    while not await answers(address, path, limit=limit.total_seconds()):
        await _pause(pause, listens)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


async def _pause(seconds: float, listens: asyncio.Event | None) -> None:
    if listens is None or listens.is_set():
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await listens.wait()


async def until_silent(
    address: str, path: str = PATH, *, every: timedelta, limit: timedelta, last: timedelta
) -> None:
    """Return once the worker has given no answer of 200 for `limit`.

    Each request may take what is left of it: a worker that computes answers late. Then it is asked
    once more, for an answer within `last`: this process may have been stopped meanwhile, or the
    whole machine, and have heard nothing of a worker that is well.
    """
    loop = asyncio.get_running_loop()
    well_at = loop.time()
    while True:
        left = well_at + limit.total_seconds() - loop.time()
        if await answers(address, path, limit=left if left > 0 else last.total_seconds()):
            well_at = loop.time()
        elif left <= 0:
            return
        await asyncio.sleep(every.total_seconds())
