"""Testers: an item each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import THERE, Kind, unchanged
from parkade.domain.errors import TesterNotFound, VersionConflict
from parkade.domain.tester.tester import Tester

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DynamoTesterStore:
    """The tester store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "tester", Tester, "tester")

    def get(self, name: str) -> Tester:
        """Return the tester."""
        found = self._kind.find(name)
        if found is None:
            raise _unknown(name)
        return found

    def all(self) -> Listing[Tester]:
        """Return every tester in the order of names, those apart that cannot be read."""
        return self._kind.listing()

    def put(self, tester: Tester, event: Event | None = None) -> Tester:
        """Store tester and event in one transaction, unless another write came first."""
        name = tester.name
        item = self._kind.item(name)
        if (0 if item is None else self._kind.read(item).version) != tester.version:
            raise _lost(name)
        stored = replace(tester, version=tester.version + 1)
        written = self._kind.put(name, stored, where=unchanged(item), lost=lambda _: _lost(name))
        self._kind.store([written], event)
        return stored

    def remove(self, name: str, event: Event) -> None:
        """Remove the tester and write the event, in one transaction."""
        self._kind.store(
            [self._kind.delete(name, where=THERE, lost=lambda _: _unknown(name))], event
        )


def _lost(name: str) -> ParkadeError:
    return VersionConflict(
        f"tester {name!r} was changed by somebody else",
        hint="read it again, then decide again",
    )


def _unknown(name: str) -> ParkadeError:
    return TesterNotFound(f"there is no tester {name!r}", hint="see: parkade tester ls")
