"""What is left of endpoints, in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.domain.terms import Terms
    from parkade.ports.remains import Remains


class MemoryRemainsStore:
    """The remains store port; the memory catalog puts remains here."""

    def __init__(self) -> None:
        self._remains: dict[str, Remains] = {}
        self._lock = threading.Lock()

    def put(self, remains: Remains) -> None:
        """Keep these remains, over those of the name."""
        with self._lock:
            self._remains[remains.endpoint_name] = remains

    def get(self, endpoint_name: str) -> Remains | None:
        """Return the remains, if there are any."""
        with self._lock:
            return self._remains.get(endpoint_name)

    def all(self) -> Listing[Remains]:
        """Return all remains in the order of endpoint names."""
        with self._lock:
            return Listing(tuple(self._remains[name] for name in sorted(self._remains)), {})

    def settle(self, endpoint_name: str, *, terms: Terms | None, tags: Mapping[str, str]) -> None:
        """Keep terms and tags with the remains, where there are any."""
        with self._lock:
            found = self._remains.get(endpoint_name)
            if found is not None:
                kept = replace(found, terms=terms, tags=dict(tags) or found.tags)
                self._remains[endpoint_name] = kept

    def forget(self, before: datetime) -> None:
        """Forget what was removed before this instant."""
        with self._lock:
            kept = {name: each for name, each in self._remains.items() if each.removed_at >= before}
            self._remains = kept
