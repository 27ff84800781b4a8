"""The alarms of an endpoint that the maintainer watches: one for each variant, and all together.

The one of all is in ALARM only where every variant is without use, for as long as the ladder's
windows say. A variant's alarm compares each minute's sum with one; a minute that CloudWatch does not
tell is no minute without use, so that an endpoint whose series are missing is never found idle.

What an asynchronous endpoint has to do is told by its backlog, each minute, and what it has done by
its variants when they have: it is idle where the backlog is empty and nothing was done.

Making and deleting them can be repeated. Whose they are is written in their tags; their names are
those of the embedded cloud's alarms (`domain/idlealarm.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.cloudwatch.forms import ENDPOINT, OWNER, listed
from parkade.adapters.aws.cloudwatch.reading import metric
from parkade.adapters.aws.refusals import calling
from parkade.domain.alarm import OWN
from parkade.domain.errors import InvalidInput
from parkade.domain.idlealarm import PREFIX, windows, words
from parkade.domain.series import SAGEMAKER, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.cloudwatch.subjects import Subject
    from parkade.domain.idle import IdleRules

#: CloudWatch's own limit of alarms that one is made of, and of names in one DeleteAlarms.
CHILDREN, _AT_ONCE = 100, 100
#: CloudWatch's own limit of characters in the rule of such an alarm.
RULE = 10_240
#: What the alarm of a backlog is called: no variant can be.
_BACKLOG = ".backlog"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleWatch:
    """What is to be watched of an endpoint. `actions` are told when it is without use."""

    endpoint_name: str
    subjects: Sequence[Subject]
    rules: IdleRules
    #: How the endpoint opted in, for people.
    by: str
    actions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """The requests that make a watch: PutMetricAlarm's, and then the PutCompositeAlarm's."""

    parts: tuple[dict[str, Any], ...]
    whole: dict[str, Any]


def alarm_name(endpoint_name: str, part: str = "") -> str:
    """Return the name of an endpoint's alarm, or of the alarm of a part of it."""
    return f"{PREFIX}{endpoint_name}/{part}" if part else f"{PREFIX}{endpoint_name}"


def requests(watch: IdleWatch) -> Requests | None:
    """Return the requests; None: by its rules nothing is ever done for want of use.

    Raises InvalidInput for an endpoint without variants, or with more than one alarm can take: so
    many, or such as are called by so long names.
    """
    span = windows(watch.rules)
    if span is None:
        return None
    counted = [each for each in watch.subjects if not each.shadow]
    backlog = any(each.asynchronous for each in counted)
    if not counted or len(counted) + backlog > CHILDREN:
        raise InvalidInput(
            f"endpoint {watch.endpoint_name!r} has {len(counted)} variants and components; one "
            f"alarm takes 1 to {CHILDREN - backlog}",
            field="EndpointName",
        )
    parts = [_of_subject(watch, each, span) for each in counted]
    terms = [
        f'{"NOT " if each.asynchronous else ""}ALARM("{part["AlarmName"]}")'
        for each, part in zip(counted, parts, strict=True)
    ]
    if backlog:
        parts.insert(0, _of_backlog(watch, span))
        terms.insert(0, f'ALARM("{parts[0]["AlarmName"]}")')
    seconds, periods = span
    whole = {
        "AlarmName": alarm_name(watch.endpoint_name),
        "AlarmDescription": words(watch.endpoint_name, seconds * periods, watch.by),
        "AlarmRule": _rule(watch, terms),
        "ActionsEnabled": True,
        "AlarmActions": list(watch.actions),
        "Tags": _tags(watch),
    }
    return Requests(parts=tuple(parts), whole=whole)


def put(account: Account, watch: IdleWatch) -> None:
    """Make the alarms, or make them so; those of variants that are gone are deleted.

    Where the rules say that nothing is ever done, there are none.
    """
    wanted = requests(watch)
    if wanted is None:
        delete(account, watch.endpoint_name)
        return
    client = account.client("cloudwatch")
    with calling(f"the alarms of {watch.endpoint_name!r} cannot be put"):
        for part in wanted.parts:
            client.put_metric_alarm(**part)
        client.put_composite_alarm(**wanted.whole)
    kept = {part["AlarmName"] for part in wanted.parts}
    _delete_parts(account, watch.endpoint_name, kept)


def delete(account: Account, endpoint_name: str) -> None:
    """Delete an endpoint's alarms; those that are not there count as done.

    The one of all goes first: CloudWatch keeps what another alarm is made of.
    """
    with calling(f"the alarms of {endpoint_name!r} cannot be deleted"):
        client = account.client("cloudwatch")
        name = alarm_name(endpoint_name)
        answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        if answer.get("CompositeAlarms"):
            client.delete_alarms(AlarmNames=[name])
    _delete_parts(account, endpoint_name, ())


def watched(account: Account) -> list[str]:
    """Return the endpoints that have such an alarm, by the names of these."""
    with calling("the alarms of watched endpoints cannot be listed"):
        pages = account.pages(
            "cloudwatch",
            "describe_alarms",
            AlarmNamePrefix=PREFIX,
            AlarmTypes=["CompositeAlarm"],
        )
        return [
            each["AlarmName"].removeprefix(PREFIX)
            for page in pages
            for each in page.get("CompositeAlarms", ())
        ]


def owned(account: Account, alarm_arn: str) -> str:
    """Return the endpoint that an alarm of Parkade's shows, by its tags; empty: it is none.

    Its name proves nothing: anybody may call an alarm anything.
    """
    with calling(f"the tags of {alarm_arn} cannot be read"):
        answer = account.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm_arn)
    tags = {each["Key"]: each["Value"] for each in answer.get("Tags", ())}
    return tags.get(ENDPOINT, "") if tags.get(OWNER) == OWN else ""


def _rule(watch: IdleWatch, terms: Sequence[str]) -> str:
    """Return the rule of the alarm of all. Raises InvalidInput where it is too long."""
    rule = " AND ".join(terms)
    if len(rule) > RULE:
        raise InvalidInput(
            f"endpoint {watch.endpoint_name!r} has {len(watch.subjects)} variants and components, whose "
            f"names are {len(rule)} characters of one alarm's rule; it takes {RULE}",
            field="EndpointName",
        )
    return rule


def _delete_parts(account: Account, endpoint_name: str, kept: Iterable[str]) -> None:
    with calling(f"the alarms of {endpoint_name!r} cannot be deleted"):
        pages = account.pages(
            "cloudwatch", "describe_alarms", AlarmNamePrefix=f"{alarm_name(endpoint_name)}/"
        )
        gone = [
            each["AlarmName"]
            for page in pages
            for each in page.get("MetricAlarms", ())
            if each["AlarmName"] not in set(kept)
        ]
        for first in range(0, len(gone), _AT_ONCE):
            account.client("cloudwatch").delete_alarms(AlarmNames=gone[first : first + _AT_ONCE])


def _of_subject(watch: IdleWatch, subject: Subject, span: tuple[int, int]) -> dict[str, Any]:
    """Return the alarm of a variant: no use in all periods, or of an asynchronous one any use."""
    seconds, periods = span
    if subject.asynchronous:
        rule = ("GreaterThanOrEqualToThreshold", 1)
        text = f"{subject.name} has done something"
    else:
        rule = ("LessThanThreshold", periods)
        text = f"{subject.name} was without use"
    return {
        "AlarmName": alarm_name(watch.endpoint_name, subject.name),
        "AlarmDescription": f"{text}: a part of {alarm_name(watch.endpoint_name)}.",
        **metric(subject.use),
        "Statistic": "Sum",
        "Period": seconds,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": rule[1],
        "Threshold": 1.0,
        "ComparisonOperator": rule[0],
        "TreatMissingData": "notBreaching",
        "Tags": _tags(watch),
    }


def _of_backlog(watch: IdleWatch, span: tuple[int, int]) -> dict[str, Any]:
    seconds, periods = span
    series = Series.of(SAGEMAKER, "ApproximateBacklogSize", EndpointName=watch.endpoint_name)
    return {
        "AlarmName": alarm_name(watch.endpoint_name, _BACKLOG),
        "AlarmDescription": f"Nothing waits: a part of {alarm_name(watch.endpoint_name)}.",
        **metric(series),
        "Statistic": "Maximum",
        "Period": seconds,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": periods,
        "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": _tags(watch),
    }


def _tags(watch: IdleWatch) -> list[dict[str, str]]:
    return listed({OWNER: OWN, ENDPOINT: watch.endpoint_name})
