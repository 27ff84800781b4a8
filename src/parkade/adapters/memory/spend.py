"""What was spent, in dictionaries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from parkade.domain.cost import Presence, Tally
from parkade.ports.spend import put_together, require_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.errors import ParkadeError
    from parkade.ports.spend import Known, SpendQuery

_Entry = TypeVar("_Entry", Tally, Presence)


class MemorySpendStore:
    """The spend store port. `broken` is raised by everything, as a broken disk would."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[object, ...], Tally] = {}
        self._presences: dict[tuple[object, ...], Presence] = {}
        self._sights: dict[tuple[str, str], datetime] = {}
        self._until: datetime | None = None
        self._lock = threading.Lock()
        self.broken: ParkadeError | None = None

    def add(
        self,
        tallies: Iterable[Tally],
        presences: Iterable[Presence],
        until: datetime,
        *,
        since: Known | None = None,
    ) -> None:
        """Add tallies, presences and first sights."""
        with self._lock:
            self._require_whole()
            require_known(since, self._until)
            for tally in tallies:
                _add(self._tallies, tally)
            for each in sorted(presences, key=lambda presence: presence.at):
                _add(self._presences, each)
                sight = max(each.at, until - each.span)
                self._sights.setdefault((each.endpoint_name, each.owner), sight)
            self._until = until

    def until(self) -> datetime | None:
        """Return until when all is added."""
        with self._lock:
            self._require_whole()
            return self._until

    def tallies(self, query: SpendQuery) -> Sequence[Tally]:
        """Return the tallies, put together."""
        with self._lock:
            self._require_whole()
            return put_together(self._tallies.values(), query)

    def presences(self, query: SpendQuery) -> Sequence[Presence]:
        """Return the presences, put together."""
        with self._lock:
            self._require_whole()
            return put_together(self._presences.values(), query)

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each endpoint was first seen with each owner."""
        with self._lock:
            self._require_whole()
            return dict(self._sights)

    def forget(self, before: datetime) -> None:
        """Remove periods that began earlier."""
        with self._lock:
            self._require_whole()
            self._tallies = {k: each for k, each in self._tallies.items() if each.at >= before}
            self._presences = {k: each for k, each in self._presences.items() if each.at >= before}

    def _require_whole(self) -> None:
        if self.broken is not None:
            raise self.broken


def _add(entries: dict[tuple[object, ...], _Entry], entry: _Entry) -> None:
    present = entries.get(entry.key)
    entries[entry.key] = entry if present is None else present.plus(entry)
