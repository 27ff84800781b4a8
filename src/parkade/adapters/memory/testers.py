"""Testers in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import TesterNotFound, Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.tester.tester import Tester
    from parkade.ports.events import History


class MemoryTesterStore:
    """The tester store port. `damage` makes a tester unreadable, as a broken disk would."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._testers: dict[str, Tester] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, name: str, why: str) -> None:
        """Make the tester unreadable."""
        with self._lock:
            self._damaged[name] = why

    def get(self, name: str) -> Tester:
        """Return the tester."""
        with self._lock:
            return self._get(name)

    def all(self) -> Listing[Tester]:
        """Return every tester in the order of names."""
        with self._lock:
            whole = (self._testers[name] for name in sorted(self._testers))
            return Listing(
                tuple(each for each in whole if each.name not in self._damaged),
                {name: self._words(name) for name in sorted(self._damaged)},
            )

    def put(self, tester: Tester, event: Event | None = None) -> Tester:
        """Store the tester unless another write came first."""
        stored = replace(tester, version=tester.version + 1)
        with self._lock:
            held = self._get(tester.name) if tester.name in self._testers else None
            if (held.version if held else 0) != tester.version:
                raise VersionConflict(f"tester {tester.name!r} was changed by somebody else")
            if event is not None:
                self._history.append(event)
            self._testers[tester.name] = stored
        return stored

    def remove(self, name: str, event: Event) -> None:
        """Remove the tester."""
        with self._lock:
            if name not in self._testers:
                raise TesterNotFound(f"there is no tester {name!r}")
            self._history.append(event)
            del self._testers[name]
            self._damaged.pop(name, None)

    def _get(self, name: str) -> Tester:
        if name not in self._testers:
            raise TesterNotFound(f"there is no tester {name!r}")
        if name in self._damaged:
            raise Unreadable(self._words(name))
        return self._testers[name]

    def _words(self, name: str) -> str:
        return f"tester {name!r} cannot be read: {self._damaged[name]}"
