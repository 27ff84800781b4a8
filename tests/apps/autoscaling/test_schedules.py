"""Scheduled actions: put, changed, shown, deleted."""

from datetime import timedelta

import pytest

from tests.apps.autoscaling.calls import invalid, one, refusal, register, scheduled
from tests.builders import NOW, minutes
from tests.scaled import BLUE, GREEN

CRON = "cron(0 8 ? * MON-FRI *)"
BOTH = {"MinCapacity": 2, "MaxCapacity": 6}


def put(boto, name="morning", resource=BLUE, **members):
    action = {"Schedule": CRON, "ScalableTargetAction": BOTH, **members}
    return boto.put_scheduled_action(**one(resource, ScheduledActionName=name, **action))


@pytest.mark.semantics("scaling.api")
def test_an_action_is_shown_as_it_was_put(boto):
    register(boto)
    ends = NOW + timedelta(days=30)
    put(boto, Timezone="Europe/Berlin", StartTime=NOW + minutes(1), EndTime=ends)
    (action,) = scheduled(boto)
    arn = action.pop("ScheduledActionARN")
    assert arn.startswith("arn:aws:autoscaling:us-east-1:000000000000:scheduledAction:")
    assert arn.endswith(f":resource/sagemaker/{BLUE.id}:scheduledActionName/morning")
    assert action == one(
        ScheduledActionName="morning",
        Schedule=CRON,
        Timezone="Europe/Berlin",
        StartTime=NOW + minutes(1),
        EndTime=ends,
        ScalableTargetAction=BOTH,
        CreationTime=NOW,
    )


def test_what_is_left_out_stays_but_for_start_and_end(boto):
    register(boto)
    put(boto, Timezone="Europe/Berlin", EndTime=NOW + timedelta(days=30))
    before = scheduled(boto)[0]
    put(boto, Schedule=None, ScalableTargetAction={"MaxCapacity": 9})
    (action,) = scheduled(boto)
    assert action == {
        **{key: value for key, value in before.items() if key != "EndTime"},
        "ScalableTargetAction": {"MaxCapacity": 9},
    }


def test_actions_are_found_by_name_and_resource(boto):
    for resource in (GREEN, BLUE):
        register(boto, resource)
        for name in ("a", "b"):
            put(boto, name, resource)

    def found(**members):
        return [
            (each["ResourceId"], each["ScheduledActionName"]) for each in scheduled(boto, **members)
        ]

    assert len(found()) == 4
    assert found(ResourceId=BLUE.id) == [(BLUE.id, "a"), (BLUE.id, "b")]
    assert found(ScheduledActionNames=["b"]) == [(BLUE.id, "b"), (GREEN.id, "b")]


def test_a_deleted_action_is_gone(boto):
    register(boto)
    put(boto)
    boto.delete_scheduled_action(**one(ScheduledActionName="morning"))
    assert scheduled(boto) == []
    code, _ = refusal(boto.delete_scheduled_action, **one(ScheduledActionName="morning"))
    assert code == "ObjectNotFoundException"


def test_an_action_needs_a_target(boto):
    assert refusal(put, boto=boto)[0] == "ObjectNotFoundException"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Schedule": None}, "Schedule is missing"),
        ({"Schedule": "tomorrow"}, "Schedule 'tomorrow'"),
        ({"Schedule": "rate(1 minutes)"}, "rate(1 minute)"),
        ({"Schedule": "at(2026-13-01T00:00:00)"}, "at(2026-13-01T00:00:00)"),
        ({"Schedule": "cron(0 8 * * * *)"}, "cron(0 8 * * * *)"),
        ({"Timezone": "Europe/Bern"}, "Timezone"),
        ({"ScalableTargetAction": None}, "ScalableTargetAction"),
        ({"ScalableTargetAction": {}}, "ScalableTargetAction"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "MinCapacity 3"),
        ({"ScalableTargetAction": {"MinCapacity": -3}}, "MinCapacity -3"),
        ({"StartTime": NOW + minutes(2), "EndTime": NOW + minutes(1)}, "EndTime"),
    ],
)
def test_what_never_can_be_done_is_refused_by_name(boto, changes, named):
    register(boto)
    code, message = refusal(put, boto=boto, **changes)
    assert (code, named in message) == ("ValidationException", True), message


@pytest.mark.parametrize("name", [" a", "a ", "a:b", "a/b", "a|b", "a\x00", ""])
def test_names_that_are_none_are_refused(boto, name):
    register(boto)
    assert invalid(
        boto.put_scheduled_action,
        **one(ScheduledActionName=name, Schedule=CRON, ScalableTargetAction=BOTH),
    )
