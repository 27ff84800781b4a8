"""Points of some series and a range, merged from rows and packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.sqlite import metricsrows
from parkade.adapters.sqlite.metricsrows import DAY, HOUR, WEEK, Damage, Level
from parkade.domain.points import Points, united
from parkade.ports.metrics import FINE, MINUTE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping


class Reading:
    """One query: what it reads of each series, by the number of the series."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        numbers: Collection[int],
        start: int,
        end: int,
        seconds: int,
    ) -> None:
        self._connection = connection
        self._numbers = numbers
        self._start, self._end, self._seconds = start, end, seconds
        self._parts: dict[int, list[Points]] = {number: [] for number in numbers}
        #: Series and days of which there are finer points than hours.
        self._seen: set[tuple[int, int]] = set()
        #: The first damage that was met in each series.
        self.damaged: dict[int, Damage] = {}

    def run(self) -> Mapping[int, Points]:
        """Return the points of each series, those with damage left out."""
        self._rows(FINE)
        if not self._seconds % MINUTE:
            self._rows(MINUTE)
            self._packs(Level.HOUR)
            if self._seconds % HOUR:
                self._minutes_that_are_over()
            else:
                # A period of whole hours needs no minutes of the days that are over.
                self._packs(Level.WEEK)
        return {
            number: united(parts, self._seconds)
            for number, parts in self._parts.items()
            if number not in self.damaged
        }

    def _rows(self, seconds: int) -> None:
        ats = metricsrows.periods(self._connection, seconds, self._start, self._end)
        new: dict[int, Points] = {}
        for number, at, value in metricsrows.rows(self._connection, seconds, ats, self._numbers):
            self._seen.add((number, at - at % DAY))
            if isinstance(value, Damage):
                self.damaged.setdefault(number, value)
            else:
                new.setdefault(number, Points()).put(at, value)
        for number, points in new.items():
            self._parts[number].append(points)

    def _packs(self, level: Level) -> None:
        for number, at, points in self._packed(level):
            self._seen.add((number, at - at % DAY))
            if isinstance(points, Damage):
                self.damaged.setdefault(number, points)
            else:
                self._parts[number].append(points)

    def _minutes_that_are_over(self) -> None:
        """Read the days' minutes; and hours, of those days whose minutes are gone."""
        days = set()
        for number, at, points in self._packed(Level.DAY):
            days.add((number, at))
            if isinstance(points, Damage):
                self.damaged.setdefault(number, points)
            else:
                self._parts[number].append(points)
        self._seen |= days
        for number, at, points in self._packed(Level.WEEK):
            if not isinstance(points, Damage):
                lacking = [
                    place
                    for place, hour in enumerate(points.at)
                    if (number, hour - hour % DAY) not in days
                ]
                self._parts[number].append(points.taken(lacking))
            elif not self._seen >= {(number, day) for day in self._days(at)}:
                self.damaged.setdefault(number, points)

    def _packed(self, level: Level) -> Iterator[tuple[int, int, Points | Damage]]:
        ats = metricsrows.packed(self._connection, level, self._start, self._end)
        within = (self._start, self._end)
        return metricsrows.packs(self._connection, level, ats, self._numbers, within)

    def _days(self, week: int) -> range:
        """Return the days of a week that the range reaches into."""
        first = max(self._start - self._start % DAY, week)
        return range(first, min(self._end, week + WEEK), DAY)
