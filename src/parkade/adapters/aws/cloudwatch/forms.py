"""Alarms as CloudWatch takes and tells them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.cloudwatch.reading import metric
from parkade.domain.alarm import OWN, Alarm, Comparison, Missing, Rule, Standing, State
from parkade.domain.errors import Unreadable
from parkade.domain.idlealarm import PREFIX
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: Tags that say whose an alarm is, and of Parkade's own which endpoint they show.
OWNER, ENDPOINT = "parkade:owner", "parkade:endpoint"
_STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
#: What a query is called that was given as one metric.
_ONLY = "m1"
_IGNORED = "ignore"


def request(alarm: Alarm) -> dict[str, Any]:
    """Return the PutMetricAlarm that makes an alarm, or changes it, but for its tags."""
    rule = alarm.rule
    found = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": list(alarm.ok_actions),
        "AlarmActions": list(alarm.alarm_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
        "EvaluationPeriods": rule.periods,
        "DatapointsToAlarm": rule.datapoints,
        "Threshold": rule.threshold,
        "ComparisonOperator": str(rule.comparison),
        "TreatMissingData": str(rule.missing),
    }
    if rule.ignore_few_samples:
        found["EvaluateLowSampleCountPercentile"] = _IGNORED
    measured = alarm.watched.measured
    if not alarm.plain or measured is None:
        return {**found, "Metrics": [_queried(each) for each in alarm.queries]}
    statistic = "Statistic" if measured.statistic in _STATISTICS else "ExtendedStatistic"
    found |= {**metric(measured.series), "Period": measured.period, statistic: measured.statistic}
    return found | ({"Unit": measured.unit} if measured.unit else {})


def tags(alarm: Alarm) -> dict[str, str]:
    """Return the tags that an alarm has in CloudWatch."""
    own = {OWNER: alarm.owner, ENDPOINT: alarm.endpoint_name}
    return {**alarm.tags, **{key: value for key, value in own.items() if value}}


def listed(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as CloudWatch takes them."""
    return [{"Key": key, "Value": value} for key, value in given.items()]


def read(given: Mapping[str, Any], tags: Mapping[str, str], held: Mapping[str, str]) -> Alarm:
    """Return a metric alarm by what DescribeAlarms tells; `held`: the tags of the alarm itself.

    Raises Unreadable for one that Parkade has no words for.
    """
    queries = _queries(given)
    return Alarm(rule=_rule(given), queries=queries, tags=held, **_common(given, tags))


def composite(
    given: Mapping[str, Any], children: Sequence[Alarm], tags: Mapping[str, str],
    held: Mapping[str, str],
) -> Alarm:  # fmt: skip
    """Return a composite alarm: the series of its children, and 1 where its rule holds."""
    rule = given["AlarmRule"]
    series = dict.fromkeys(
        query.measured for each in children for query in each.queries if query.measured is not None
    )
    measured = [
        Query(id=f"m{number}", measured=each, returned=False) for number, each in enumerate(series)
    ]
    period = max((each.period for each in series), default=60)
    watched = Query(id="rule", expression=rule, label=rule, period=period)
    return Alarm(
        rule=Rule(comparison=Comparison.AT_LEAST, threshold=1.0, periods=1, datapoints=1),
        queries=(*measured, watched),
        tags=held,
        plain=False,
        **{name: value for name, value in _common(given, tags).items() if name != "plain"},
    )


def children(given: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return those of these names that a composite alarm's rule is made of."""
    return [name for name in names if f'("{name}")' in given["AlarmRule"]]


def _common(given: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    name = given["AlarmName"]
    configured, updated = _at(given["AlarmConfigurationUpdatedTimestamp"]), _updated(given)
    own = name.removeprefix(PREFIX).split("/")[0] if name.startswith(PREFIX) else ""
    return {
        "name": name,
        "description": given.get("AlarmDescription") or "",
        "configured_at": configured,
        "standing": Standing(
            state=State(given["StateValue"]),
            reason=given.get("StateReason") or "",
            data=given.get("StateReasonData") or "",
            updated_at=updated,
            changed_at=_at(given.get("StateTransitionedTimestamp") or updated),
        ),
        "actions_enabled": given.get("ActionsEnabled", True),
        "ok_actions": tuple(given.get("OKActions") or ()),
        "alarm_actions": tuple(given.get("AlarmActions") or ()),
        "insufficient_data_actions": tuple(given.get("InsufficientDataActions") or ()),
        "plain": not given.get("Metrics"),
        "owner": tags.get(OWNER, OWN if own else ""),
        "endpoint_name": tags.get(ENDPOINT, own),
        "version": round(max(configured, updated).timestamp() * 1e6),
    }


def _updated(given: Mapping[str, Any]) -> datetime:
    return _at(given.get("StateUpdatedTimestamp") or given["AlarmConfigurationUpdatedTimestamp"])


def _at(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def _rule(given: Mapping[str, Any]) -> Rule:
    comparison = given.get("ComparisonOperator")
    if given.get("Threshold") is None or comparison not in list(Comparison):
        raise _unreadable(given, f"it compares by {comparison} with no fixed threshold")
    periods = given["EvaluationPeriods"]
    return Rule(
        comparison=Comparison(comparison),
        threshold=given["Threshold"],
        periods=periods,
        datapoints=given.get("DatapointsToAlarm") or periods,
        missing=Missing(given.get("TreatMissingData") or Missing.MISSING),
        ignore_few_samples=given.get("EvaluateLowSampleCountPercentile") == _IGNORED,
    )


def _queries(given: Mapping[str, Any]) -> tuple[Query, ...]:
    if given.get("Metrics"):
        found = tuple(_query(each) for each in given["Metrics"])
        if sum(each.returned for each in found) != 1 or not any(each.measured for each in found):
            raise _unreadable(given, "it does not watch one of its metrics")
        return found
    if "MetricName" not in given or "Period" not in given:
        raise _unreadable(given, "it is on no metric")
    statistic = given.get("Statistic") or given["ExtendedStatistic"]
    measured = Measured(
        series=_series(given),
        period=given["Period"],
        statistic=statistic,
        unit=given.get("Unit") or "",
    )
    return (Query(id=_ONLY, measured=measured),)


def _query(given: Mapping[str, Any]) -> Query:
    stat = given.get("MetricStat")
    return Query(
        id=given["Id"],
        measured=None
        if stat is None
        else Measured(
            series=_series(stat["Metric"]),
            period=stat["Period"],
            statistic=stat["Stat"],
            unit=stat.get("Unit") or "",
        ),
        expression=given.get("Expression") or "",
        label=given.get("Label") or "",
        returned=given.get("ReturnData", True),
        period=None if stat else given.get("Period"),
    )


def _queried(query: Query) -> dict[str, Any]:
    told: dict[str, Any] = {"Id": query.id, "ReturnData": query.returned}
    if query.label:
        told["Label"] = query.label
    if query.measured is None:
        period = {"Period": query.period} if query.period is not None else {}
        return {**told, "Expression": query.expression, **period}
    measured = query.measured
    stat: dict[str, Any] = {
        "Metric": metric(measured.series),
        "Period": measured.period,
        "Stat": measured.statistic,
    }
    return {**told, "MetricStat": stat | ({"Unit": measured.unit} if measured.unit else {})}


def _series(given: Mapping[str, Any]) -> Series:
    dimensions = {each["Name"]: each["Value"] for each in given.get("Dimensions") or ()}
    return Series.of(given["Namespace"], given["MetricName"], **dimensions)


def _unreadable(given: Mapping[str, Any], why: str) -> Unreadable:
    return Unreadable(
        f"alarm {given['AlarmName']!r} is of a kind that is not known here: {why}",
        hint="look at it in CloudWatch",
    )
