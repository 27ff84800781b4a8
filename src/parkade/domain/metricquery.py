"""Queries of measurements: statistics of series by id, and expressions over other queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import mathfunctions, mathsyntax
from parkade.domain.errors import InvalidInput
from parkade.domain.mathsyntax import Call, Listed, Name, Negative, Node, Number, Operation, Text
from parkade.domain.mathvalues import OPERATORS, Line, Value, combined, of_all, unusable
from parkade.domain.series import Series  # noqa: TC001  stores read these forms by annotations
from parkade.domain.statistics import Statistic, period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.domain.mathfunctions import Span

_ID = re.compile(r"[a-z][A-Za-z0-9_]*", re.ASCII)
#: How FILL is told what to fill with.
_WORDS = frozenset({"REPEAT", "LINEAR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A statistic of a series, period by period."""

    series: Series
    period: int
    statistic: str
    #: Only where the series has this unit; empty: whatever its unit.
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query, which others may name by its id: a measured series, or an expression."""

    id: str
    measured: Measured | None = None
    expression: str = ""
    label: str = ""
    #: Whether it is part of the answer.
    returned: bool = True
    #: Of an expression: the period of what has none of its own.
    period: int | None = None


def check(queries: Sequence[Query]) -> None:
    """Raise InvalidInput for queries that cannot be answered, whatever there is of their series."""
    ids: set[str] = set()
    for query in queries:
        if not _ID.fullmatch(query.id):
            raise InvalidInput(
                f"{query.id[:80]!r} is no id of a query",
                field="Id",
                hint="begin with a lower case letter; go on with letters, digits and underscores",
            )
        if query.id in ids:
            raise InvalidInput(f"two queries have the id {query.id!r}", field="Id")
        ids.add(query.id)
        if (query.measured is None) == (not query.expression):
            raise InvalidInput(
                f"query {query.id!r} must have one of MetricStat and Expression",
                field="MetricDataQueries",
            )
        if query.measured is not None:
            period(query.measured.period, field="Period")
            Statistic.of(query.measured.statistic, field="Stat")
        elif query.period is not None:
            period(query.period, field="Period")
    _order(queries)


def concerned(queries: Sequence[Query]) -> list[Query]:
    """Return the queries that what is returned needs, themselves included."""
    by_id = {query.id: query for query in queries}
    wanted = [query.id for query in queries if query.returned]
    seen: set[str] = set()
    while wanted:
        query_id = wanted.pop()
        if query_id not in seen:
            seen.add(query_id)
            wanted += _names(by_id[query_id])
    return [query for query in queries if query.id in seen]


def needed(queries: Sequence[Query]) -> list[Query]:
    """Return the measured queries that what is returned needs."""
    return [query for query in concerned(queries) if query.measured is not None]


def widest(queries: Iterable[Query]) -> int:
    """Return the longest period in seconds; a minute where none has one."""
    periods = [each.measured.period if each.measured else each.period for each in queries]
    return max((each for each in periods if each is not None), default=60)


def answer(
    queries: Sequence[Query], lines: Mapping[str, Line], span: Span
) -> Mapping[str, tuple[Line, ...]]:
    """Return the lines of each query that is returned, by its id.

    `lines` are those of the measured queries. Raises InvalidInput where an expression cannot be
    computed, or gives no time series.
    """
    values: dict[str, Value] = dict(lines)
    returned = {query.id for query in queries if query.returned}
    for query in _order(queries):
        if query.measured is None:
            around = (
                span
                if query.period is None
                else mathfunctions.Span(start=span.start, end=span.end, period=query.period)
            )
            values[query.id] = _value(mathsyntax.parse(query.expression), values, around)
    return {query.id: _lines(query, values[query.id]) for query in queries if query.id in returned}


def _lines(query: Query, value: Value) -> tuple[Line, ...]:
    found = value if isinstance(value, tuple) else (value,)
    if not found or not all(isinstance(each, Line) for each in found):
        raise mathsyntax.wrong(
            query.expression, "it gives no time series; TIME_SERIES makes one of a number"
        )
    return tuple(each for each in found if isinstance(each, Line))


def _order(queries: Sequence[Query]) -> list[Query]:
    """Return the queries, each after those that it names. Raises InvalidInput where it cannot be."""
    by_id = {query.id: query for query in queries}
    ordered: dict[str, Query] = {}
    under_way: set[str] = set()

    def visit(query: Query) -> None:
        if query.id in ordered:
            return
        if query.id in under_way:
            raise mathsyntax.wrong(query.expression, "it is about itself")
        under_way.add(query.id)
        for name in sorted(_names(query)):
            if name not in by_id:
                raise mathsyntax.wrong(query.expression, f"no query has the id {name!r}")
            visit(by_id[name])
        ordered[query.id] = query

    for query in queries:
        visit(query)
    return list(ordered.values())


def _names(query: Query) -> frozenset[str]:
    if query.measured is not None:
        return frozenset()
    return mathsyntax.names(mathsyntax.parse(query.expression)) - _WORDS


def _value(node: Node, values: Mapping[str, Value], span: Span) -> Value:
    match node:
        case Number(number):
            return number
        case Text(text):
            return text
        case Name(name):
            return name if name in _WORDS else values[name]
        case Negative(inner):
            return of_all(lambda number: -number, _value(inner, values, span))
        case Operation(operator, left, right):
            return combined(
                OPERATORS[operator], _value(left, values, span), _value(right, values, span)
            )
        case Call(function, arguments):
            given = [_value(each, values, span) for each in arguments]
            return mathfunctions.call(function, given, span)
        case Listed(items):
            return _listed(_value(each, values, span) for each in items)


def _listed(values: Iterable[Value]) -> Value:
    found: list[float | Line] = []
    for value in values:
        if isinstance(value, tuple):
            found += value
        elif isinstance(value, str):
            raise unusable("a text in a list")
        else:
            found.append(value)
    return tuple(found)
