"""Metric math: the functions, by the names that CloudWatch has for them.

Statistics of one line are numbers; of several lines they are a line that has a value where any
of them has one.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from parkade.domain.mathvalues import Line, Value, computed, of_all, unusable
from parkade.domain.statistics import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is asked for: from `start` to before `end`, with `period` where no line says one."""

    start: datetime
    end: datetime
    period: int

    def instants(self, period: int) -> list[datetime]:
        """Return the begins of all periods in the span."""
        step = timedelta(seconds=period)
        first = begin(self.start, period)
        return [first + step * count for count in range(math.ceil((self.end - first) / step))]


def call(name: str, given: Sequence[Value], span: Span) -> Value:
    """Return what a function makes of its arguments. Raises InvalidInput."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise unusable(
            f"the function {name[:40]}, which is not built here: there are {', '.join(FUNCTIONS)}"
        )
    least, most = function.arguments
    if not least <= len(given) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise unusable(f"{len(given)} arguments for {name}, which takes {wanted}")
    return function.compute(given, span)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and how many arguments it takes at least and at most."""

    compute: Callable[[Sequence[Value], Span], Value]
    arguments: tuple[int, int] = (1, 1)


def _line(value: Value, name: str) -> Line:
    if not isinstance(value, Line):
        raise unusable(f"something else than a time series in {name}")
    return value


def _statistic(name: str, exact: Callable[[Sequence[float]], float]) -> Function:
    def of(numbers: Sequence[float]) -> float:
        if not all(map(math.isfinite, numbers)):
            return math.nan
        try:
            return exact(numbers)
        except ArithmeticError:  # it is beyond all floats
            return math.nan

    def compute(given: Sequence[Value], _span: Span) -> Value:
        value = given[0]
        if isinstance(value, str):
            raise unusable(f"a text in {name}")
        if isinstance(value, tuple):
            return _across(value, of)
        if isinstance(value, Line):
            return of(list(value.values.values())) if value.values else math.nan
        return value

    return Function(compute)


def _across(values: Iterable[float | Line], of: Callable[[Sequence[float]], float]) -> Value:
    """Return the statistic at each instant that any line has; of numbers alone it is a number."""
    lines = [each for each in values if isinstance(each, Line)]
    numbers = [each for each in values if not isinstance(each, Line)]
    if not lines:
        return of(numbers) if numbers else math.nan
    instants = sorted(set().union(*(line.values for line in lines)))
    found = {
        at: of([*(line.values[at] for line in lines if at in line.values), *numbers])
        for at in instants
    }
    widest = max(lines, key=lambda line: line.period)
    return Line(widest.period, computed(widest, found).values)


def _mapped(of: Callable[[float], float]) -> Function:
    return Function(lambda given, _: of_all(of, given[0]))


def _on_lines(name: str, of: Callable[[Line], Mapping[datetime, float]]) -> Function:
    def compute(given: Sequence[Value], _span: Span) -> Value:
        value = given[0]
        if isinstance(value, tuple):
            lines = [_line(each, name) for each in value]
            return tuple(computed(line, of(line)) for line in lines)
        line = _line(value, name)
        return computed(line, of(line))

    return Function(compute)


def _differences(line: Line) -> dict[datetime, float]:
    pairs = pairwise(line.values.items())
    return {at: value - before for (_, before), (at, value) in pairs}


def _rates(line: Line) -> dict[datetime, float]:
    pairs = pairwise(line.values.items())
    return {at: (v - before) / (at - then).total_seconds() for (then, before), (at, v) in pairs}


def _running(line: Line) -> dict[datetime, float]:
    return dict(zip(line.values, accumulate(line.values.values()), strict=True))


def _fill(given: Sequence[Value], span: Span) -> Value:
    value, filler = given
    if isinstance(value, tuple):
        return tuple(_filled(_line(each, "FILL"), filler, span) for each in value)
    return _filled(_line(value, "FILL"), filler, span)


def _filled(line: Line, filler: Value, span: Span) -> Line:
    instants = sorted({*span.instants(line.period), *line.values})
    if filler == "REPEAT":
        values = _repeated(line, instants)
    elif filler == "LINEAR":
        values = _interpolated(line, instants)
    elif isinstance(filler, Line):
        values = {at: v for at in instants if (v := line.values.get(at, filler.values.get(at)))
                  is not None}  # fmt: skip
    elif isinstance(filler, float):
        values = {at: line.values.get(at, filler) for at in instants}
    else:
        raise unusable("a FILL with something else than a number, a time series, REPEAT or LINEAR")
    return computed(line, values)


def _repeated(line: Line, instants: Iterable[datetime]) -> dict[datetime, float]:
    found: dict[datetime, float] = {}
    last: float | None = None
    for at in instants:
        last = line.values.get(at, last)
        if last is not None:
            found[at] = last
    return found


def _interpolated(line: Line, instants: Iterable[datetime]) -> dict[datetime, float]:
    """Return a straight line between the values that there are; before and after, the nearest."""
    known = list(line.values.items())
    if not known:
        return {}
    found: dict[datetime, float] = {}
    place = 0
    for at in instants:
        while place + 1 < len(known) and known[place + 1][0] <= at:
            place += 1
        (left, low), (right, high) = known[place], known[min(place + 1, len(known) - 1)]
        if at <= left or left == right:
            found[at] = low
        else:
            found[at] = low + (high - low) * ((at - left) / (right - left))
    return found


def _count(given: Sequence[Value], _span: Span) -> Value:
    value = given[0]
    if not isinstance(value, tuple):
        _line(value, "METRIC_COUNT")
        return 1.0
    return float(sum(isinstance(each, Line) for each in value))


def _period(given: Sequence[Value], _span: Span) -> Value:
    return float(_line(given[0], "PERIOD").period)


def _series(given: Sequence[Value], span: Span) -> Value:
    value = given[0]
    if isinstance(value, Line):
        return value
    if not isinstance(value, float):
        raise unusable("something else than a number in TIME_SERIES")
    line = Line(span.period, {})
    return computed(line, dict.fromkeys(span.instants(span.period), value))


def _if(given: Sequence[Value], _span: Span) -> Value:
    condition, *branches = given
    if isinstance(condition, float):
        if condition:
            return branches[0]
        return branches[1] if len(branches) > 1 else math.nan
    tested = _line(condition, "IF")
    found: dict[datetime, float] = {}
    for at, true in tested.values.items():
        chosen = 0 if true else 1
        if chosen < len(branches) and (value := _at(branches[chosen], at)) is not None:
            found[at] = value
    return Line(tested.period, computed(tested, found).values)


def _at(value: Value, at: datetime) -> float | None:
    if isinstance(value, Line):
        return value.values.get(at)
    if isinstance(value, float):
        return value
    raise unusable("something else than a number or a time series in IF")


FUNCTIONS: Mapping[str, Function] = {
    "SUM": _statistic("SUM", math.fsum),
    "AVG": _statistic("AVG", statistics.fmean),
    "MIN": _statistic("MIN", min),
    "MAX": _statistic("MAX", max),
    "STDDEV": _statistic("STDDEV", statistics.pstdev),
    "ABS": _mapped(abs),
    "CEIL": _mapped(lambda value: float(math.ceil(value))),
    "FLOOR": _mapped(lambda value: float(math.floor(value))),
    "FILL": Function(_fill, (2, 2)),
    "METRIC_COUNT": Function(_count),
    "RATE": _on_lines("RATE", _rates),
    "DIFF": _on_lines("DIFF", _differences),
    "PERIOD": Function(_period),
    "RUNNING_SUM": _on_lines("RUNNING_SUM", _running),
    "TIME_SERIES": Function(_series),
    "IF": Function(_if, (2, 3)),
}
