"""Purses in a dictionary, for the memory stores that pay from the same ones."""

from __future__ import annotations

import threading

from parkade.domain.errors import VersionConflict
from parkade.ports.budgets import Purse


class MemoryPurses:
    """What owners pay from."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._lock = threading.Lock()

    def read(self, owner: str) -> Purse:
        """Return the owner's purse."""
        with self._lock:
            return Purse(owner=owner, version=self._versions.get(owner, 0))

    def spend(self, purse: Purse) -> None:
        """Pay from the purse. Raises VersionConflict where it was paid from since it was read."""
        with self._lock:
            if self._versions.get(purse.owner, 0) != purse.version:
                raise VersionConflict(
                    f"something else was paid for {purse.owner!r} meanwhile",
                    hint="look again at what is left, then decide again",
                )
            self._versions[purse.owner] = purse.version + 1

    def empty(self, owner: str) -> None:
        """Make every decision that rests on the purse as it was be taken again."""
        with self._lock:
            self._versions[owner] = self._versions.get(owner, 0) + 1
