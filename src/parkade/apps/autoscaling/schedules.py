"""PutScheduledAction, DescribeScheduledActions, DeleteScheduledAction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling.pages import page, wanted
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.domain.scaling import arns
from parkade.services.timetables import Timing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.autoscaling.call import Call
    from parkade.domain.scaling.timetable import ScheduledAction


def put(call: Call) -> Mapping[str, Any]:
    """Answer PutScheduledAction.

    What is left out of an action that is there stays as it was, but for StartTime and EndTime: those
    are then no more.
    """
    given = call.given
    bounds = given.get("ScalableTargetAction", {})
    timing = Timing(
        schedule=given.get("Schedule"),
        zone=given.get("Timezone"),
        starts_at=given.get("StartTime"),
        ends_at=given.get("EndTime"),
        least=bounds.get("MinCapacity"),
        most=bounds.get("MaxCapacity"),
    )
    call.timetables.put(call.resource(), given["ScheduledActionName"], timing, call.actor)
    return {}


def describe(call: Call) -> Mapping[str, Any]:
    """Answer DescribeScheduledActions."""
    given = call.given
    names = given.get("ScheduledActionNames") or ()
    found = [
        each
        for each in call.timetables.all().records
        if wanted(given, each.resource)
        and (not names or each.name in names)
        and call.sees(each.resource)
    ]
    shown, more = page(found, given, lambda each: (each.resource.id, each.name))
    return {"ScheduledActions": [_shown(call, each) for each in shown], **more}


def delete(call: Call) -> Mapping[str, Any]:
    """Answer DeleteScheduledAction."""
    call.timetables.delete(call.resource(), call.given["ScheduledActionName"], call.actor)
    return {}


def _shown(call: Call, action: ScheduledAction) -> dict[str, Any]:
    return {
        **call.named(action.resource),
        "ScheduledActionName": action.name,
        "ScheduledActionARN": arns.of_action(action, call.region, ACCOUNT),
        "Schedule": action.schedule,
        "Timezone": action.zone or None,
        "StartTime": action.starts_at,
        "EndTime": action.ends_at,
        "ScalableTargetAction": {"MinCapacity": action.least, "MaxCapacity": action.most},
        "CreationTime": action.created_at,
    }
