"""Answers queries of measurements: what is stored of series, and expressions over it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain import metricquery
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.mathfunctions import Span
from parkade.domain.mathvalues import Line
from parkade.domain.points import Points
from parkade.domain.statistics import Statistic
from parkade.services.metrics import MOST_POINTS, aligned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.domain.metricquery import Measured, Query
    from parkade.ports.metrics import Found, MetricStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a query gave. Where a series that it needs is damaged: nothing, and why."""

    query: Query
    lines: tuple[Line, ...] = ()
    unreadable: Unreadable | None = None


class MetricQueries:
    """Reads; changes nothing."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def answer(self, queries: Sequence[Query], start: datetime, end: datetime) -> list[Result]:
        """Return what each query that is returned gives, in the order that they were given in.

        Periods begin with the epoch; told are those that begin before `end`, and that which
        `start` is in. Raises InvalidInput for queries that cannot be answered, or for more points
        than MOST_POINTS, and Unreadable or Unavailable where the whole store cannot be read.
        """
        metricquery.check(queries)
        lines, damaged = self._lines(metricquery.needed(queries), start, end)
        span = Span(start=start, end=end, period=metricquery.widest(queries))
        results: list[Result] = []
        for query in queries:
            if not query.returned:
                continue
            alone = [replace(each, returned=each is query) for each in queries]
            needed = metricquery.needed(alone)
            errors = [damaged[each.id] for each in needed if each.id in damaged]
            if errors:
                results.append(Result(query=query, unreadable=errors[0]))
            else:
                found = metricquery.answer(
                    metricquery.concerned(alone), {each.id: lines[each.id] for each in needed}, span
                )
                results.append(Result(query=query, lines=found[query.id]))
        return results

    def _lines(
        self, queries: Sequence[Query], start: datetime, end: datetime
    ) -> tuple[dict[str, Line], dict[str, Unreadable]]:
        by_period: defaultdict[int, list[tuple[str, Measured]]] = defaultdict(list)
        for query in queries:
            if query.measured is not None:
                by_period[query.measured.period].append((query.id, query.measured))
        _bound(by_period, start, end)
        lines: dict[str, Line] = {}
        damaged: dict[str, Unreadable] = {}
        for period, wanted in by_period.items():
            first, last = aligned(start, end, period)
            series = list(dict.fromkeys(each.series for _, each in wanted))
            found = self._store.points(series, first, last, period)
            for query_id, each in wanted:
                try:
                    lines[query_id] = self._line(each, found)
                except Unreadable as error:
                    damaged[query_id] = error
        return lines, damaged

    def _line(self, measured: Measured, found: Found) -> Line:
        points = found.get(measured.series, Points())
        if measured.unit and points and self._unit(measured) != measured.unit:
            points = Points()
        statistic = Statistic(measured.statistic)
        told = zip(points.times, statistic.told(points), strict=True)
        return Line(
            period=measured.period,
            values={at: value for at, value in told if value is not None},
            label=measured.series.name,
            samples=dict(zip(points.times, points.counts, strict=True)),
        )

    def _unit(self, measured: Measured) -> str:
        series = measured.series
        known = self._store.known(series.namespace, series.name, dict(series.dimensions))
        return next((each.unit for each in known if each.series == series), "")


def _bound(
    by_period: dict[int, list[tuple[str, Measured]]], start: datetime, end: datetime
) -> None:
    seconds = (end - start).total_seconds()
    points = sum(len(wanted) * int(seconds // period) for period, wanted in by_period.items())
    if points > MOST_POINTS:
        raise InvalidInput(
            f"the queries ask for up to {points} points, more than {MOST_POINTS}",
            field="MetricDataQueries",
            hint="ask for longer periods, a shorter range, or fewer series",
        )
