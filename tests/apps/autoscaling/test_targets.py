"""Scalable targets: registered, changed, shown, tagged, deregistered."""

import pytest

from parkade.ports.capacity import Readiness
from tests.apps.autoscaling.calls import (
    activities,
    invalid,
    one,
    policies,
    refusal,
    register,
    scheduled,
    targets,
    track,
)
from tests.builders import NOW, minutes
from tests.scaled import ADAPTER, BLUE, GREEN, a_reading

AWAKE = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@pytest.mark.semantics("scaling.api")
def test_a_target_is_shown_as_it_was_registered(boto):
    answer = register(boto)
    assert answer["ScalableTargetARN"].startswith(
        "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/"
    )
    (target,) = targets(boto)
    assert target == one(
        MinCapacity=1,
        MaxCapacity=4,
        RoleARN="arn:aws:iam::000000000000:role/aws-service-role/"
        "sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        CreationTime=NOW,
        SuspendedState=AWAKE,
        ScalableTargetARN=answer["ScalableTargetARN"],
    )


def test_what_is_left_out_of_a_target_that_is_there_stays(boto):
    role = "arn:aws:iam::000000000000:role/mine"
    first = register(
        boto, RoleARN=role, SuspendedState={**AWAKE, "ScheduledScalingSuspended": True}
    )
    boto.register_scalable_target(
        **one(MaxCapacity=6, SuspendedState={"DynamicScalingInSuspended": True})
    )
    (target,) = targets(boto)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    assert target["RoleARN"] == role
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert target["ScalableTargetARN"] == first["ScalableTargetARN"]


def test_the_capacity_is_brought_within_the_bounds_at_once(boto, world):
    register(boto, least=3)
    register(boto, least=1, most=1)
    assert world.capacity.done == [{BLUE: 3}, {BLUE: 1}]
    down, up = activities(boto)
    world.clock.advance(minutes(1))
    assert (up["Cause"], up["Description"]) == (
        "minimum capacity was set to 3",
        "Setting desired instance count to 3.",
    )
    assert down["Cause"] == "maximum capacity was set to 1"


def test_bounds_that_are_none_are_refused_by_name(boto):
    assert "MinCapacity" in invalid(boto.register_scalable_target, **one(MaxCapacity=3))
    assert "MaxCapacity" in invalid(boto.register_scalable_target, **one(MinCapacity=3))
    for least, most in ((4, 3), (-1, 3), (0, 3)):
        given = one(MinCapacity=least, MaxCapacity=most)
        assert f"MinCapacity {least}" in invalid(boto.register_scalable_target, **given)
    register(boto, ADAPTER, least=0)
    assert [each["MinCapacity"] for each in targets(boto)] == [0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ServiceNamespace": "ecs"}, "ServiceNamespace ecs"),
        ({"ServiceNamespace": "nonsense"}, "serviceNamespace"),
        ({"ScalableDimension": "ecs:service:DesiredCount"}, "ecs:service:DesiredCount"),
        (
            {"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"},
            "DesiredProvisionedConcurrency",
        ),
        (
            {"ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"},
            "sagemaker:variant:DesiredInstanceCount",
        ),
        ({"ResourceId": "endpoint/falcon"}, "endpoint/falcon"),
        ({"ResourceId": "endpoint/falcon/variant/-"}, "ResourceId"),
        ({"ResourceId": "endpoint/none/variant/blue"}, "none"),
        ({"ResourceId": "endpoint/falcon/variant/red"}, "red"),
        (
            {
                "ResourceId": "inference-component/none",
                "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
            },
            "none",
        ),
    ],
)
def test_what_cannot_be_scaled_is_refused_by_name(boto, changes, named):
    given = {**one(MinCapacity=1, MaxCapacity=2), **changes}
    assert named in invalid(boto.register_scalable_target, **given)
    assert targets(boto) == []


def test_other_namespaces_are_refused_wherever_they_are_named(boto):
    for method in (
        boto.describe_scalable_targets,
        boto.describe_scaling_policies,
        boto.describe_scheduled_actions,
        boto.describe_scaling_activities,
    ):
        assert "ServiceNamespace dynamodb" in invalid(method, ServiceNamespace="dynamodb")


def test_targets_are_found_by_resource_and_dimension(boto):
    for resource in (GREEN, BLUE, ADAPTER):
        register(boto, resource)
    ids = [each["ResourceId"] for each in targets(boto)]
    assert ids == sorted([BLUE.id, GREEN.id, ADAPTER.id])
    assert [e["ResourceId"] for e in targets(boto, ResourceIds=[BLUE.id, "x"])] == [BLUE.id]
    found = targets(boto, ScalableDimension="sagemaker:inference-component:DesiredCopyCount")
    assert [each["ResourceId"] for each in found] == [ADAPTER.id]


@pytest.mark.semantics("scaling.api", "scaling.deregistering")
def test_deregistering_takes_policies_alarms_and_scheduled_actions_along(boto, world):
    first = register(boto)
    track(boto)
    boto.put_scheduled_action(
        **one(ScheduledActionName="a", Schedule="rate(1 day)"),
        ScalableTargetAction={"MinCapacity": 2},
    )
    assert len(world.services.alarms.book.all().records) == 2
    boto.deregister_scalable_target(**one())
    assert targets(boto) == policies(boto) == scheduled(boto) == []
    assert world.services.alarms.book.all().records == ()
    assert refusal(boto.deregister_scalable_target, **one())[0] == "ObjectNotFoundException"
    world.clock.advance(minutes(1))
    assert register(boto)["ScalableTargetARN"] != first["ScalableTargetARN"]


def test_a_target_outlives_its_endpoint_and_can_be_deregistered(boto, world):
    register(boto)
    world.capacity.forget(BLUE)
    assert [each["ResourceId"] for each in targets(boto)] == [BLUE.id]
    boto.register_scalable_target(**one(MaxCapacity=9))
    boto.deregister_scalable_target(**one())
    assert targets(boto) == []


def test_tags(boto):
    arn = register(boto, Tags={"team": "blue"})["ScalableTargetARN"]
    assert boto.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "blue"}
    boto.tag_resource(ResourceARN=arn, Tags={"team": "red", "a": ""})
    boto.untag_resource(ResourceARN=arn, TagKeys=["a", "none"])
    register(boto)
    assert boto.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "red"}
    assert "aws:" in invalid(boto.tag_resource, ResourceARN=arn, Tags={"aws:x": "y"})
    many = {str(number): "" for number in range(50)}
    code, _ = refusal(boto.tag_resource, ResourceARN=arn, Tags=many)
    assert code == "TooManyTagsException"
    nobody = arn[:-1] + ("0" if arn[-1] != "0" else "1")
    for method, members in (
        (boto.list_tags_for_resource, {}),
        (boto.tag_resource, {"Tags": {"a": "b"}}),
        (boto.untag_resource, {"TagKeys": ["a"]}),
    ):
        assert refusal(method, ResourceARN=nobody, **members)[0] == "ResourceNotFoundException"


def test_what_is_refused_room_for_is_a_failed_activity_and_no_error(boto, world):
    world.capacity.room = 2
    register(boto, least=3)
    (activity,) = activities(boto)
    assert activity["StatusCode"] == "Failed"
    assert "there is room for 2" in activity["StatusMessage"]


def test_a_capacity_that_is_just_being_changed_is_left_for_later(boto, world):
    world.capacity.put(a_reading(BLUE, readiness=Readiness.CHANGING, why="it is updating"))
    register(boto, least=3)
    assert world.capacity.done == []
    assert activities(boto) == []
