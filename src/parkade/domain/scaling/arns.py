"""ARNs of scalable targets, policies and scheduled actions, as Application Auto Scaling has them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.policy import key_of
from parkade.domain.scaling.target import Resource

if TYPE_CHECKING:
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import ScalableTarget
    from parkade.domain.scaling.timetable import ScheduledAction

#: The alarms that AWS makes for target tracking name the policy, and then who made it.
_POLICY = re.compile(
    r"arn:aws[a-z-]*:autoscaling:[a-z0-9-]*:[0-9]{12}:scalingPolicy:[^:]+:"
    r"resource/sagemaker/([^:]+):policyName/(.+?)"
    r"(?::createdBy/[0-9a-f-]{36})?"
)


def of_policy(policy: Policy, region: str, account: str) -> str:
    """Return the ARN of a policy."""
    return (
        f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{policy.id}:"
        f"resource/sagemaker/{policy.resource.id}:policyName/{policy.name}"
    )


def of_action(action: ScheduledAction, region: str, account: str) -> str:
    """Return the ARN of a scheduled action."""
    return (
        f"arn:aws:autoscaling:{region}:{account}:scheduledAction:{action.id}:"
        f"resource/sagemaker/{action.resource.id}:scheduledActionName/{action.name}"
    )


def of_target(target: ScalableTarget, region: str, account: str) -> str:
    """Return the ARN of a scalable target; another one once it was registered anew."""
    made = f"{target.resource.id} {target.created_at.isoformat()}"
    digest = hashlib.sha256(made.encode()).hexdigest()[:36]
    return f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{digest}"


def policy_named(arn: str) -> tuple[Resource, str] | None:
    """Return the resource and the name of the policy that an ARN names; None: it names none.

    Region and account are not compared: there is one of each, and both may be called anew.
    """
    match = _POLICY.fullmatch(arn)
    if match is None:
        return None
    try:
        return Resource.parse(match[1]), match[2]
    except InvalidInput:
        return None


def policy_key(arn: str) -> str:
    """Return the key of the policy that an ARN names; empty: it names none."""
    found = policy_named(arn)
    return key_of(*found) if found is not None else ""
