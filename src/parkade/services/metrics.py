"""Measurements for people and for other programs: statistics of series, period by period.

The API's `/v1/metrics`, the CLI and CloudWatch's door all read here:

    metrics.query([Wanted(series, (Statistic.of("Sum"), Statistic.of("p99")))], start, end, period)

The range is widened to whole periods, which begin with the epoch, as CloudWatch's do; of each
period that has a point there is one `Told`, with a value for each statistic. A series that is
damaged has the error in place of what is told, and harms no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from parkade.domain import statistics
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.points import Points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.series import Series
    from parkade.domain.statistics import Statistic
    from parkade.ports.metrics import Found, Known, MetricStore

#: The most points, over all series, that one query may ask for; CloudWatch's GetMetricData's.
MOST_POINTS = 100_800


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series, and which statistics of it."""

    series: Series
    statistics: tuple[Statistic, ...]


class Told(NamedTuple):
    """The statistics of one period, in the order they were asked for; None: not known."""

    at: datetime
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is of one series; of a damaged one nothing, and why."""

    wanted: Wanted
    points: tuple[Told, ...]
    unreadable: Unreadable | None = None


class Metrics:
    """Tells what was measured; changes nothing."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def query(
        self, wanted: Sequence[Wanted], start: datetime, end: datetime, seconds: float
    ) -> list[Answer]:
        """Return what there is of each, in the order they were asked for.

        Raises InvalidInput for a period that is not possible, a range that is none, and for more
        points than MOST_POINTS; Unreadable or Unavailable where the whole store cannot be read.
        """
        period = statistics.period(seconds)
        start, end = aligned(start, end, period)
        _bound(len({each.series for each in wanted}), start, end, period)
        found = self._store.points(
            list(dict.fromkeys(each.series for each in wanted)), start, end, period
        )
        return [_answer(each, found) for each in wanted]

    def known(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Known]:
        """Return the series that there are, as `MetricStore.known` does."""
        return self._store.known(namespace, name, dimensions, since)


def aligned(start: datetime, end: datetime, seconds: int) -> tuple[datetime, datetime]:
    """Return the range widened to whole periods. Raises InvalidInput where it is empty."""
    if start >= end:
        raise InvalidInput(
            f"the range from {start.isoformat()} to {end.isoformat()} is empty",
            field="start",
            hint="give a start before the end",
        )
    first = statistics.begin(start, seconds)
    last = statistics.begin(end, seconds)
    try:
        return first, last if last == end else last + timedelta(seconds=seconds)
    except OverflowError as error:
        raise InvalidInput(
            f"the end {end.isoformat()} is out of the range of dates",
            field="end",
            hint="give an earlier one",
        ) from error


def _bound(series: int, start: datetime, end: datetime, seconds: int) -> None:
    points = series * int((end - start).total_seconds() // seconds)
    if points > MOST_POINTS:
        raise InvalidInput(
            f"{series} series at {seconds} s from {start.isoformat()} to {end.isoformat()} are "
            f"up to {points} points, more than {MOST_POINTS}",
            field="period",
            hint="ask for a longer period, a shorter range, or fewer series",
        )


def _answer(wanted: Wanted, found: Found) -> Answer:
    try:
        # Telling may read: of percentiles, where a store does not keep what they follow from.
        points = _told(found.get(wanted.series, Points()), wanted.statistics)
    except Unreadable as error:
        return Answer(wanted=wanted, points=(), unreadable=error)
    return Answer(wanted=wanted, points=points)


def _told(points: Points, wanted: tuple[Statistic, ...]) -> tuple[Told, ...]:
    columns = [each.told(points) for each in wanted]
    return tuple([Told(row[0], row[1:]) for row in zip(points.times, *columns, strict=True)])
