"""RegisterScalableTarget, DescribeScalableTargets, DeregisterScalableTarget, and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.autoscaling.faults import missing_resource, too_many_tags
from parkade.apps.autoscaling.pages import page
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire.faults import invalid
from parkade.domain.errors import ScalableTargetNotFound
from parkade.domain.scaling import arns
from parkade.domain.scaling.target import Suspending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.autoscaling.call import Call
    from parkade.domain.scaling.target import ScalableTarget

#: Tags of one scalable target.
TAGS = 50
#: There is no IAM here: what AWS shows for targets that were registered without a role.
_ROLES = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{_ROLES}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def register(call: Call) -> Mapping[str, Any]:
    """Answer RegisterScalableTarget: what is left out of a target that is there stays as it was."""
    given = call.given
    resource = call.resource()
    suspended = given.get("SuspendedState", {})
    target = call.scaling.register(
        resource,
        call.actor,
        least=given.get("MinCapacity"),
        most=given.get("MaxCapacity"),
        suspended=Suspending(
            scale_in=suspended.get("DynamicScalingInSuspended"),
            scale_out=suspended.get("DynamicScalingOutSuspended"),
            scheduled=suspended.get("ScheduledScalingSuspended"),
        ),
        role_arn=given.get("RoleARN"),
        tags=_over({}, given["Tags"]) if "Tags" in given else None,
    )
    return {"ScalableTargetARN": _arn(call, target)}


def describe(call: Call) -> Mapping[str, Any]:
    """Answer DescribeScalableTargets."""
    given = call.given
    wanted = given.get("ResourceIds") or ()
    found = [
        each
        for each in call.scaling.targets().records
        if (not wanted or each.resource.id in wanted)
        and given.get("ScalableDimension", each.resource.dimension) == each.resource.dimension
        and call.sees(each.resource)
    ]
    shown, more = page(found, given, lambda each: (each.resource.id,))
    return {"ScalableTargets": [_shown(call, each) for each in shown], **more}


def deregister(call: Call) -> Mapping[str, Any]:
    """Answer DeregisterScalableTarget: policies and scheduled actions go with it."""
    call.scaling.deregister(call.resource(), call.actor)
    return {}


def list_tags(call: Call) -> Mapping[str, Any]:
    """Answer ListTagsForResource."""
    return {"Tags": dict(_named(call).tags)}


def tag(call: Call) -> Mapping[str, Any]:
    """Answer TagResource: over tags of the same keys."""
    given = call.given["Tags"]
    return _retag(call, lambda tags: _over(tags, given))


def untag(call: Call) -> Mapping[str, Any]:
    """Answer UntagResource; tags that are not there count as taken."""
    gone = set(call.given["TagKeys"])
    return _retag(call, lambda tags: {key: value for key, value in tags.items() if key not in gone})


def _retag(call: Call, decide: Callable[[dict[str, str]], dict[str, str]]) -> Mapping[str, Any]:
    target = _named(call)
    try:
        call.scaling.retag(target.resource, decide, call.actor)
    except ScalableTargetNotFound as error:  # it was deregistered just now
        raise missing_resource(call.given["ResourceARN"]) from error
    return {}


def _shown(call: Call, target: ScalableTarget) -> dict[str, Any]:
    suspended = target.suspended
    return {
        **call.named(target.resource),
        "MinCapacity": target.least,
        "MaxCapacity": target.most,
        "RoleARN": target.role_arn or _ROLE,
        "CreationTime": target.created_at,
        "SuspendedState": {
            "DynamicScalingInSuspended": suspended.scale_in,
            "DynamicScalingOutSuspended": suspended.scale_out,
            "ScheduledScalingSuspended": suspended.scheduled,
        },
        "ScalableTargetARN": _arn(call, target),
    }


def _arn(call: Call, target: ScalableTarget) -> str:
    return arns.of_target(target, call.region, ACCOUNT)


def _named(call: Call) -> ScalableTarget:
    """Return the target that ResourceARN is of. Raises ResourceNotFoundException."""
    arn = call.given["ResourceARN"]
    for target in call.scaling.targets().records:
        if _arn(call, target) == arn:
            call.require_sight(target.resource)
            return target
    raise missing_resource(arn)


def _over(tags: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with those that are given over them. Raises ValidationException, TooManyTags."""
    reserved = next((key for key in given if key.lower().startswith("aws:")), None)
    if reserved is not None:
        raise invalid(f"Tags has the key {reserved!r}; keys that begin with aws: are reserved")
    found = {**tags, **given}
    if len(found) > TAGS:
        raise too_many_tags(f"there would be {len(found)} tags; {TAGS} are allowed")
    return found
