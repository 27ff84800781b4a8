"""Series of measurements, stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from parkade.domain.points import Points
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from parkade.domain.errors import Unreadable
    from parkade.domain.series import Aggregate

#: Seconds of the periods that points are stored for: fine ones where they are asked for, then
#: minutes, then hours.
FINE, MINUTE, HOUR = 10, 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured of a series within the period of `seconds` that begins at `at`.

    `seconds` is FINE or MINUTE, `at` a multiple of it since the epoch, and all numbers are finite;
    anything else raises ValueError. Samples of one period add up, so that what a series measured may be told in as many parts as one likes; fine samples and
    those of minutes must not tell of the same twice.
    """

    series: Series
    at: datetime
    value: Aggregate
    seconds: int = MINUTE
    #: CloudWatch's name of the unit; a series has the first that it was given.
    unit: str = "None"

    def __post_init__(self) -> None:
        seconds, value = self.at.timestamp(), self.value
        if self.seconds not in {FINE, MINUTE} or seconds % self.seconds:
            raise ValueError(f"{self.series} at {self.at}: no period of {self.seconds} s")
        numbers = (value.count, value.total, value.least, value.most, *value.buckets.values())
        if value.count < 0 or not all(map(math.isfinite, numbers)):
            raise ValueError(f"{self.series} at {self.at}: {value} is no measurement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A series that there is, with its unit and its newest point."""

    series: Series
    unit: str
    newest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long points are kept, from the begin of their period."""

    fine: timedelta = timedelta(hours=3)
    minutes: timedelta = timedelta(days=15)
    hours: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Found(Mapping[Series, Points]):
    """The points of each series that was asked for, in the order of time.

    A series that is damaged within the range has no points here but an error: looking it up
    raises that, so that nobody takes damage for silence. The others are unharmed.
    """

    points: Mapping[Series, Points]
    unreadable: Mapping[Series, Unreadable] = field(default_factory=dict)

    def __getitem__(self, series: Series) -> Points:
        if error := self.unreadable.get(series):
            raise error
        return self.points[series]

    def __iter__(self) -> Iterator[Series]:
        yield from self.points
        yield from self.unreadable

    def __len__(self) -> int:
        return len(self.points) + len(self.unreadable)


class MetricStore(Protocol):
    """Stores points by series and period; minutes for days, hours for months, and nothing for ever.

    Safe to use from several threads, also while it is written to and tidied. A store that cannot
    be read raises Unreadable or Unavailable; one that cannot be written ResourceLimitExceeded (a
    full disk), Unreadable or Unavailable. None of them loses what is there, and each use tries
    anew. What was added survives the death of the process at any instant.
    """

    def add(self, samples: Iterable[Sample]) -> None:
        """Add samples to what is stored of their periods, all of them or none.

        They may come late, for periods of any age, and from a clock that was set: what is in the
        future is kept like all else.
        """
        ...

    def points(
        self, series: Sequence[Series], start: datetime, end: datetime, seconds: int
    ) -> Found:
        """Return the points of each series with `start <= at < end`, in the order of time.

        `seconds` is a multiple of FINE or of MINUTE, and `start` and `end` are multiples of it
        since the epoch. Points are merged from what is stored: periods that are no whole minutes
        see fine points only, and minutes that are gone are seen as hours, at the begin of the
        hour. Series that are not known have no points.
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

        A series may have further dimensions. `since`: only those with a point at or after it.
        """
        ...

    def tidy(self, now: datetime) -> bool:
        """Do one short slice of what is due; return whether there is more.

        Packs what is over, rolls fine points up to minutes and minutes to hours, and forgets what
        is too old by `Kept`. What can be read stays the same, but for finer points that are
        over. Call it until it returns False, at most some tens of milliseconds each, and again
        some minutes later. What is damaged is left alone until it is too old.
        """
        ...
