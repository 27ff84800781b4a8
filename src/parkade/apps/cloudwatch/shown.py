"""DescribeAlarms, DescribeAlarmsForMetric and DescribeAlarmHistory: alarms, and what became of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import members
from parkade.apps.cloudwatch.faults import combination
from parkade.apps.wire import paging
from parkade.domain.alarmshapes import series_of
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.cloudwatch.call import Call
    from parkade.domain.alarm import Alarm
    from parkade.domain.event import Event

#: Alarms, and items of history, on one page where MaxRecords does not say.
PAGE = 50
METRIC_ALARM = "MetricAlarm"
#: How many events of alarms are looked through, the newest.
HISTORY = 10_000
#: Our events under CloudWatch's names of them.
_ITEMS = {
    "alarm.put": "ConfigurationUpdate",
    "alarm.removed": "ConfigurationUpdate",
    "alarm.changed": "StateUpdate",
    "alarm.told": "Action",
    "alarm.untold": "Action",
}
_SUMMARY = 255


def describe(call: Call) -> Mapping[str, Any]:
    """Answer DescribeAlarms; there are no composite and no log alarms."""
    given = call.given
    if given.get("AlarmNames") and "AlarmNamePrefix" in given:
        raise combination("AlarmNames and AlarmNamePrefix exclude each other.")
    others = {"ChildrenOfAlarmName", "ParentsOfAlarmName"} & given.keys()
    if others or METRIC_ALARM not in (given.get("AlarmTypes") or [METRIC_ALARM]):
        return {"MetricAlarms": [], "CompositeAlarms": []}
    found = [each for each in call.alarming.book.all().records if _wanted(call, each)]
    after = members.position(given["NextToken"], str)[0] if "NextToken" in given else ""
    found = [each for each in found if each.name > after]
    page = found[: given.get("MaxRecords", PAGE)]
    answer: dict[str, Any] = {
        "MetricAlarms": [shown(call, each) for each in page],
        "CompositeAlarms": [],
    }
    if len(page) < len(found):
        answer["NextToken"] = paging.token(page[-1].name)
    return answer


def _wanted(call: Call, alarm: Alarm) -> bool:
    given = call.given
    actions = (*alarm.ok_actions, *alarm.alarm_actions, *alarm.insufficient_data_actions)
    return (
        alarm.name in (given.get("AlarmNames") or [alarm.name])
        and alarm.name.startswith(given.get("AlarmNamePrefix", ""))
        and given.get("StateValue", alarm.standing.state) == alarm.standing.state
        and (
            "ActionPrefix" not in given
            or any(each.startswith(given["ActionPrefix"]) for each in actions)
        )
        and call.sees_alarm(alarm)
    )


def describe_for_metric(call: Call) -> Mapping[str, Any]:
    """Answer DescribeAlarmsForMetric: alarms on one metric, not those on Metrics."""
    given = call.given
    series = members.series(given)
    call.require([series])
    return {
        "MetricAlarms": [
            shown(call, each)
            for each in call.alarming.book.all().records
            if each.plain and series_of(each) == (series,) and _asked(given, each)
        ]
    }


def _asked(given: Mapping[str, Any], alarm: Alarm) -> bool:
    measured = alarm.watched.measured
    return measured is not None and (
        given.get("Statistic", given.get("ExtendedStatistic", measured.statistic))
        == measured.statistic
        and given.get("Period", measured.period) == measured.period
        and given.get("Unit", measured.unit) == measured.unit
    )


def shown(call: Call, alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as CloudWatch's MetricAlarm."""
    rule, standing = alarm.rule, alarm.standing
    return {
        "AlarmName": alarm.name,
        "AlarmArn": call.arn(alarm.name),
        "AlarmDescription": alarm.description or None,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": list(alarm.ok_actions),
        "AlarmActions": list(alarm.alarm_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
        "StateValue": standing.state,
        "StateReason": standing.reason[:1023],
        "StateReasonData": standing.data or None,
        "StateUpdatedTimestamp": standing.updated_at,
        "StateTransitionedTimestamp": standing.changed_at,
        "EvaluationPeriods": rule.periods,
        "DatapointsToAlarm": rule.datapoints,
        "Threshold": rule.threshold,
        "ComparisonOperator": rule.comparison,
        "TreatMissingData": rule.missing,
        "EvaluateLowSampleCountPercentile": "ignore" if rule.ignore_few_samples else None,
        "EvaluationState": (
            "EVALUATION_ERROR" if alarm.name in call.alarming.watch.troubles else None
        ),
        **_subject(alarm),
    }


def _subject(alarm: Alarm) -> dict[str, Any]:
    measured = alarm.watched.measured
    if not alarm.plain or measured is None:
        return {"Metrics": [members.told_query(each) for each in alarm.queries]}
    name = "ExtendedStatistic" if measured.statistic.startswith("p") else "Statistic"
    return {
        **members.told_series(measured.series),
        "Period": measured.period,
        "Unit": measured.unit or None,
        name: measured.statistic,
    }


def history(call: Call) -> Mapping[str, Any]:
    """Answer DescribeAlarmHistory, from the history of events."""
    given = call.given
    if "AlarmContributorId" in given or METRIC_ALARM not in (
        given.get("AlarmTypes") or [METRIC_ALARM]
    ):
        return {"AlarmHistoryItems": []}
    query = EventQuery(kinds=tuple(_ITEMS), since=given.get("StartDate"), limit=HISTORY)
    seen = {each.name: call.sees_alarm(each) for each in call.alarming.book.all().records}
    found = [each for each in call.alarming.history.latest(query) if _told_of(call, each, seen)]
    descending = given.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    if descending:
        found.reverse()
    if "NextToken" in given:
        (last,) = members.position(given["NextToken"], int)
        found = [e for e in found if (e.number < last if descending else e.number > last)]
    page = found[: given.get("MaxRecords", PAGE)]
    answer: dict[str, Any] = {"AlarmHistoryItems": [_item(each) for each in page]}
    if len(page) < len(found):
        answer["NextToken"] = paging.token(page[-1].number)
    return answer


def _told_of(call: Call, event: Event, seen: Mapping[str, bool]) -> bool:
    """Tell whether an event is asked for, and of an alarm that is, or was, the caller's to see."""
    given, name = call.given, str(event.data.get("name", ""))
    endpoints = call.caller.endpoints
    return (
        seen.get(name, not endpoints or event.endpoint_name in endpoints)
        and given.get("AlarmName", name) == name
        and given.get("HistoryItemType", _ITEMS[event.kind]) == _ITEMS[event.kind]
        and ("EndDate" not in given or event.at < given["EndDate"])
    )


def _item(event: Event) -> dict[str, Any]:
    return {
        "AlarmName": event.data.get("name"),
        "AlarmType": METRIC_ALARM,
        "Timestamp": event.at,
        "HistoryItemType": _ITEMS[event.kind],
        "HistorySummary": event.reason[:_SUMMARY],
        "HistoryData": json.dumps({"version": "1.0", "type": event.kind, **event.data})[:4095],
    }
