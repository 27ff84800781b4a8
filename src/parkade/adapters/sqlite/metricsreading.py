"""Points of some series and a range, merged from rows and packs."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from parkade.adapters.sqlite import metricsrows
from parkade.adapters.sqlite.metricsrows import DAY, HOUR, WEEK, Damage, Level
from parkade.domain.series import Aggregate, Point
from parkade.ports.metrics import FINE, MINUTE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping

    from parkade.adapters.sqlite.metricspacking import Block

#: What one period adds up to: one of its points, count, total, least, most, histogram. A plain
#: tuple, for there may be ten thousands of points.
_Sum: TypeAlias = "tuple[int, float, float, float, float, Mapping[int, float]]"
_BEGIN = itemgetter(0)


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
        self._sums: dict[int, dict[int, _Sum]] = {number: {} for number in numbers}
        self._instants: dict[int, datetime] = {}
        #: Series and days of which there are finer points than hours.
        self._seen: set[tuple[int, int]] = set()
        #: The first damage that was met in each series.
        self.damaged: dict[int, Damage] = {}

    def run(self) -> Mapping[int, list[Point]]:
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
            number: self._points(sums)
            for number, sums in self._sums.items()
            if number not in self.damaged
        }

    def _rows(self, seconds: int) -> None:
        ats = metricsrows.periods(self._connection, seconds, self._start, self._end)
        for number, at, value in metricsrows.rows(self._connection, seconds, ats, self._numbers):
            self._seen.add((number, at - at % DAY))
            if isinstance(value, Damage):
                self.damaged.setdefault(number, value)
            else:
                row = (at, value.count, value.total, value.least, value.most, value.buckets)
                begin = at - at % self._seconds
                if begin in self._sums[number]:
                    _add(self._sums[number], begin, row)
                else:
                    self._sums[number][begin] = row

    def _packs(self, level: Level) -> None:
        for number, at, block in self._packed(level):
            self._seen.add((number, at - at % DAY))
            if isinstance(block, Damage):
                self.damaged.setdefault(number, block)
            else:
                self._add(number, block)

    def _minutes_that_are_over(self) -> None:
        """Read the days' minutes; and hours, of those days whose minutes are gone."""
        days = set()
        for number, at, block in self._packed(Level.DAY):
            days.add((number, at))
            if isinstance(block, Damage):
                self.damaged.setdefault(number, block)
            else:
                self._add(number, block)
        self._seen |= days
        for number, at, block in self._packed(Level.WEEK):
            if not isinstance(block, Damage):
                self._add(number, block, days)
            elif not self._seen >= {(number, day) for day in self._days(at)}:
                self.damaged.setdefault(number, block)

    def _packed(self, level: Level) -> Iterator[tuple[int, int, Block | Damage]]:
        ats = metricsrows.packed(self._connection, level, self._start, self._end)
        within = (self._start, self._end)
        return metricsrows.packs(self._connection, level, ats, self._numbers, within)

    def _days(self, week: int) -> range:
        """Return the days of a week that the range reaches into."""
        first = max(self._start - self._start % DAY, week)
        return range(first, min(self._end, week + WEEK), DAY)

    def _add(self, number: int, block: Block, without: Collection[tuple[int, int]] = ()) -> None:
        sums, seconds = self._sums[number], self._seconds
        for row in block.rows():
            at = row[0]
            if without and (number, at - at % DAY) in without:
                continue
            begin = at - at % seconds
            if begin in sums:
                _add(sums, begin, row)
            else:
                sums[begin] = row

    def _points(self, sums: dict[int, _Sum]) -> list[Point]:
        return [
            Point(
                self._instant(at),
                Aggregate(count=count, total=total, least=least, most=most, buckets=buckets),
            )
            for at, (_, count, total, least, most, buckets) in sorted(sums.items(), key=_BEGIN)
        ]

    def _instant(self, at: int) -> datetime:
        """Return the instant; series of one range have most of them in common."""
        known = self._instants.get(at)
        if known is None:
            known = self._instants[at] = datetime.fromtimestamp(at, UTC)
        return known


def _add(sums: dict[int, _Sum], begin: int, row: _Sum) -> None:
    """Add a point to a period that has some."""
    at, count, total, least, most, buckets = sums[begin]
    _, more, further, lowest, highest, others = row
    if others:
        buckets = dict(buckets)
        for bucket, amount in others.items():
            buckets[bucket] = buckets.get(bucket, 0) + amount
    sums[begin] = (
        at, count + more, total + further, min(least, lowest), max(most, highest), buckets,
    )  # fmt: skip
