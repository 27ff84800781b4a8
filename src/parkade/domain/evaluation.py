"""Whether an alarm is in ALARM: M of N points, and what counts where points are missing.

    the evaluation range: the N periods, and EXTRA older ones
    - real points are used before missing ones are: with N or more of them in the range, the newest
      N decide, M of which must breach
    - with fewer, what is missing is filled in, no more often than it takes to have N:
        breaching, notBreaching   as if such points had been measured
        ignore                    M that breach are an alarm, one that does not is none;
                                  else the state stays as it is
        missing                   the same; without any point there is insufficient data
    - an alarm is not raised early: with `missing`, real points that all breach, but fewer than M,
      are an alarm once the oldest of them is at least M periods old; until then a point that does
      not breach may still come, and the state stays as it is

These are CloudWatch's documented rules. What it does not say is how many older periods it looks
at: its examples have two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.alarm import Missing, Rule, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: Periods that are looked at beyond those that are evaluated.
EXTRA = 2


@dataclass(frozen=True, slots=True)
class Datum:
    """What there is of one period; no value: its point is missing."""

    at: datetime
    value: float | None
    #: How many samples the value was made of; None: not known.
    samples: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the points say. No state: the alarm stays in the one that it is in."""

    state: State | None
    #: The real points that decided, the oldest first.
    evaluated: tuple[Datum, ...]
    #: How many missing ones were filled in.
    filled: int


def verdict(rule: Rule, data: Sequence[Datum]) -> Verdict:
    """Return what the periods of the evaluation range say, the oldest first."""
    real = [datum for datum in data if datum.value is not None]
    if len(real) >= rule.periods:
        newest = real[-rule.periods :]
        breaching = _breaching(rule, newest)
        state = State.ALARM if breaching >= rule.datapoints else State.OK
        return Verdict(state=state, evaluated=tuple(newest), filled=0)
    filled = rule.periods - len(real)
    return Verdict(state=_filled(rule, data, real, filled), evaluated=tuple(real), filled=filled)


def _filled(rule: Rule, data: Sequence[Datum], real: Sequence[Datum], filled: int) -> State | None:
    breaching = _breaching(rule, real)
    if rule.missing is Missing.BREACHING:
        breaching += filled
    if breaching >= rule.datapoints:
        return State.ALARM
    decides = {Missing.BREACHING, Missing.NOT_BREACHING}
    if rule.missing in decides or breaching < len(real):
        return State.OK
    if rule.missing is Missing.IGNORE:
        return None
    if not real:
        return State.INSUFFICIENT_DATA
    age = next(place for place, datum in enumerate(reversed(data), 1) if datum is real[0])
    return State.ALARM if age >= rule.datapoints else None


def _breaching(rule: Rule, data: Sequence[Datum]) -> int:
    return sum(
        rule.comparison.holds(datum.value, rule.threshold)
        for datum in data
        if datum.value is not None
    )


def too_few(percent: float, samples: float) -> bool:
    """Tell whether a percentile of so few samples means nothing, by CloudWatch's rule of thumb."""
    rarer = min(percent, 100 - percent) / 100
    return rarer > 0 and samples < 10 / rarer
