"""PutMetricAlarm, and what is done to alarms: DeleteAlarms, SetAlarmState, their actions, tags."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import members
from parkade.apps.cloudwatch.faults import combination, missing, not_found, refused, unusable
from parkade.apps.wire.faults import Fault
from parkade.domain.alarm import Alarm, Comparison, Missing, Rule, State, first_standing
from parkade.domain.alarmshapes import series_of
from parkade.domain.errors import AlarmNotFound, Forbidden, ResourceLimitExceeded, Unreadable
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.arns import policy_named
from parkade.services.idlealarms import PREFIX
from parkade.services.scalingalarms import PREFIX as SCALING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.apps.cloudwatch.call import Call

#: CloudWatch's own limit of alarms, and of tags of one.
ALARMS = 5000
TAGS = 50
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", re.ASCII)
_LOW_SAMPLES = {"evaluate": False, "ignore": True}
#: Members that describe one metric, which Metrics takes the place of.
_OF_ONE = (
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
)
_REFUSED = {
    "ThresholdMetricId": "there is no anomaly detection; give a Threshold.",
    "EvaluationWindow": "periods begin with the epoch, in UTC, and are looked at when they are over.",
    "WarmUpConfiguration": "an alarm is evaluated from the start.",
    "EvaluationCriteria": "there is no PromQL; give a metric, or Metrics.",
    "EvaluationInterval": "an alarm is looked at once a period, or once a minute.",
    "ActionConfiguration": "messages have no tags.",
}


def put(call: Call) -> Mapping[str, Any]:
    """Answer PutMetricAlarm."""
    given = call.given
    for member, why in _REFUSED.items():
        if member in given:
            raise refused(member, why)
    name = given["AlarmName"]
    if not name.isprintable():
        raise unusable("AlarmName", "it has control characters.")
    for prefix in (PREFIX, SCALING):
        if name.startswith(prefix):
            why = f"names that begin with {prefix} are those of Parkade's own."
            raise unusable("AlarmName", why)
    queries = _queries(given)
    now = call.now
    alarm = Alarm(
        name=name,
        rule=_rule(given),
        queries=queries,
        standing=first_standing(now),
        configured_at=now,
        description=given.get("AlarmDescription", ""),
        actions_enabled=given.get("ActionsEnabled", True),
        ok_actions=_actions(call, "OKActions"),
        alarm_actions=_actions(call, "AlarmActions"),
        insufficient_data_actions=_actions(call, "InsufficientDataActions"),
        plain="Metrics" not in given,
        tags=_tags(given.get("Tags", ()), {}),
        owner=call.actor,
    )
    call.require(series_of(alarm))
    _require_place(call, name)
    call.alarming.book.put(alarm, call.actor)
    return {}


def delete(call: Call) -> Mapping[str, Any]:
    """Answer DeleteAlarms; names that no alarm has are passed over."""
    names = call.given["AlarmNames"]
    for name in names:
        _require_sight(call, name)
    try:
        call.alarming.book.remove(names, call.actor)
    except Forbidden as error:
        raise Fault(
            "ResourceConflict", f"{error.message}. To do: {error.hint}.", status=409
        ) from error
    return {}


def set_state(call: Call) -> Mapping[str, Any]:
    """Answer SetAlarmState: until the alarm is next looked at."""
    given = call.given
    data = given.get("StateReasonData", "")
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Fault("InvalidFormatFault", f"StateReasonData is not JSON: {error}") from error
    alarm = call.alarm(given["AlarmName"])
    if alarm.own:
        raise Fault("AccessDeniedException", f"{alarm.name} is Parkade's own.", status=403)
    call.alarming.book.set_state(
        alarm.name, State(given["StateValue"]), given["StateReason"], data, call.actor
    )
    return {}


def enable_actions(call: Call) -> Mapping[str, Any]:
    """Answer EnableAlarmActions."""
    return _enable(call, enabled=True)


def disable_actions(call: Call) -> Mapping[str, Any]:
    """Answer DisableAlarmActions."""
    return _enable(call, enabled=False)


def list_tags(call: Call) -> Mapping[str, Any]:
    """Answer ListTagsForResource."""
    alarm = call.alarm(_named(call))
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(alarm.tags.items())]}


def tag(call: Call) -> Mapping[str, Any]:
    """Answer TagResource: over tags of the same keys."""
    given = call.given["Tags"]
    call.alarming.book.retag(call.alarm(_named(call)).name, lambda tags: _tags(given, tags))
    return {}


def untag(call: Call) -> Mapping[str, Any]:
    """Answer UntagResource; tags that are not there count as taken."""
    gone = set(call.given["TagKeys"])
    call.alarming.book.retag(
        call.alarm(_named(call)).name,
        lambda tags: {key: value for key, value in tags.items() if key not in gone},
    )
    return {}


def _queries(given: Mapping[str, Any]) -> tuple[Query, ...]:
    if "Metrics" in given:
        for member in _OF_ONE:
            if member in given:
                raise combination(f"{member} and Metrics exclude each other.")
        return members.queries(given["Metrics"], "Metrics")
    if ("Statistic" in given) == ("ExtendedStatistic" in given):
        raise combination("Exactly one of Statistic and ExtendedStatistic has to be given.")
    if "Period" not in given:
        raise missing("Period")
    measured = Measured(
        series=members.series(given),
        period=given["Period"],
        statistic=given.get("Statistic") or given["ExtendedStatistic"],
        unit=given.get("Unit", ""),
    )
    return (Query(id="m1", measured=measured),)


def _rule(given: Mapping[str, Any]) -> Rule:
    for member in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if member not in given:
            raise missing(member)
    comparison = given["ComparisonOperator"]
    if comparison not in list(Comparison):
        raise refused(f"ComparisonOperator {comparison}", _REFUSED["ThresholdMetricId"])
    threshold = given["Threshold"]
    if threshold - threshold != 0:  # infinity, and what is no number
        raise unusable("Threshold", f"{threshold} is not a number that a value can reach.")
    return Rule(
        comparison=Comparison(comparison),
        threshold=float(threshold),
        periods=given["EvaluationPeriods"],
        datapoints=given.get("DatapointsToAlarm", given["EvaluationPeriods"]),
        missing=Missing(_one_of(given, "TreatMissingData", list(Missing), Missing.MISSING)),
        ignore_few_samples=_LOW_SAMPLES[
            _one_of(given, "EvaluateLowSampleCountPercentile", _LOW_SAMPLES, "evaluate")
        ],
    )


def _one_of(given: Mapping[str, Any], member: str, words: Iterable[str], default: str) -> str:
    word: str = given.get(member, default)
    if word not in words:
        raise unusable(member, f"{word!r} is not one of {', '.join(words)}.")
    return word


def _actions(call: Call, member: str) -> tuple[str, ...]:
    given = call.given.get(member, ())
    for number, arn in enumerate(given, 1):
        policy = policy_named(arn)
        if policy is not None:
            call.require_resource(policy[0])
        elif not _TOPIC.fullmatch(arn):
            raise unusable(
                f"{member}.member.{number}",
                f"{arn!r} is the ARN of neither an SNS topic nor a scaling policy. An alarm here "
                "tells topics, such as arn:aws:sns:us-east-1:000000000000:alarms, and scaling "
                "policies of Application Auto Scaling; it starts and stops nothing.",
            )
    return tuple(dict.fromkeys(given))


def _tags(given: Iterable[Mapping[str, str]], tags: Mapping[str, str]) -> dict[str, str]:
    found = {**tags, **{each["Key"]: each["Value"] for each in given}}
    reserved = next((key for key in found if key.lower().startswith("aws:")), None)
    if reserved is not None:
        raise unusable("Tags", f"{reserved!r} begins with aws:, which is reserved.")
    if len(found) > TAGS:
        raise unusable("Tags", f"there would be {len(found)}; {TAGS} are allowed.")
    return found


def _require_place(call: Call, name: str) -> None:
    """Raise for an alarm of somebody else's endpoint, and for one too many."""
    found = call.alarming.book.all()
    if _require_sight(call, name):
        return
    if len(found.records) >= ALARMS:
        raise ResourceLimitExceeded(
            f"there are {len(found.records)} alarms, and {ALARMS} are allowed",
            hint="delete some that nobody needs",
        )


def _require_sight(call: Call, name: str) -> bool:
    """Tell whether there is such an alarm. Raises AccessDenied where it is not the caller's."""
    try:
        call.alarm(name)
    except AlarmNotFound:
        return False
    except Unreadable:
        if call.caller.endpoints:
            raise  # whose it is cannot be known
        return True  # putting it anew mends it, deleting it removes it
    return True


def _enable(call: Call, *, enabled: bool) -> Mapping[str, Any]:
    names = call.given["AlarmNames"]
    for name in names:
        _require_sight(call, name)
    call.alarming.book.enable_actions(names, call.actor, enabled=enabled)
    return {}


def _named(call: Call) -> str:
    """Return the name of the alarm that ResourceARN is of."""
    arn, beginning = call.given["ResourceARN"], call.arn("")
    if not arn.startswith(beginning):
        raise not_found(f"ResourceARN {arn} is not that of an alarm here: {beginning}NAME.")
    return str(arn.removeprefix(beginning))
