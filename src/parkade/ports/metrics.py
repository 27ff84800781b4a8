"""Series of measurements, stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.series import Aggregate, Point, Series

#: Seconds of the periods that points are stored for: fine ones where they are asked for, then
#: minutes, then hours.
FINE, MINUTE, HOUR = 10, 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured of a series within the period of `seconds` that begins at `at`.

    `at` is a multiple of `seconds` since the epoch. Samples of one period add up.
    """

    series: Series
    at: datetime
    value: Aggregate
    seconds: int = MINUTE
    #: CloudWatch's name of the unit; a series has the first that it was given.
    unit: str = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A series that there is, with its unit and its newest point."""

    series: Series
    unit: str
    newest: datetime


class MetricStore(Protocol):
    """Stores points by series and period; minutes for days, hours for months, and nothing for ever.

    Safe to use from several threads. What cannot be read raises Unreadable, what cannot be written
    ResourceLimitExceeded (a full disk) or Unavailable; neither loses what is there.
    """

    def add(self, samples: Iterable[Sample]) -> None:
        """Add samples to what is stored of their periods, all of them or none."""
        ...

    def points(
        self, series: Sequence[Series], start: datetime, end: datetime, seconds: int
    ) -> Mapping[Series, Sequence[Point]]:
        """Return the points of each series with `start <= at < end`, in the order of time.

        `seconds` is a multiple of 10; points are merged from the finest periods that are stored
        for it: periods below a minute only see fine points, and minutes that are gone are seen as
        hours. Series without points have an empty sequence.
        """
        ...

    def known(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Known]:
        """Return the series with these properties, in order; a dimension's None: with any value.

        `since`: only those with a point at or after it.
        """
        ...

    def tidy(self, now: datetime) -> None:
        """Pack what is over, roll minutes up to hours, and forget what is too old."""
        ...
