"""What was measured for scaling policies: period by period, those of a thousand in one reading."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ParkadeError, Unreadable
from parkade.domain.evaluation import Datum
from parkade.domain.points import Points
from parkade.domain.statistics import Statistic, begin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.domain.metricquery import Measured, Query
    from parkade.ports.metrics import MetricStore
    from parkade.services.metricqueries import MetricQueries

logger = logging.getLogger(__name__)

#: Series that are read at once: a day of all of them would be more than a reading should hold.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be read: queries, of which one is returned, for so many periods of so many seconds."""

    key: str
    queries: tuple[Query, ...]
    period: int
    periods: int

    @property
    def plain(self) -> Measured | None:
        """The one series that is asked for; None: it takes more to answer."""
        only = self.queries[0].measured if len(self.queries) == 1 else None
        return only if only is not None and not only.unit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What there is of each that was asked for, and why there is nothing of others."""

    data: Mapping[str, Sequence[Datum]]
    troubles: Mapping[str, str]


def read(
    asked: Sequence[Asked], until: datetime, store: MetricStore, queries: MetricQueries
) -> Read:
    """Return the periods that are over at an instant, the oldest first.

    A series that is damaged, or an expression that cannot be computed, is a trouble of its own.
    Raises Unreadable or Unavailable where nothing can be read.
    """
    data: dict[str, Sequence[Datum]] = {}
    troubles: dict[str, str] = {}
    together: defaultdict[tuple[int, int], list[tuple[Asked, Measured]]] = defaultdict(list)
    for each in asked:
        if (measured := each.plain) is not None:
            together[each.period, each.periods].append((each, measured))
            continue
        try:
            data[each.key] = _alone(each, until, queries)
        except ParkadeError as error:
            troubles[each.key] = error.message
        except Exception:
            # Whatever somebody's expression brings to light, the other policies are seen to.
            logger.exception("bug while the metric of %s was computed", each.key)
            troubles[each.key] = "of a fault in Parkade itself, which logs/control.log tells"
    for (period, periods), wanted in together.items():
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            _together(some, _instants(until, period, periods), period, store, data, troubles)
    return Read(data=data, troubles=troubles)


def _together(
    wanted: Sequence[tuple[Asked, Measured]],
    instants: Sequence[datetime],
    period: int,
    store: MetricStore,
    data: dict[str, Sequence[Datum]],
    troubles: dict[str, str],
) -> None:
    series = list(dict.fromkeys(measured.series for _, measured in wanted))
    end = instants[-1] + timedelta(seconds=period)
    found = store.points(series, instants[0], end, period)
    for each, measured in wanted:
        try:
            points = found.get(measured.series, Points())
        except Unreadable as error:
            troubles[each.key] = error.message
            continue
        told = dict(zip(points.times, Statistic(measured.statistic).told(points), strict=True))
        data[each.key] = [Datum(at, told.get(at)) for at in instants]


def _alone(asked: Asked, until: datetime, queries: MetricQueries) -> Sequence[Datum]:
    instants = _instants(until, asked.period, asked.periods)
    end = instants[-1] + timedelta(seconds=asked.period)
    (result,) = queries.answer(asked.queries, instants[0], end)
    if result.unreadable is not None:
        raise result.unreadable
    if len(result.lines) != 1:
        raise InvalidInput(
            f"the expression gives {len(result.lines)} time series; a policy tracks one",
            field="Metrics",
            hint="SUM, MAX or the like makes one of several",
        )
    return [Datum(at, result.lines[0].values.get(at)) for at in instants]


def _instants(until: datetime, period: int, periods: int) -> list[datetime]:
    """Return the begins of the periods that are over, the oldest first."""
    end = begin(until, period)
    return [end - timedelta(seconds=period * back) for back in range(periods, 0, -1)]
