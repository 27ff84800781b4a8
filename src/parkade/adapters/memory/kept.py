"""What goes with endpoints that are not there, in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.sagemaker.kept import Kept


class MemoryKeptStore:
    """The store of what goes with endpoints."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def all(self) -> Mapping[str, Kept]:
        """Return all that is kept."""
        return dict(self._kept)

    def get(self, endpoint_name: str) -> Kept | None:
        """Return what is kept of an endpoint, if anything is."""
        return self._kept.get(endpoint_name)

    def put(self, kept: Kept) -> None:
        """Keep this, or forget it where it is empty."""
        self._kept.pop(kept.endpoint_name, None)
        if not kept.empty:
            self._kept[kept.endpoint_name] = kept
