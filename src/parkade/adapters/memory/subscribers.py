"""Subscribers in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import AlreadyExists, SubscriberNotFound
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.subscriber import Subscriber
    from parkade.ports.events import History


class MemorySubscriberStore:
    """The subscriber store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._subscribers: dict[str, Subscriber] = {}
        self._lock = threading.Lock()

    def add(self, subscriber: Subscriber, event: Event) -> None:
        """Store a new subscriber."""
        with self._lock:
            if subscriber.name in self._subscribers:
                raise AlreadyExists(f"there is already a subscriber {subscriber.name!r}")
            self._subscribers[subscriber.name] = subscriber
        self._history.append(event)

    def replace(self, subscriber: Subscriber, event: Event) -> None:
        """Store the subscriber over the one of its name."""
        with self._lock:
            if subscriber.name not in self._subscribers:
                raise SubscriberNotFound(f"no subscriber has the name {subscriber.name!r}")
            self._subscribers[subscriber.name] = subscriber
        self._history.append(event)

    def remove(self, name: str, event: Event) -> None:
        """Remove the subscriber."""
        with self._lock:
            if name not in self._subscribers:
                raise SubscriberNotFound(f"no subscriber has the name {name!r}")
            del self._subscribers[name]
        self._history.append(event)

    def all(self) -> Listing[Subscriber]:
        """Return every subscriber in the order of names."""
        with self._lock:
            return Listing(tuple(self._subscribers[name] for name in sorted(self._subscribers)), {})
