"""Wakes event streams: one counter that rises with every change, and those who wait for it."""

from __future__ import annotations

import asyncio


class Broadcast:
    """Tells any number of waiters, on one event loop, that something changed.

    A waiter passes the number it last saw, so that a change between its look and its wait is
    never missed.
    """

    def __init__(self) -> None:
        self._number = 0
        self._changed = asyncio.Event()

    @property
    def number(self) -> int:
        """How many changes there were."""
        return self._number

    def notify(self) -> None:
        """Wake everybody who waits."""
        self._number += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, after_number: int, timeout: float) -> int:  # noqa: ASYNC109  part of what it promises
        """Return the number once it is above `after_number`, or after `timeout` seconds."""
        if self._number <= after_number:
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
            except TimeoutError:
                return self._number
        return self._number
