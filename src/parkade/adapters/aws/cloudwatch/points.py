"""Points as CloudWatch tells them: four sums of each period, and percentiles when they are asked for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch.reading import Asked, Told, read
from parkade.domain.errors import Unreadable
from parkade.domain.points import Points
from parkade.domain.series import Aggregate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.domain.series import Series

#: What every other statistic but percentiles follows from.
_SUMS = ("SampleCount", "Sum", "Minimum", "Maximum")


class Together:
    """Series that are read together, within one range of time that CloudWatch keeps alike."""

    def __init__(
        self,
        account: Account,
        series: Sequence[Series],
        start: datetime,
        end: datetime,
        period: int,
    ) -> None:
        self._account = account
        self._series = series
        self._start = start
        self._end = end
        self._period = period
        self._percentiles: dict[str, Mapping[tuple[Series, str], Told]] = {}
        self._lock = threading.Lock()

    def points(self) -> Mapping[Series, ToldPoints | Unreadable]:
        """Return the points of each series, or why they cannot be told in full.

        Raises why nothing can be read, where that is so.
        """
        told = self._told(_SUMS)
        errors = [each.error for each in told.values() if each.error is not None]
        if errors and len(errors) == len(told):
            raise errors[0]
        return {
            each: self._points(each, {name: told[each, name] for name in _SUMS})
            for each in self._series
        }

    def percentile(self, series: Series, percent: float) -> Mapping[datetime, float]:
        """Return a percentile of each period; it is read for all the series at once.

        Raises Unreadable where it cannot be told in full.
        """
        statistic = f"p{percent:g}"
        with self._lock:
            if statistic not in self._percentiles:
                self._percentiles[statistic] = self._told([statistic])
            told = self._percentiles[statistic][series, statistic]
        if told.error is not None:
            raise _unreadable(series, told)
        return told.values

    def _told(self, statistics: Sequence[str]) -> Mapping[tuple[Series, str], Told]:
        asked = [
            Asked(series=each, statistic=name, start=self._start, period=self._period)
            for each in self._series
            for name in statistics
        ]
        told = read(self._account, asked, self._end)
        return {(each.series, each.statistic): told[each] for each in asked}

    def _points(self, series: Series, told: Mapping[str, Told]) -> ToldPoints | Unreadable:
        broken = next((each for each in told.values() if each.error is not None), None)
        if broken is not None:
            return _unreadable(series, broken)
        counts, totals, least, most = (told[name].values for name in _SUMS)
        points = ToldPoints.of_series(self, series)
        for at in sorted(counts.keys() & totals.keys() & least.keys() & most.keys()):
            if not self._start <= at < self._end:
                continue  # a longer period, of which a part was asked for
            value = Aggregate(count=counts[at], total=totals[at], least=least[at], most=most[at])
            points.put(int(at.timestamp()), value)
        return points


class ToldPoints(Points):
    """Points whose percentiles are asked for when somebody wants to know them."""

    __slots__ = ("_of", "_together")

    _together: Together
    _of: Series

    @classmethod
    def of_series(cls, together: Together, series: Series) -> ToldPoints:
        """Return none yet, of a series that is read together with others."""
        points = cls()
        points._together, points._of = together, series
        return points

    def percentiles(self, percent: float) -> list[float | None]:
        """Return the percentile of each. Raises Unreadable where CloudWatch does not tell it."""
        told = self._together.percentile(self._of, percent) if self.at else {}
        return [told.get(datetime.fromtimestamp(at, UTC)) for at in self.at]


def _unreadable(series: Series, told: Told) -> Unreadable:
    return Unreadable(f"{series} cannot be read in full: {told.why}", hint="ask again")
