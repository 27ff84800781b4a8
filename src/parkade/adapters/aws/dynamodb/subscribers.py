"""Subscribers: an item each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import NEW, THERE, Kind
from parkade.domain.errors import AlreadyExists, SubscriberNotFound
from parkade.domain.subscriber import Subscriber

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DynamoSubscriberStore:
    """The subscriber store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "subscriber", Subscriber, "subscriber")

    def add(self, subscriber: Subscriber, event: Event) -> None:
        """Store a new subscriber."""
        name = subscriber.name
        written = self._kind.put(
            name,
            subscriber,
            where=NEW,
            lost=lambda _: AlreadyExists(f"there is already a subscriber {name!r}"),
        )
        self._kind.store([written], event)

    def replace(self, subscriber: Subscriber, event: Event) -> None:
        """Store the subscriber over the one of its name."""
        name = subscriber.name
        written = self._kind.put(name, subscriber, where=THERE, lost=lambda _: _unknown(name))
        self._kind.store([written], event)

    def remove(self, name: str, event: Event) -> None:
        """Remove the subscriber."""
        self._kind.store(
            [self._kind.delete(name, where=THERE, lost=lambda _: _unknown(name))], event
        )

    def all(self) -> Listing[Subscriber]:
        """Return every subscriber in the order of names, those apart that cannot be read."""
        return self._kind.listing()


def _unknown(name: str) -> ParkadeError:
    return SubscriberNotFound(f"no subscriber has the name {name!r}")
