"""Watches: an item an endpoint, compared whole before it is written over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import Kind, unchanged
from parkade.domain.errors import VersionConflict
from parkade.domain.ladder import Watch

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DynamoWatchStore:
    """The watch store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "watch", Watch, "the watch of")

    def all(self) -> Listing[Watch]:
        """Return every watch in the order of endpoint names, those apart that cannot be read."""
        return self._kind.listing()

    def get(self, endpoint_name: str) -> Watch | None:
        """Return the watch, if there is one."""
        return self._kind.find(endpoint_name)

    def put(self, watch: Watch, event: Event | None, *, before: Watch | None) -> None:
        """Store watch and event in one transaction, unless another write came first."""
        name = watch.endpoint_name
        held = self._required(name, before)
        written = self._kind.put(name, watch, where=unchanged(held), lost=lambda _: _lost(name))
        self._kind.store([written], event)

    def remove(self, before: Watch, event: Event | None) -> None:
        """Remove the watch, unless another write came first."""
        name = before.endpoint_name
        held = self._required(name, before)
        gone = self._kind.delete(name, where=unchanged(held), lost=lambda _: _lost(name))
        self._kind.store([gone], event)

    def _required(self, name: str, before: Watch | None) -> Item | None:
        """Return the item where it holds this watch."""
        item = self._kind.item(name)
        if (None if item is None else self._kind.read(item)) != before:
            raise _lost(name)
        return item


def _lost(name: str) -> ParkadeError:
    return VersionConflict(f"the watch of {name!r} was changed by somebody else")
