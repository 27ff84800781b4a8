"""Time limits for thousands of things at once, for the price of a dict entry each.

A timer of the event loop for every request and connection would cost more than the rest of
their bookkeeping. All things under one limit have the same patience, so the order in which they
were started is the order in which they run out: one timer, for the first of them, is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `expire(thing)` once `seconds` after `start(thing)`, unless it was dropped."""

    __slots__ = ("_due", "_expire", "_loop", "_timer", "seconds")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, expire: Callable[[T], None]
    ) -> None:
        self.seconds = seconds
        self._loop = loop
        self._expire = expire
        self._due: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, thing: T) -> None:
        """Give the thing its whole time; one that is under the limit must be dropped first."""
        due = self._loop.time() + self.seconds
        self._due[thing] = due
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._ring)

    def drop(self, thing: T) -> None:
        """Take the thing out, whether or not it is under the limit."""
        self._due.pop(thing, None)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = []
        following = None
        for thing, due in self._due.items():
            # The loop's timers are as coarse as its milliseconds.
            if due > now + 0.001:
                following = due
                break
            late.append(thing)
        for thing in late:
            del self._due[thing]
        if following is not None:
            self._timer = self._loop.call_at(following, self._ring)
        for thing in late:
            self._expire(thing)
