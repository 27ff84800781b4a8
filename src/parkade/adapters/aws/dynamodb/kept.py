"""What goes with endpoints that are not there: an item for each that something is kept of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.events import LEASE
from parkade.adapters.aws.dynamodb.kind import NEW, Kind, unchanged
from parkade.adapters.aws.dynamodb.remains import REMAINS
from parkade.adapters.aws.sagemaker.kept import Kept
from parkade.domain.errors import Unreadable, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.events import DynamoHistory

logger = logging.getLogger(__name__)


class _Claimed(VersionConflict):
    """An endpoint of the name may come back, or another write came first."""


class DynamoKeptStore:
    """The store of what goes with endpoints."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "kept", Kept, "what is kept of")

    def all(self) -> Mapping[str, Kept]:
        """Return all that is kept; what cannot be read is left out."""
        listing = self._kind.listing()
        for why in listing.unreadable.values():
            logger.warning("%s; it is not made again", why)
        return {each.endpoint_name: each for each in listing.records}

    def get(self, endpoint_name: str) -> Kept | None:
        """Return what is kept of an endpoint, if anything is."""
        return self._kind.find(endpoint_name)

    def change(self, endpoint_name: str, decide: Callable[[Kept | None], Kept]) -> None:
        """Keep what is decided, or forget it where it is empty, unless another write came first."""
        for attempt in contended():
            with attempt:
                item = self._kind.item(endpoint_name)
                held = None if item is None else self._kind.read(item)
                kept = decide(held)
                if kept == held or (held is None and kept.empty):
                    return
                same = unchanged(item)
                change = (
                    self._kind.delete(endpoint_name, where=same)
                    if kept.empty
                    else self._kind.put(endpoint_name, kept, where=same)
                )
                self._kind.store([change], None)

    def forget(self, before: datetime) -> None:
        """Forget what was kept before this instant for a name that has neither lease nor remains.

        A later endpoint of the name is another one.
        """
        for item in list(self._kind.table.query(self._kind.name)):
            try:
                kept = self._kind.read(item)
                if kept.since < before:
                    self._forget(kept.endpoint_name, item)
            except (Unreadable, _Claimed):
                continue  # whoever reads all of them is told of the one, and the other stays

    def _forget(self, name: str, item: Item) -> None:
        """Forget it, unless somebody has a claim on it. Raises _Claimed."""
        unclaimed = [
            self._kind.table.change.check((kind, name), NEW, lost=_claimed)
            for kind in (LEASE, REMAINS)
        ]
        gone = self._kind.delete(name, where=unchanged(item), lost=_claimed)
        self._kind.store([*unclaimed, gone], None)


def _claimed(_: Item | None) -> _Claimed:
    return _Claimed("it is kept for somebody")
