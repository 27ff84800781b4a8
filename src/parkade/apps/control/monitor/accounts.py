"""Samples on their way to the store, added up by series and period meanwhile.

The control process's loop only remembers what was told; adding it up is left to the thread that stores.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain.statistics import begin
from parkade.ports.metrics import MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from parkade.domain.series import Aggregate, Series

#: Samples that are kept while they cannot be stored: some hundred megabytes. An hour of a thousand
#: endpoints' zeros is a fraction of it.
MOST = 400_000

_Key: TypeAlias = "tuple[Series, int, datetime]"


class Accounts:
    """Adds up. Safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._open: dict[_Key, _Sum] = {}
        self._deferred: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def defer(self, work: Callable[[], None]) -> None:
        """Have something added that is quickly told and takes time to add up: when it is taken."""
        with self._lock:
            self._deferred.append(work)

    def add(
        self,
        series: Series,
        at: datetime,
        value: Aggregate,
        *,
        unit: str,
        seconds: int = MINUTE,
    ) -> None:
        """Add what was measured at an instant to what was in the same period."""
        key = (series, seconds, begin(at, seconds))
        with self._lock:
            self._add(key, value, unit)

    def take(self) -> Sequence[Sample]:
        """Return all of it and begin again from nothing. Blocking: for a thread."""
        with self._lock:
            deferred, self._deferred = self._deferred, []
        for work in deferred:
            work()
        with self._lock:
            taken, self._open = self._open, {}
        return [
            Sample(series=series, at=at, value=each.value, seconds=seconds, unit=each.unit)
            for (series, seconds, at), each in taken.items()
        ]

    def give_back(self, samples: Sequence[Sample]) -> int:
        """Add again what was taken and could not be stored; return how many had to go for good."""
        with self._lock:
            for each in samples:
                self._add((each.series, each.seconds, each.at), each.value, each.unit)
            many = len(self._open) - self._most
            if many <= 0:
                return 0
            # The oldest, for what is newest matters most to whoever looks then.
            for key in sorted(self._open, key=lambda key: key[2])[:many]:
                del self._open[key]
            return many

    def _add(self, key: _Key, value: Aggregate, unit: str) -> None:
        known = self._open.get(key)
        if known is None:
            self._open[key] = _Sum(value, unit)
        else:
            known.value = known.value.plus(value)


@dataclass(slots=True)
class _Sum:
    value: Aggregate
    unit: str
