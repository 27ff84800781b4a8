"""What is kept of the scaling of an endpoint that goes: what makes it again, and nothing besides."""

from datetime import UTC, datetime

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.sight import Part, Sight
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.domain.endpoint import EndpointStatus
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
    "list_inference_components": ("InferenceComponents", None),
}


class Account:
    """Application Auto Scaling, as it describes one target."""

    def __init__(self):
        self.asked = []

    def pages(self, service, operation, **asked):
        self.asked.append(operation)
        member, one = TOLD[operation]
        yield {member: [] if one is None else [one]}


def test_a_target_is_kept_without_the_role_that_is_application_auto_scaling_s_own():
    kept = MemoryKeptStore()
    account = Account()
    Aftercare(account, kept, ManualClock(NOW)).keep(seen_with("ml.c5.xlarge"))
    assert kept.get("falcon").targets == [TARGET]
    assert "list_inference_components" not in account.asked


def test_components_are_looked_for_where_it_is_not_known_what_variants_run():
    account = Account()
    Aftercare(account, MemoryKeptStore(), ManualClock(NOW)).keep(seen_with(""))
    assert "list_inference_components" in account.asked


def seen_with(instance_type):
    """An endpoint as it is seen whose config says so; without a type its config is gone."""
    return Sight(
        name="falcon",
        status=EndpointStatus.IN_SERVICE,
        created_at=NOW,
        changed_at=NOW,
        parts=(Part(name="AllTraffic", instance_type=instance_type),),
    )
