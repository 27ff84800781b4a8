"""What waits for an endpoint: in the queues of its variants, or for any of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from parkade.apps import link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.apps.gateway.counters import Counter, Ledger
    from parkade.apps.gateway.invocation import Invocation


class Queueing:
    """The queues of one endpoint; each is first come first served."""

    __slots__ = ("_endpoint", "_ledger", "count", "unplaced")

    def __init__(self, endpoint: str, ledger: Ledger) -> None:
        #: What no variant has yet.
        self.unplaced: OrderedDict[Invocation, None] = OrderedDict()
        #: How many wait in all queues together.
        self.count = 0
        self._endpoint = endpoint
        self._ledger = ledger

    def add(self, invocation: Invocation) -> None:
        """Let the invocation wait: for its variant while that is open, or for any."""
        variant = invocation.variant
        queue = self.unplaced
        if variant is not None and variant.open:
            queue = variant.cold if invocation.is_cold else variant.waiting
        if queue is self.unplaced:
            self._lobby.in_flight += 1
        queue[invocation] = None
        invocation.queue = queue
        self.count += 1

    def drop(self, invocation: Invocation) -> None:
        """Take out one that is over."""
        if invocation.queue is self.unplaced:
            # It was in nobody's counts and is not to be lost to them.
            self._lobby.invocations += 1
            self._lobby.in_flight -= 1
        self.take(invocation)

    def take(self, invocation: Invocation) -> None:
        """Take out one that a variant has."""
        assert invocation.queue is not None  # noqa: S101  it waits
        del invocation.queue[invocation]
        invocation.queue = None
        self.count -= 1

    def collect(self, queues: Iterable[OrderedDict[Invocation, None]]) -> list[Invocation]:
        """Take everything out of these queues, in the order in which it came."""
        waiting: list[Invocation] = []
        for queue in queues:
            if queue is self.unplaced and queue:
                self._lobby.in_flight -= len(queue)
            waiting += queue
            queue.clear()
        for invocation in waiting:
            invocation.queue = None
        self.count -= len(waiting)
        return sorted(waiting, key=lambda invocation: invocation.number)

    @property
    def _lobby(self) -> Counter:
        """What counts those that no variant has yet."""
        return self._ledger.of(self._endpoint, link.UNPLACED)
