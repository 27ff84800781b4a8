"""What the points of an alarm mean for its state, with the reason in CloudWatch's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.domain.alarm import Missing, State
from parkade.domain.evaluation import EXTRA, Datum, Verdict, too_few, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.domain.alarm import Alarm, Rule

#: How many points a reason, and its data, tell of; the newest.
TOLD = 10
_TREATED = {Missing.BREACHING: "Breaching", Missing.NOT_BREACHING: "NonBreaching"}


def judged(alarm: Alarm, data: Sequence[Datum], now: datetime) -> Alarm | None:
    """Return the alarm in the state that its evaluation range (see `span`) asks for.

    None: it stays in the one that it is in, for the reason that it has.
    """
    found = verdict(alarm.rule, data)
    standing = alarm.standing
    if found.state is None or found.state is standing.state or _unsure(alarm, found):
        return None
    return alarm.saying(
        found.state,
        _reason(alarm.rule, found, found.state),
        _data(alarm, found, data, now),
        now,
    )


def span(alarm: Alarm) -> int:
    """Return how many periods are looked at."""
    return alarm.rule.periods + EXTRA


def _unsure(alarm: Alarm, found: Verdict) -> bool:
    """Tell whether percentiles of too few samples are to leave the state as it is."""
    measured = alarm.watched.measured
    if not alarm.rule.ignore_few_samples or measured is None or measured.statistic[0] != "p":
        return False
    percent = float(measured.statistic[1:])
    return any(too_few(percent, each.samples or 0) for each in found.evaluated)


def _reason(rule: Rule, found: Verdict, state: State) -> str:
    if state is State.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_counted(rule.periods)} {_were(rule.periods)} unknown."
    treated = ""
    if found.filled and rule.missing in _TREATED:
        treated = (
            f" and {_counted(found.filled, 'missing ')} {_were(found.filled)} treated as "
            f"[{_TREATED[rule.missing]}]"
        )
    if not found.evaluated:
        return (
            f"Threshold Crossed: no datapoints were received for {rule.periods} "
            f"{'period' if rule.periods == 1 else 'periods'}{treated}."
        )
    agreeing = [each for each in found.evaluated if _breaches(rule, each) is (state is State.ALARM)]
    shown = agreeing or found.evaluated
    if state is State.ALARM:
        least, transition = rule.datapoints, f"{State.OK} -> {State.ALARM}"
    else:
        least, transition = rule.periods - rule.datapoints + 1, f"{State.ALARM} -> {State.OK}"
    return (
        f"Threshold Crossed: {len(agreeing)} out of the last {len(found.evaluated)} datapoints "
        f"[{', '.join(_told(each) for each in reversed(shown[-TOLD:]))}] {_were(len(agreeing))}"
        f"{'' if state is State.ALARM else ' not'} {rule.comparison.words} the threshold "
        f"({_number(rule.threshold)}){treated} (minimum {_counted(least)} for "
        f"{transition} transition)."
    )


def _data(alarm: Alarm, found: Verdict, data: Sequence[Datum], now: datetime) -> str:
    measured = alarm.watched.measured
    about: dict[str, object] = {"version": "1.0", "queryDate": stamp(now)}
    if data:
        about["startDate"] = stamp(data[0].at)
    if measured is not None:
        about["statistic"] = measured.statistic
        if measured.unit:
            about["unit"] = measured.unit
    about |= {
        "period": alarm.period,
        "recentDatapoints": [each.value for each in found.evaluated[-TOLD:]],
        "threshold": alarm.rule.threshold,
        "evaluatedDatapoints": [_evaluated(each) for each in reversed(found.evaluated[-TOLD:])],
    }
    return json.dumps(about)


def _evaluated(datum: Datum) -> dict[str, object]:
    told: dict[str, object] = {"timestamp": stamp(datum.at)}
    if datum.samples is not None:
        told["sampleCount"] = datum.samples
    return told | {"value": datum.value}


def stamp(instant: datetime) -> str:
    """Write an instant as CloudWatch's documents do: `2026-03-01T12:00:00.000+0000`."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}+0000"


def _breaches(rule: Rule, datum: Datum) -> bool:
    return datum.value is not None and rule.comparison.holds(datum.value, rule.threshold)


def _told(datum: Datum) -> str:
    return f"{_number(datum.value)} ({datum.at:%d/%m/%y %H:%M:%S})"


def _number(value: float | None) -> str:
    return str(value if value is None else float(value))


def _counted(count: int, what: str = "") -> str:
    return f"{count} {what}datapoint{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
