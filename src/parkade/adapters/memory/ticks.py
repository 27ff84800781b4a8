"""Seconds that pass when all who look at them wait: whole minutes in an instant."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

#: How often others have their turn before time goes on: what one of them sets going comes first.
_TURNS = 20


class MemoryTicks:
    """The ticks port. Time goes on by itself, to the next instant that somebody waits for."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()
        self._mover: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return the seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass for somebody who works rather than waits."""
        self._now += seconds

    async def sleep_until(self, tick: float) -> None:
        """Return once time has come to `tick`."""
        if tick <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (tick, next(self._number), woken))
        if self._mover is None or self._mover.done():
            self._mover = asyncio.get_running_loop().create_task(self._move())
        await woken

    async def _move(self) -> None:
        while self._waiting:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            tick, _, woken = heapq.heappop(self._waiting)
            if not woken.done():
                self._now = max(self._now, tick)
                woken.set_result(None)
