"""Watches in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.ladder import Watch
    from parkade.ports.events import History


class MemoryWatchStore:
    """The watch store port. `damage` makes a row unreadable, as a broken disk would."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._watches: dict[str, Watch] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, endpoint_name: str, why: str) -> None:
        """Make the watch of this name unreadable for ever."""
        with self._lock:
            self._watches.pop(endpoint_name, None)
            self._damaged[endpoint_name] = why

    def all(self) -> Listing[Watch]:
        """Return every watch in the order of endpoint names."""
        with self._lock:
            watches = tuple(self._watches[name] for name in sorted(self._watches))
            return Listing(watches, dict(sorted(self._damaged.items())))

    def get(self, endpoint_name: str) -> Watch | None:
        """Return the watch, if there is one."""
        with self._lock:
            return self._held(endpoint_name)

    def put(self, watch: Watch, event: Event | None, *, before: Watch | None) -> None:
        """Store the watch unless another write came first."""
        with self._lock:
            self._require(watch.endpoint_name, before)
            self._tell(event)
            self._watches[watch.endpoint_name] = watch

    def remove(self, before: Watch, event: Event | None) -> None:
        """Remove the watch unless another write came first."""
        with self._lock:
            self._require(before.endpoint_name, before)
            self._tell(event)
            del self._watches[before.endpoint_name]

    def _held(self, endpoint_name: str) -> Watch | None:
        if endpoint_name in self._damaged:
            why = self._damaged[endpoint_name]
            raise Unreadable(f"the watch of {endpoint_name!r} cannot be read: {why}")
        return self._watches.get(endpoint_name)

    def _require(self, endpoint_name: str, before: Watch | None) -> None:
        if self._held(endpoint_name) != before:
            raise VersionConflict(f"the watch of {endpoint_name!r} was changed by somebody else")

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self._history.append(event)
