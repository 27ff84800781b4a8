"""DescribeScalingActivities: what was done about capacities, and what was not, and why."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling import pages
from parkade.apps.wire import paging
from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.target import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.autoscaling.call import Call
    from parkade.domain.scaling.activity import Activity

#: How many are read at once.
_BATCH = 100


def describe(call: Call) -> Mapping[str, Any]:
    """Answer DescribeScalingActivities, the newest first."""
    given = call.given
    limit = pages.limit(given)
    before = pages.last(given, str) if "NextToken" in given else ""
    wanted = _wanted(call, before)
    shown = list(islice(wanted, limit))
    answer: dict[str, Any] = {"ScalingActivities": [_shown(call, each) for each in shown]}
    if next(wanted, None) is not None:
        answer["NextToken"] = paging.token(shown[-1].id)
    return answer


def _wanted(call: Call, before: str) -> Iterator[Activity]:
    """Give the activities that are asked for, from one on."""
    given = call.given
    not_scaled = given.get("IncludeNotScaledActivities", False)
    resource = Resource.parse(given["ResourceId"]) if "ResourceId" in given else None
    while batch := call.scaling.activities(resource, limit=_BATCH, before=before):
        for each in batch:
            if (
                pages.wanted(given, each.resource)
                and (not_scaled or each.held is None)
                and call.sees(each.resource)
            ):
                yield each
        before = batch[-1].id


def _shown(call: Call, activity: Activity) -> dict[str, Any]:
    return {
        **call.named(activity.resource),
        "ActivityId": activity.id,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.started_at,
        "EndTime": activity.ended_at,
        "StatusCode": activity.status.value,
        "StatusMessage": activity.status_message or None,
        "NotScaledReasons": None if activity.held is None else [_reason(activity, activity.held)],
    }


def _reason(activity: Activity, held: Held) -> dict[str, Any]:
    return {
        "Code": held.value,
        "CurrentCapacity": activity.before,
        "MinCapacity": activity.least if held is Held.AT_LEAST else None,
        "MaxCapacity": activity.most if held is Held.AT_MOST else None,
    }
