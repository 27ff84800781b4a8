"""Axes: where ticks lie, and how their numbers are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
#: No axis ends below that: nothing here is measured more finely.
_LEAST = 1e-3
#: Steps of time, in seconds.
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600)


@dataclass(frozen=True, slots=True)
class Axis:
    """From a range of values to a range of pixels."""

    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        span = (self.high - self.low) or 1.0
        return round(self.begin + (value - self.low) / span * (self.end - self.begin), 2)


def rising(values: Sequence[float], begin: float, end: float, *, wanted: int = 5) -> Axis:
    """Return an axis from 0 to a round number above all values."""
    top = max([value for value in values if math.isfinite(value)], default=0.0) or 1.0
    top = max(top, _LEAST)
    step = _step(top / wanted)
    count = math.ceil(round(top / step, 9))
    ticks = tuple(round(step * n, 12) for n in range(count + 1))
    return Axis(0.0, ticks[-1], begin, end, ticks)


def passing(seconds: float, begin: float, end: float, *, wanted: int = 6) -> Axis:
    """Return an axis of time from 0 on."""
    span = max(seconds, 1.0)
    step = next((each for each in _TIMES if span / each <= wanted), _TIMES[-1])
    ticks = tuple(float(n * step) for n in range(int(span // step) + 1))
    return Axis(0.0, span, begin, end, ticks)


def _step(least: float) -> float:
    size: float = 10.0 ** math.floor(math.log10(least))
    return next(size * each for each in _STEPS if size * each >= least * (1 - 1e-9))


def number(value: float) -> str:
    """Write a number of an axis: `0`, `2.5`, `1 200`, `12 000`."""
    if value == int(value):
        return f"{int(value):,}".replace(",", "\u2009")
    return f"{value:.4g}"


def clock(seconds: float) -> str:
    """Write a time of an axis: `45 s`, `2:30`, `1:05:00`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
