"""Sights of endpoints: an item each, remembered from one sweep to the next."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.adapters.aws.dynamodb.table import MOST_CHANGES
from parkade.adapters.aws.sagemaker.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory

logger = logging.getLogger(__name__)


class DynamoSightStore:
    """The store of sights. What it loses is seen again."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "sight", Sight, "the sight of")

    def all(self) -> Mapping[str, Sight]:
        """Return all sights; those that cannot be read are left out."""
        listing = self._kind.listing()
        for why in listing.unreadable.values():
            logger.warning("%s; it is described anew", why)
        return {each.name: each for each in listing.records}

    def put(self, sights: Collection[Sight]) -> None:
        """Remember these, over those of their names."""
        self._write([self._kind.put(each.name, each) for each in sights])

    def forget(self, names: Collection[str]) -> None:
        """Forget the sights of these names."""
        self._write([self._kind.delete(name) for name in sorted(names)])

    def _write(self, changes: list[Change]) -> None:
        for begin in range(0, len(changes), MOST_CHANGES):
            self._kind.store(changes[begin : begin + MOST_CHANGES], None)
