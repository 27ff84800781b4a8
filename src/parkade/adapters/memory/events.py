"""The history in a list."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.event import Event
    from parkade.ports.events import EventQuery


class MemoryHistory:
    """The history port; the other stores in memory write their events into it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._listeners: list[Callable[[], None]] = []
        #: Whose lease an endpoint has; set by the lease book that writes into this history.
        self.owner_of: Callable[[str], str] = lambda _: ""
        self._lock = threading.Lock()

    def append(self, event: Event) -> Event:
        """Store the event with the next number; its data is copied, and has to be JSON."""
        data = json.loads(json.dumps(event.data))
        with self._lock:
            owner = event.owner or self.owner_of(event.endpoint_name)
            number = len(self._events) + 1
            stored = replace(event, owner=owner, data=data, number=number)
            self._events.append(stored)
        for listener in self._listeners:
            listener()
        return stored

    def read(self, query: EventQuery) -> Sequence[Event]:
        """Return the oldest matches."""
        return self._matches(query)[: query.limit]

    def latest(self, query: EventQuery) -> Sequence[Event]:
        """Return the newest matches."""
        matches = self._matches(query)
        return matches[max(0, len(matches) - query.limit) :]

    def watch(self, listener: Callable[[], None]) -> None:
        """Have it called after every event."""
        self._listeners.append(listener)

    def _matches(self, query: EventQuery) -> list[Event]:
        with self._lock:
            return [event for event in self._events[query.after :] if query.matches(event)]
