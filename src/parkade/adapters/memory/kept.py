"""What goes with endpoints that are not there, in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.adapters.aws.sagemaker.kept import Kept


class MemoryKeptStore:
    """The store of what goes with endpoints."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def all(self) -> Mapping[str, Kept]:
        """Return all that is kept."""
        return dict(self._kept)

    def get(self, endpoint_name: str) -> Kept | None:
        """Return what is kept of an endpoint, if anything is."""
        return self._kept.get(endpoint_name)

    def change(self, endpoint_name: str, decide: Callable[[Kept | None], Kept]) -> None:
        """Keep what is decided, or forget it where it is empty."""
        with self._lock:
            kept = decide(self._kept.get(endpoint_name))
            if kept.empty:
                self._kept.pop(endpoint_name, None)
            else:
                self._kept[endpoint_name] = kept
