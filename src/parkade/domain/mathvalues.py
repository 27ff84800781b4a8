"""Metric math: what expressions are about, and what operators make of it.

A value is a number, a line (a value at each of some instants), or several of these in a row. An
operator between two lines has a value at the instants that both have; where a result is no finite
number (a division by zero), there is none at that instant.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

Unary: TypeAlias = "Callable[[float], float]"
Binary: TypeAlias = "Callable[[float, float], float]"


@dataclass(frozen=True, slots=True)
class Line:
    """Values by instants, in the order of time; each is that of `period` seconds from there."""

    period: int
    values: Mapping[datetime, float]
    label: str = ""
    #: How many samples each value was made of; empty where it was computed.
    samples: Mapping[datetime, float] = field(default_factory=dict)


Value: TypeAlias = "float | Line | tuple[float | Line, ...] | str"


def _logical(test: Binary) -> Binary:
    return lambda left, right: float(test(left, right))


OPERATORS: Mapping[str, Binary] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
    "==": _logical(operator.eq),
    "!=": _logical(operator.ne),
    "<": _logical(operator.lt),
    ">": _logical(operator.gt),
    "<=": _logical(operator.le),
    ">=": _logical(operator.ge),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}


def of_all(function: Unary, value: Value) -> Value:
    """Return a value with the function applied to every number in it."""
    if isinstance(value, str):
        raise unusable("a text where a number should be")
    if isinstance(value, tuple):
        return tuple(_of_one(function, each) for each in value)
    return _of_one(function, value)


def combined(function: Binary, left: Value, right: Value) -> Value:
    """Return what an operator makes of two values. Raises InvalidInput for two lists, and texts."""
    if isinstance(left, str) or isinstance(right, str):
        raise unusable("a text where a number should be")
    if isinstance(left, tuple):
        if isinstance(right, tuple):
            raise unusable("an operator between two lists")
        return tuple(_combined(function, each, right) for each in left)
    if isinstance(right, tuple):
        return tuple(_combined(function, left, each) for each in right)
    return _combined(function, left, right)


def computed(line: Line, values: Mapping[datetime, float]) -> Line:
    """Return a line with other values; those that are no finite numbers are left out."""
    finite = {at: value for at, value in values.items() if math.isfinite(value)}
    return replace(line, values=finite, samples={})


def unusable(what: str) -> InvalidInput:
    """Return the error of values that do not go together."""
    return InvalidInput(f"the expression has {what}", field="Expression")


def _of_one(function: Unary, value: float | Line) -> float | Line:
    if isinstance(value, Line):
        return computed(value, {at: function(each) for at, each in value.values.items()})
    return function(value) if math.isfinite(value) else math.nan


def _combined(function: Binary, left: float | Line, right: float | Line) -> float | Line:
    if isinstance(left, Line):
        if not isinstance(right, Line):
            return computed(left, {at: _safe(function, v, right) for at, v in left.values.items()})
        line = left if left.period >= right.period else right
        common = {at: right.values[at] for at in left.values if at in right.values}
        return computed(
            line, {at: _safe(function, left.values[at], each) for at, each in common.items()}
        )
    if isinstance(right, Line):
        return computed(right, {at: _safe(function, left, v) for at, v in right.values.items()})
    return _safe(function, left, right)


def _safe(function: Binary, left: float, right: float) -> float:
    """Return what there is; no number where arithmetic has none, or none that fits."""
    try:
        return function(left, right)
    except (ArithmeticError, ValueError):
        return math.nan
