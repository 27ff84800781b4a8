"""What goes with endpoints that are not there: an item for each that something is kept of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.adapters.aws.sagemaker.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.dynamodb.events import DynamoHistory

logger = logging.getLogger(__name__)


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

    def put(self, kept: Kept) -> None:
        """Keep this, or forget it where it is empty."""
        name = kept.endpoint_name
        change = self._kind.delete(name) if kept.empty else self._kind.put(name, kept)
        self._kind.store([change], None)
