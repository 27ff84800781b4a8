"""What is told of points: CloudWatch's statistics, and the periods they are told for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import attrgetter
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion
from parkade.domain.series import Aggregate, Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from parkade.domain.points import Points

#: Seconds of the shortest period; periods of a minute and more are whole minutes.
SHORTEST = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)", re.ASCII)

_SIMPLE: dict[str, Callable[[Points], Sequence[float]]] = {
    "SampleCount": attrgetter("counts"),
    "Sum": attrgetter("totals"),
    "Average": attrgetter("averages"),
    "Minimum": attrgetter("least"),
    "Maximum": attrgetter("most"),
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One of CloudWatch's statistics: `Sum`, `Average`, `p99` ..."""

    name: str

    @classmethod
    def of(cls, text: str, *, field: str = "statistics") -> Statistic:
        """Return the statistic of this name. Raises InvalidInput for one that is not known."""
        if text in _SIMPLE or _PERCENTILE.fullmatch(text):
            return cls(text)
        raise InvalidInput(
            f"statistic {text!r} is not known",
            field=field,
            hint=f"{suggestion(text, _SIMPLE)} there are {', '.join(_SIMPLE)}, and percentiles "
            "such as p50 or p99.9".lstrip(),
        )

    def told(self, points: Points) -> Sequence[float | None]:
        """Return it of each point; None: it is not known, as of a percentile of sums."""
        if simple := _SIMPLE.get(self.name):
            return simple(points)
        return points.percentiles(float(self.name[1:]))


def period(seconds: float, *, field: str = "period") -> int:
    """Return a period in seconds. Raises InvalidInput where no points can be told for it."""
    unit = SHORTEST if seconds < 60 else 60
    if seconds < SHORTEST or seconds % unit or seconds > 86400:
        raise InvalidInput(
            f"a period of {seconds:g} s is not possible",
            field=field,
            hint="give 10, 20, 30, 40 or 50 seconds, or whole minutes up to a day",
        )
    return int(seconds)


def begin(instant: datetime, seconds: int) -> datetime:
    """Return the begin of the period that the instant is in; periods begin with the epoch."""
    return instant - (instant - _EPOCH) % timedelta(seconds=seconds)


def merged(points: Iterable[Point], seconds: int) -> list[Point]:
    """Return points, which are in the order of time, merged into longer periods."""
    grouped: dict[datetime, list[Aggregate]] = {}
    for point in points:
        grouped.setdefault(begin(point.at, seconds), []).append(point.value)
    return [Point(at, reduce(Aggregate.plus, values)) for at, values in grouped.items()]
