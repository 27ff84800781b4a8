"""Endpoints that somebody calls and that are asleep: control is asked to wake them.

It is asked once, however many call; a snapshot that no longer says that a request wakes the endpoint
is its answer. Until then it is asked again from time to time, and at once when another control is
there: the one that was asked may have died before it wrote that down, or its disk was full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

#: Seconds until what was not answered is asked for again; asking twice does no harm.
AGAIN = 2.0


class Wishes:
    """What control was asked for and has not answered."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Callable[[dict[str, Any]], None]
    ) -> None:
        """Ask by `send`, whether or not control is there to hear it."""
        self._loop = loop
        self._send = send
        self._asked: dict[str, asyncio.TimerHandle] = {}

    def ask(self, endpoint: str) -> None:
        """Have the endpoint woken."""
        if endpoint not in self._asked:
            self._ask(endpoint)

    def answered(self, endpoint: str) -> None:
        """Know that it is awake, or on its way, or cannot be woken."""
        timer = self._asked.pop(endpoint, None)
        if timer is not None:
            timer.cancel()

    def joined(self) -> None:
        """Ask for everything again: control was away, and is there."""
        for endpoint, timer in tuple(self._asked.items()):
            timer.cancel()
            self._ask(endpoint)

    def _ask(self, endpoint: str) -> None:
        self._asked[endpoint] = self._loop.call_later(AGAIN, self._ask, endpoint)
        self._send({"kind": "wake", "endpoint": endpoint})
