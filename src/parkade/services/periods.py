"""What was measured, period by period: for the rules of thousands of alarms and policies at once.

Whatever asks for one series is read together with all that ask for the same periods; an expression
is answered by itself.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.evaluation import Datum
from parkade.domain.points import Points
from parkade.domain.statistics import Statistic, begin
from parkade.services.metrics import MOST_POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.metricquery import Measured, Query
    from parkade.ports.metrics import Found, MetricStore
    from parkade.services.metricqueries import MetricQueries

logger = logging.getLogger(__name__)

#: Why something is not known where a bug of ours came to light.
FAULT = "of a fault in Parkade itself, which logs/control.log tells"


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
    reading = _Reading(until, store, queries)
    together: defaultdict[tuple[int, int], list[tuple[Asked, Measured]]] = defaultdict(list)
    for each in asked:
        if (measured := each.plain) is not None:
            together[each.period, each.periods].append((each, measured))
        else:
            reading.alone(each)
    for (period, periods), wanted in together.items():
        # Of a day in minutes, some series: those of a thousand would be more than anybody holds.
        at_once = max(1, MOST_POINTS // periods)
        for first in range(0, len(wanted), at_once):
            reading.together(wanted[first : first + at_once], period, periods)
    return Read(data=reading.data, troubles=reading.troubles)


class _Reading:
    """One reading, as far as it has come."""

    def __init__(self, until: datetime, store: MetricStore, queries: MetricQueries) -> None:
        self._until = until
        self._store = store
        self._queries = queries
        self.data: dict[str, Sequence[Datum]] = {}
        self.troubles: dict[str, str] = {}

    def together(self, wanted: Sequence[tuple[Asked, Measured]], period: int, periods: int) -> None:
        """Read one series for each."""
        instants = self._instants(period, periods)
        series = list(dict.fromkeys(measured.series for _, measured in wanted))
        end = instants[-1] + timedelta(seconds=period)
        found = self._store.points(series, instants[0], end, period)
        for each, measured in wanted:
            self._settle(each, partial(_data, found, measured, instants))

    def alone(self, asked: Asked) -> None:
        """Answer what takes more than one series."""
        self._settle(asked, partial(self._answer, asked))

    def _settle(self, asked: Asked, tell: Callable[[], Sequence[Datum]]) -> None:
        try:
            self.data[asked.key] = tell()
        except ParkadeError as error:
            self.troubles[asked.key] = error.message
        except Exception:
            # Whatever somebody's expression brings to light, the others are seen to.
            logger.exception("bug while what was measured was read for %s", asked.key)
            self.troubles[asked.key] = FAULT

    def _answer(self, asked: Asked) -> Sequence[Datum]:
        instants = self._instants(asked.period, asked.periods)
        end = instants[-1] + timedelta(seconds=asked.period)
        (result,) = self._queries.answer(asked.queries, instants[0], end)
        if result.unreadable is not None:
            raise result.unreadable
        if len(result.lines) != 1:
            raise InvalidInput(
                f"the expression gives {len(result.lines)} time series; a rule needs one",
                field="Metrics",
                hint="SUM, MAX or the like makes one of several",
            )
        line = result.lines[0]
        return [Datum(at, line.values.get(at), line.samples.get(at)) for at in instants]

    def _instants(self, period: int, periods: int) -> list[datetime]:
        """Return the begins of the periods that are over, the oldest first."""
        end = begin(self._until, period)
        return [end - timedelta(seconds=period * back) for back in range(periods, 0, -1)]


def _data(found: Found, measured: Measured, instants: Sequence[datetime]) -> Sequence[Datum]:
    points = found.get(measured.series, Points())
    values = zip(Statistic(measured.statistic).told(points), points.counts, strict=True)
    told = dict(zip(points.times, values, strict=True))
    return [Datum(at, *told.get(at, (None, None))) for at in instants]
