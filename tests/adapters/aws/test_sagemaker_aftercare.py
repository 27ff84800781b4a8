"""What is kept of the scaling of an endpoint that goes: what makes it again, and nothing besides."""

from datetime import UTC, datetime
from types import SimpleNamespace

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.kept import MemoryKeptStore
from tests.builders import NOW

RESOURCE = "endpoint/falcon/variant/AllTraffic"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 1,
    "MaxCapacity": 3,
}
TOLD = {
    "describe_scalable_targets": (
        "ScalableTargets",
        {
            **TARGET,
            "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/scaling/It",
            "CreationTime": datetime(2026, 3, 1, tzinfo=UTC),
            "ScalableTargetARN": "arn:aws:application-autoscaling:eu-west-1:123456789012:it",
        },
    ),
    "describe_scaling_policies": ("ScalingPolicies", None),
    "describe_scheduled_actions": ("ScheduledActions", None),
}


class Account:
    """Application Auto Scaling, as it describes one target."""

    def pages(self, service, operation, **asked):
        member, one = TOLD[operation]
        yield {member: [] if one is None else [one]}


def test_a_target_is_kept_without_the_role_that_is_application_auto_scaling_s_own():
    kept = MemoryKeptStore()
    part = SimpleNamespace(name="AllTraffic", hosts=False)
    seen = SimpleNamespace(name="falcon", parts=(part,), created_at=NOW)
    Aftercare(Account(), kept, ManualClock(NOW)).keep(seen)
    assert kept.get("falcon").targets == [TARGET]
