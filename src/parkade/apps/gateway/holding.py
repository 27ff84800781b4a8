"""Callers who are held until an endpoint has started: how many there may be, and their bytes.

A caller who is held costs a connection and the body of its request. Both have a bound for all
endpoints together. Room for a body is taken before it comes, or thousands of them would be here
before the first one is whole; a place is taken once the request is whole and known to be allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from parkade.apps import link
from parkade.apps.gateway import answers

if TYPE_CHECKING:
    import asyncio


class Held(Protocol):
    """A request that is held."""

    def overdue(self) -> None:
        """Know that it was held for as long as its caller wants."""
        ...

    def refuse(self, answer: answers.Answer) -> None:
        """Answer without the model."""
        ...


class Holding:
    """The callers who are held, and the bounds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        #: Bytes of bodies that are kept, or are on their way.
        self.bytes = 0
        self.holds: dict[Hold, None] = {}
        self._limits = link.Limits()
        self._ends = False

    def apply(self, limits: link.Limits) -> None:
        """Take up the snapshot's bounds; who is held stays so."""
        self._limits = limits

    def bounded(self, seconds: float) -> float:
        """Return for how long a caller is held who asks for so long."""
        return min(seconds, self._limits.hold_seconds)

    def lack_of_room(self, size: int) -> answers.Answer | None:
        """Return why a body of this size cannot be kept; None: it can."""
        if self.bytes + size > self._limits.hold_bytes:
            return answers.too_much_held(self._limits.hold_bytes)
        return None

    def lack_of_places(self) -> answers.Answer | None:
        """Return why nobody more can be held; None: somebody can."""
        if self._ends:
            return answers.ENDS
        if len(self.holds) >= self._limits.hold_max:
            return answers.too_many_held(self._limits.hold_max)
        return None

    def end(self) -> None:
        """Hold nobody any more: the gateway comes to its end."""
        self._ends = True
        for hold in tuple(self.holds):
            hold.request.refuse(answers.ENDS)


class Hold:
    """What is kept for one request that is held, or is to be: room for its body, and a place."""

    __slots__ = ("_holding", "_size", "_timer", "_until", "request", "span")

    def __init__(self, holding: Holding, request: Held, size: int) -> None:
        """Take room for the body, which is of this size at most."""
        self.request = request
        #: Seconds for which it is held at most; 0: it never was.
        self.span = 0.0
        self._holding = holding
        self._size = size
        self._timer: asyncio.TimerHandle | None = None
        #: When it will have been held for long enough.
        self._until = 0.0
        holding.bytes += size

    @property
    def active(self) -> bool:
        """Tell whether the request is held now."""
        return self._timer is not None

    def begin(self, seconds: float, size: int) -> bool:
        """Hold the request with its whole body; False: its time was over before.

        A request that is held again, for what it was sent to has gone, has what is left of its time.
        """
        loop = self._holding.loop
        if not self.span:
            self.span = seconds
            self._until = loop.time() + seconds
        if self._until <= loop.time():
            return False
        self._resize(size)
        self._holding.holds[self] = None
        self._timer = loop.call_at(self._until, self._ring)
        return True

    def end(self) -> None:
        """Give back place and room."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._holding.holds.pop(self, None)
        self._resize(0)

    def _ring(self) -> None:
        self._timer = None
        self.request.overdue()

    def _resize(self, size: int) -> None:
        self._holding.bytes += size - self._size
        self._size = size
