"""Subscribers that were added at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.subscriber import Subscriber
    from parkade.ports.catalog import Listing


class SubscriberStore(Protocol):
    """Stores subscribers by name; every write appends its event in the same transaction."""

    def add(self, subscriber: Subscriber, event: Event) -> None:
        """Store a new subscriber. Raises AlreadyExists."""
        ...

    def replace(self, subscriber: Subscriber, event: Event) -> None:
        """Store the subscriber over the one of its name. Raises SubscriberNotFound."""
        ...

    def remove(self, name: str, event: Event) -> None:
        """Remove the subscriber, readable or not. Raises SubscriberNotFound."""
        ...

    def all(self) -> Listing[Subscriber]:
        """Return every subscriber in the order of names; a damaged one never hides others."""
        ...
