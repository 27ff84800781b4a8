"""Alarms as JSON, in the members of CloudWatch's PutMetricAlarm: what a project's alarms are told in.

What is left out has CloudWatch's default, and `content` leaves that out again: two contents are equal
where the alarms are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from parkade.domain.alarm import Alarm, Comparison, Missing, Rule, first_standing
from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.domain.event import Json

#: Members that a file need not know of, and what they are where nobody has said anything.
ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
ENABLED = "ActionsEnabled"
TAGS = "Tags"
_RULE = (
    "ComparisonOperator",
    "Threshold",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
)
_ONE = ("Namespace", "MetricName", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit")
_KNOWN = frozenset({"AlarmDescription", "Metrics", ENABLED, TAGS, *ACTIONS, *_RULE, *_ONE})
_IGNORE = "ignore"


def alarm(name: str, content: Mapping[str, Json], now: datetime) -> Alarm:
    """Return the alarm that the content describes. Raises InvalidInput that names the member."""
    given = cast("Mapping[str, Any]", content)
    if unknown := sorted(given.keys() - _KNOWN):
        raise InvalidInput(
            f"alarm {name!r} has {unknown[0][:80]!r}, which no alarm has", field=unknown[0][:80]
        )
    try:
        return Alarm(
            name=name,
            rule=_rule(given),
            queries=_queries(given),
            standing=first_standing(now),
            configured_at=now,
            description=given.get("AlarmDescription", ""),
            actions_enabled=given.get(ENABLED, True),
            ok_actions=tuple(given.get("OKActions", ())),
            alarm_actions=tuple(given.get("AlarmActions", ())),
            insufficient_data_actions=tuple(given.get("InsufficientDataActions", ())),
            plain="Metrics" not in given,
            tags={each["Key"]: each["Value"] for each in given.get(TAGS, ())},
        )
    except KeyError as error:
        raise InvalidInput(
            f"alarm {name!r} has no {error.args[0]}", field=str(error.args[0])
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"alarm {name!r} is not in the form of PutMetricAlarm: {error}", field="Metrics"
        ) from error


def content(alarm: Alarm) -> dict[str, Json]:
    """Return what describes the alarm, but its name."""
    rule = alarm.rule
    told: dict[str, Json] = {
        "ComparisonOperator": rule.comparison.value,
        "Threshold": rule.threshold,
        "EvaluationPeriods": rule.periods,
    }
    if rule.datapoints != rule.periods:
        told["DatapointsToAlarm"] = rule.datapoints
    if rule.missing is not Missing.MISSING:
        told["TreatMissingData"] = rule.missing.value
    if rule.ignore_few_samples:
        told["EvaluateLowSampleCountPercentile"] = _IGNORE
    if alarm.description:
        told["AlarmDescription"] = alarm.description
    if not alarm.actions_enabled:
        told[ENABLED] = False
    for member, actions in zip(
        ACTIONS,
        (alarm.ok_actions, alarm.alarm_actions, alarm.insufficient_data_actions),
        strict=True,
    ):
        if actions:
            told[member] = list(actions)
    if alarm.tags:
        told[TAGS] = [{"Key": key, "Value": alarm.tags[key]} for key in sorted(alarm.tags)]
    measured = alarm.watched.measured
    if alarm.plain and measured is not None:
        return told | _metric(measured.series) | _statistic(measured)
    return told | {"Metrics": [_query(each) for each in alarm.queries]}


def stat(series: Series, *, period: int, statistic: str) -> dict[str, Json]:
    """Return the members of an alarm on one statistic of one series."""
    measured = Measured(series=series, period=period, statistic=statistic)
    return _metric(series) | _statistic(measured)


def worst(series: Sequence[Series], *, period: int, statistic: str, of: str) -> dict[str, Json]:
    """Return the members of an alarm on the greatest, or the least, of several series.

    `of` is MAX or MIN: what the worst is depends on which side of the threshold is bad.
    """
    queries = [
        Query(
            id=f"m{number}",
            measured=Measured(series=each, period=period, statistic=statistic),
            returned=False,
        )
        for number, each in enumerate(series, 1)
    ]
    names = ", ".join(each.id for each in queries)
    label = f"{of.lower()} of {statistic} {series[0].name} of {len(series)} series"
    chosen = Query(id="worst", expression=f"{of}([{names}])", label=label)
    return {"Metrics": [_query(each) for each in (*queries, chosen)]}


def _rule(given: Mapping[str, Any]) -> Rule:
    periods = given["EvaluationPeriods"]
    return Rule(
        comparison=Comparison(given["ComparisonOperator"]),
        threshold=float(given["Threshold"]),
        periods=periods,
        datapoints=given.get("DatapointsToAlarm", periods),
        missing=Missing(given.get("TreatMissingData", Missing.MISSING)),
        ignore_few_samples=given.get("EvaluateLowSampleCountPercentile") == _IGNORE,
    )


def _queries(given: Mapping[str, Any]) -> tuple[Query, ...]:
    if "Metrics" in given:
        return tuple(map(_queried, given["Metrics"]))
    return (Query(id="m1", measured=_measured(given, given)),)


def _queried(given: Mapping[str, Any]) -> Query:
    stat = given.get("MetricStat")
    return Query(
        id=given["Id"],
        measured=_measured(stat["Metric"], stat) if stat is not None else None,
        expression=given.get("Expression", ""),
        label=given.get("Label", ""),
        returned=given.get("ReturnData", True),
        period=given.get("Period"),
    )


def _measured(metric: Mapping[str, Any], how: Mapping[str, Any]) -> Measured:
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
    named = ("Stat", "Statistic", "ExtendedStatistic")
    statistic = next((how[member] for member in named if how.get(member)), None)
    if statistic is None:
        raise KeyError("Statistic")
    return Measured(
        series=Series.of(metric["Namespace"], metric["MetricName"], **dimensions),
        period=how["Period"],
        statistic=statistic,
        unit=how.get("Unit", ""),
    )


def _metric(series: Series) -> dict[str, Json]:
    return {
        "Namespace": series.namespace,
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
    }


def _statistic(measured: Measured) -> dict[str, Json]:
    percentile = measured.statistic.startswith("p")
    told: dict[str, Json] = {
        "ExtendedStatistic" if percentile else "Statistic": measured.statistic,
        "Period": measured.period,
    }
    return told | ({"Unit": measured.unit} if measured.unit else {})


def _query(query: Query) -> dict[str, Json]:
    told: dict[str, Json] = {"Id": query.id}
    if not query.returned:
        told["ReturnData"] = False
    if query.label:
        told["Label"] = query.label
    if query.measured is None:
        told["Expression"] = query.expression
        return told | ({"Period": query.period} if query.period is not None else {})
    how: dict[str, Json] = {
        "Metric": _metric(query.measured.series),
        "Period": query.measured.period,
        "Stat": query.measured.statistic,
    }
    if query.measured.unit:
        how["Unit"] = query.measured.unit
    return told | {"MetricStat": how}
