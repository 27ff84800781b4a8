"""PutScalingPolicy, DescribeScalingPolicies, DeleteScalingPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import policies as forms
from parkade.apps.autoscaling import stepping, tracking
from parkade.apps.autoscaling.faults import refused
from parkade.apps.autoscaling.pages import POLICIES, page, wanted
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire.faults import invalid
from parkade.domain.scaling import arns
from parkade.domain.scaling.policy import Tracking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.apps.autoscaling.call import Call
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.steps import Steps

_PREDICTIVE = ("PredictiveScaling", "PredictiveScalingPolicyConfiguration")


def put(call: Call) -> Mapping[str, Any]:
    """Answer PutScalingPolicy."""
    given = call.given
    resource = call.resource()
    configured = _configured(given)
    if isinstance(configured, Tracking):
        call.require_series(configured.queries(resource))
        policy = call.scaling.put_policy(
            resource, given["PolicyName"], call.actor, tracking=configured
        )
    else:
        policy = call.scaling.put_policy(
            resource, given["PolicyName"], call.actor, steps=configured
        )
    alarms = call.scaling.alarms([policy])
    return {"PolicyARN": _arn(call, policy), "Alarms": _alarms(call, alarms[policy.key])}


def describe(call: Call) -> Mapping[str, Any]:
    """Answer DescribeScalingPolicies."""
    given = call.given
    names = given.get("PolicyNames") or ()
    found = [
        each
        for each in call.scaling.policies().records
        if wanted(given, each.resource)
        and (not names or each.name in names)
        and call.sees(each.resource)
    ]
    shown, more = page(found, given, lambda each: (each.resource.id, each.name), most=POLICIES)
    alarms = call.scaling.alarms(shown)
    return {"ScalingPolicies": [_shown(call, each, alarms[each.key]) for each in shown], **more}


def delete(call: Call) -> Mapping[str, Any]:
    """Answer DeleteScalingPolicy: its alarms go with it."""
    call.scaling.delete_policy(call.resource(), call.given["PolicyName"], call.actor)
    return {}


def _configured(given: Mapping[str, Any]) -> Tracking | Steps:
    """Return what is configured. Raises ValidationException, InvalidInput."""
    kind = given.get("PolicyType")
    if kind in _PREDICTIVE or _PREDICTIVE[1] in given:
        raise refused("PredictiveScaling", "give TargetTrackingScaling or StepScaling")
    there = [each for each, member in forms.CONFIGURATIONS.items() if member in given]
    if len(there) != 1 or kind not in {None, there[0]}:
        raise invalid(
            "A policy has one configuration, that of its PolicyType: "
            + ", or ".join(f"{each} with {member}" for each, member in forms.CONFIGURATIONS.items())
        )
    configured = given[forms.CONFIGURATIONS[there[0]]]
    if there[0] == "StepScaling":
        return stepping.read(configured)
    return tracking.read(configured)


def _shown(call: Call, policy: Policy, alarms: Sequence[str]) -> dict[str, Any]:
    return {
        **call.named(policy.resource),
        "PolicyARN": _arn(call, policy),
        "PolicyName": policy.name,
        **forms.shown(policy.tracking, policy.steps),
        "Alarms": _alarms(call, alarms),
        "CreationTime": policy.created_at,
    }


def _arn(call: Call, policy: Policy) -> str:
    return arns.of_policy(policy, call.region, ACCOUNT)


def _alarms(call: Call, names: Sequence[str]) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": call.alarm_arn(name)} for name in names]
