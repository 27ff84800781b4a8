"""What is left of endpoints: an item a name, written by whoever deletes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.changes import Condition
from parkade.adapters.aws.dynamodb.kind import Kind, unchanged
from parkade.adapters.documents import columns
from parkade.domain.errors import Unreadable, VersionConflict
from parkade.ports.remains import Remains

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.terms import Terms
    from parkade.ports.catalog import Listing


REMAINS = "remains"


class _Later(VersionConflict):
    """Something is left of a later endpoint of the name."""


class DynamoRemainsStore:
    """The remains store port, and the keeper of remains that hosting gives them to."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, REMAINS, Remains, "what is left of")

    def put(self, remains: Remains) -> None:
        """Keep these remains, over those of the name."""
        self._kind.store([self._written(remains)], None)

    def get(self, endpoint_name: str) -> Remains | None:
        """Return the remains, if there are any."""
        return self._kind.find(endpoint_name)

    def all(self) -> Listing[Remains]:
        """Return all remains in the order of endpoint names, those apart that cannot be read."""
        return self._kind.listing()

    def settle(self, endpoint_name: str, *, terms: Terms | None, tags: Mapping[str, str]) -> None:
        """Keep terms and tags with the remains, where there are any that can be read."""
        for attempt in contended():
            with attempt:
                item = self._kind.item(endpoint_name)
                if item is None:
                    return
                try:
                    found = self._kind.read(item)
                except Unreadable:
                    return  # they are of no use any more, whatever is kept with them
                kept = replace(found, terms=terms, tags=dict(tags) or found.tags)
                self._kind.store([self._written(kept, where=unchanged(item))], None)

    def forget(self, before: datetime) -> None:
        """Forget what was removed before this instant, readable or not."""
        old = Condition(
            "#removed_at < :before",
            {"#removed_at": "removed_at"},
            {":before": columns.instant(before)},
        )
        for item in list(self._kind.table.query(self._kind.name, where=old)):
            gone = self._kind.delete(str(item["sk"]), where=old, lost=lambda _: _Later("kept"))
            try:
                self._kind.store([gone], None)
            except _Later:
                continue  # another endpoint of the name went meanwhile: what it left stays

    def _written(self, remains: Remains, *, where: Condition | None = None) -> Change:
        removed_at = columns.instant(remains.removed_at)
        return self._kind.put(remains.endpoint_name, remains, where=where, removed_at=removed_at)
