"""Scaling activities: what was done, what was not, and why; the newest first."""

import pytest

from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.deciding import Decision
from tests.apps.autoscaling.calls import activities, invalid, one, refusal, register
from tests.builders import NOW, minutes
from tests.scaled import BLUE, GREEN


@pytest.mark.semantics("scaling.api")
def test_a_change_is_told_with_its_cause_and_its_end(boto, world):
    register(boto, least=3)
    (activity,) = activities(boto)
    assert activity.pop("ActivityId")
    assert activity == one(
        Description="Setting desired instance count to 3.",
        Cause="minimum capacity was set to 3",
        StartTime=NOW,
        StatusCode="InProgress",
    )
    world.moves.follow(world.capacity.all())
    (activity,) = activities(boto)
    assert activity["StatusCode"] == "Successful"
    assert activity["EndTime"] == NOW
    assert "Successfully set desired instance count to 3" in activity["StatusMessage"]


def held(world, why):
    decision = Decision(before=2, wanted=2, reason="it is full", at=NOW, policy_name="p", held=why)
    target = world.services.scaling.book.target(BLUE)
    world.moves.hold(world.capacity.read(BLUE), target, decision, why)


def test_what_was_not_scaled_is_told_where_it_is_asked_for(boto, world):
    register(boto, most=2)
    held(world, Held.AT_MOST)
    assert activities(boto) == []
    (activity,) = activities(boto, IncludeNotScaledActivities=True)
    assert activity["NotScaledReasons"] == [
        {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 2, "CurrentCapacity": 2}
    ]
    held(world, Held.AT_LEAST)
    newest = activities(boto, IncludeNotScaledActivities=True)[0]
    assert newest["NotScaledReasons"] == [
        {"Code": "AlreadyAtMinCapacity", "MinCapacity": 1, "CurrentCapacity": 2}
    ]


def changed(boto, world, times, resource=BLUE):
    for number in range(times):
        world.clock.advance(minutes(1))
        least = 3 + number % 2
        register(boto, resource, least=least, most=least)


def test_pages_lead_from_the_newest_to_the_oldest(boto, world):
    changed(boto, world, 5)
    changed(boto, world, 5, GREEN)
    pages = boto.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="sagemaker", MaxResults=3
    )
    found = [page["ScalingActivities"] for page in pages]
    assert [len(page) for page in found] == [3, 3, 3, 1]
    times = [each["StartTime"] for page in found for each in page]
    assert times == sorted(times, reverse=True)
    assert len({each["ActivityId"] for page in found for each in page}) == 10


def test_a_page_goes_on_after_its_last_entry_whatever_comes_in_between(boto, world):
    changed(boto, world, 4)
    first = boto.describe_scaling_activities(ServiceNamespace="sagemaker", MaxResults=2)
    changed(boto, world, 2)
    second = boto.describe_scaling_activities(
        ServiceNamespace="sagemaker", MaxResults=2, NextToken=first["NextToken"]
    )
    shown = first["ScalingActivities"] + second["ScalingActivities"]
    assert [each["StartTime"] for each in shown] == [NOW + minutes(n) for n in (4, 3, 2, 1)]
    assert "NextToken" not in second


def test_activities_are_found_by_resource_and_outlive_their_target(boto, world):
    changed(boto, world, 2)
    changed(boto, world, 1, GREEN)
    boto.deregister_scalable_target(**one())
    assert [each["ResourceId"] for each in activities(boto, ResourceId=BLUE.id)] == [BLUE.id] * 2
    copies = "sagemaker:inference-component:DesiredCopyCount"
    assert activities(boto, ScalableDimension=copies) == []
    assert activities(boto, ResourceId="endpoint/none/variant/none") == []


def test_filters_that_are_none_are_refused(boto):
    assert "endpoint/x" in invalid(
        boto.describe_scaling_activities, ServiceNamespace="sagemaker", ResourceId="endpoint/x"
    )
    code, _ = refusal(
        boto.describe_scaling_activities, ServiceNamespace="sagemaker", NextToken="nonsense"
    )
    assert code == "InvalidNextTokenException"
