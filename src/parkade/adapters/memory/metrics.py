"""Measurements in dictionaries."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain import statistics
from parkade.domain.errors import Unreadable
from parkade.domain.points import Points
from parkade.domain.series import Point
from parkade.ports.metrics import FINE, HOUR, MINUTE, Found, Kept, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from parkade.domain.series import Aggregate, Series
    from parkade.ports.metrics import Sample

_DAY = 86400
#: Points of one series by the begin of their period.
_Points = dict[datetime, "Aggregate"]


class MemoryMetricStore:
    """The metric store port. A sample is in one of three places: fine, minutes, or hours."""

    def __init__(self, kept: Callable[[], Kept] = Kept) -> None:
        self._kept = kept
        self._units: dict[Series, str] = {}
        self._points: dict[int, dict[Series, _Points]] = {FINE: {}, MINUTE: {}, HOUR: {}}
        self._damaged: dict[Series, set[datetime]] = {}
        self._lock = threading.Lock()

    def add(self, samples: Iterable[Sample]) -> None:
        """Add samples to those of their periods."""
        everything = list(samples)
        with self._lock:
            for each in everything:
                self._units.setdefault(each.series, each.unit)
                self._put(each.seconds, each.series, each.at, each.value)

    def points(
        self, series: Sequence[Series], start: datetime, end: datetime, seconds: int
    ) -> Found:
        """Return the points of each series in the order of time."""
        with self._lock:
            unreadable = {
                each: Unreadable(f"{each} cannot be read: it is torn", hint="it is left alone")
                for each in series
                if any(start <= at < end for at in self._damaged.get(each, ()))
            }
            return Found(
                {
                    each: self._merged(each, start, end, seconds)
                    for each in series
                    if each not in unreadable
                },
                unreadable,
            )

    def known(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Known]:
        """Return the series with these properties, in order."""
        with self._lock:
            everything = [
                Known(series=series, unit=unit, newest=newest)
                for series, unit in self._units.items()
                if (newest := self._newest(series)) is not None
            ]
        return sorted(
            (
                each
                for each in everything
                if namespace in {None, each.series.namespace}
                and name in {None, each.series.name}
                and each.series.has(dimensions or {})
                and (since is None or each.newest >= since)
            ),
            key=lambda each: each.series.sorting,
        )

    def tidy(self, now: datetime) -> bool:
        """Roll up and forget, all in one slice."""
        kept = self._kept()
        with self._lock:
            self._roll(FINE, MINUTE, now - kept.fine)
            self._roll(MINUTE, HOUR, statistics.begin(now - kept.minutes, _DAY))
            for points in self._points[HOUR].values():
                for at in [at for at in points if at < now - kept.hours]:
                    del points[at]
            for series in [each for each in self._units if self._newest(each) is None]:
                del self._units[series]
        return False

    def damage(self, series: Series, at: datetime) -> None:
        """Make the series unreadable in the period that the instant is in."""
        self._damaged.setdefault(series, set()).add(at)

    def _put(self, seconds: int, series: Series, at: datetime, value: Aggregate) -> None:
        points = self._points[seconds].setdefault(series, {})
        at = statistics.begin(at.astimezone(UTC), seconds)
        points[at] = points[at].plus(value) if at in points else value

    def _roll(self, seconds: int, to: int, before: datetime) -> None:
        for series, points in self._points[seconds].items():
            # A whole period of what it becomes, or nothing of it.
            over = [
                at for at in points if statistics.begin(at, to) + timedelta(seconds=to) <= before
            ]
            for at in over:
                self._put(to, series, at, points.pop(at))

    def _merged(self, series: Series, start: datetime, end: datetime, seconds: int) -> Points:
        sources = (FINE,) if seconds % MINUTE else (FINE, MINUTE, HOUR)
        found = [
            Point(at, value)
            for source in sources
            for at, value in self._points[source].get(series, {}).items()
            if start <= at < end
        ]
        return Points.of(statistics.merged(sorted(found, key=lambda point: point.at), seconds))

    def _newest(self, series: Series) -> datetime | None:
        return max(
            (at for points in self._points.values() for at in points.get(series, ())), default=None
        )
