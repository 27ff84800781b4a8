"""What happened in the gateway and belongs into the history: kept until control has it.

What may happen a thousand times a second is told at once when it happens first, and then at most
once a minute with how often it did.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from parkade.apps import link

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

#: Seconds between two events of one kind and endpoint that are counted.
EVERY = 60.0
#: Events that are kept while control is away; the oldest go first.
KEPT = 1_000


class News:
    """The events of a gateway, on its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._kept: deque[link.Happening] = deque(maxlen=KEPT)
        #: What has been counted since it was last told, by kind and endpoint.
        self._counts: dict[tuple[str, str], int] = {}

    def tell(self, happening: link.Happening) -> None:
        """Keep an event for control."""
        self._kept.append(happening)

    def tell_from_thread(self, happening: link.Happening) -> None:
        """Keep an event of another thread."""
        self._loop.call_soon_threadsafe(self.tell, happening)

    def count(self, kind: str, endpoint: str, reason: str) -> None:
        """Count one more of these; it becomes an event with their number within a minute."""
        key = (kind, endpoint)
        if key in self._counts:
            self._counts[key] += 1
            return
        self._counts[key] = 1
        self._tell_count(kind, endpoint, reason)

    def take(self) -> Sequence[link.Happening]:
        """Return what control has not been told, and forget it."""
        taken = tuple(self._kept)
        self._kept.clear()
        return taken

    def give_back(self, taken: Sequence[link.Happening]) -> None:
        """Keep again what was taken and did not arrive."""
        self._kept.extendleft(reversed(taken))

    def _tell_count(self, kind: str, endpoint: str, reason: str) -> None:
        count = self._counts.pop((kind, endpoint))
        if not count:
            return
        self._counts[(kind, endpoint)] = 0
        self.tell(
            link.Happening(kind=kind, endpoint=endpoint, reason=reason, data={"count": count})
        )
        self._loop.call_later(EVERY, self._tell_count, kind, endpoint, reason)
