"""The contract of what is scaled: targets, policies, scheduled actions, activities."""

from dataclasses import replace
from datetime import timedelta

import pytest

from parkade.domain.errors import (
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
    ScheduledActionNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.metricquery import Query
from parkade.domain.scaling.activity import Activity, Held, Status
from parkade.domain.scaling.policy import CustomMetric, Predefined
from parkade.domain.scaling.progress import Move, Progress
from parkade.domain.scaling.steps import Adjustment, Aggregation
from parkade.domain.scaling.target import Resource, Suspended
from parkade.domain.scaling.timetable import ScheduledAction
from parkade.ports.events import EventQuery
from tests.builders import NOW, a_query, an_event, minutes
from tests.domain.scaling.cases import RESOURCE, a_policy, a_target, some_steps

OTHER = Resource("parrot")
KINDS = ["targets", "policies", "scheduled"]
MISSING = {
    "targets": ScalableTargetNotFound,
    "policies": ScalingPolicyNotFound,
    "scheduled": ScheduledActionNotFound,
}


def an_action(name="hours", *, resource=RESOURCE, **changes):
    defaults = {
        "schedule": "rate(1 day)",
        "created_at": NOW,
        "id": "1f",
        "least": 1,
        "seen_to": NOW,
    }
    return ScheduledAction(name=name, resource=resource, **{**defaults, **changes})


def an_activity(number=1, *, resource=RESOURCE, **changes):
    defaults = {
        "status": Status.SUCCESSFUL,
        "cause": "because",
        "started_at": NOW + minutes(number),
        "before": 1,
        "wanted": 2,
    }
    return Activity(id=str(number), resource=resource, **{**defaults, **changes})


def records(kind):
    """Two records of a kind in the order of their keys, and these."""
    if kind == "targets":
        return [(each, each.resource.id) for each in (a_target(), a_target(resource=OTHER))]
    if kind == "policies":
        return [(each, each.key) for each in (a_policy("a"), a_policy("b"))]
    return [(each, each.key) for each in (an_action("a"), an_action("b"))]


@pytest.fixture
def scaling(store):
    store.scaling.targets.put(a_target())
    return store.scaling


def kept_of(store, kind):
    if kind != "targets":
        store.scaling.targets.put(a_target())
    return getattr(store.scaling, kind)


def test_every_field_of_a_target_comes_back(store):
    target = a_target(
        0,
        7,
        suspended=Suspended(scale_in=True, scale_out=True, scheduled=True),
        role_arn="arn:aws:iam::000000000000:role/r",
        tags={"team": "ü"},
    )
    stored = store.scaling.targets.put(target)
    assert stored == replace(target, version=1)
    assert store.scaling.targets.get(RESOURCE.id) == stored


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": Predefined.REQUESTS_PER_MODEL, "out_cooldown": 60, "in_cooldown": 0, "label": "x"},
        {"metric": CustomMetric(queries=(a_query("a", unit="Count"),)), "scale_in": False},
        {
            "metric": CustomMetric(
                queries=(a_query("a", returned=False), Query(id="e", expression="a / 2")),
                plain=False,
            )
        },
        {
            "steps": some_steps(
                (-10, None, 0.0), (20, 0.0, None),
                adjustment=Adjustment.PERCENT, least=2, cooldown=0, aggregation=Aggregation.MAXIMUM,
            )
        },
    ],
)  # fmt: skip
def test_every_field_of_a_policy_comes_back(scaling, changes):
    policy = a_policy("ü b", **changes)
    stored = scaling.policies.put(policy)
    assert stored == replace(policy, version=1)
    assert scaling.policies.get(policy.key) == stored


def test_every_field_of_a_scheduled_action_comes_back(scaling):
    action = an_action(
        zone="Europe/Berlin",
        most=5,
        schedule="cron(0 9 ? * MON-FRI *)",
        starts_at=NOW,
        ends_at=NOW + minutes(5),
    )
    stored = scaling.scheduled.put(action)
    assert stored == replace(action, version=1)
    assert scaling.scheduled.get(action.key) == stored


@pytest.mark.parametrize("kind", KINDS)
class TestKept:
    def test_what_is_not_there_is_missed_by_name(self, store, kind):
        kept = getattr(store.scaling, kind)
        with pytest.raises(MISSING[kind], match="none"):
            kept.get("none")
        with pytest.raises(MISSING[kind], match="none"):
            kept.remove("none", an_event())
        assert list(store.history.read(EventQuery())) == []

    def test_all_are_in_the_order_of_keys(self, store, kind):
        kept = kept_of(store, kind)
        for record, _ in reversed(records(kind)):
            kept.put(record)
        assert [each.resource.id for each in kept.all().records] == [
            record.resource.id for record, _ in records(kind)
        ]

    def test_a_write_that_came_first_wins(self, store, kind):
        kept = kept_of(store, kind)
        record, key = records(kind)[1]
        first = kept.put(record)
        second = kept.put(first)
        assert second.version == 2
        for stale in (first, record):
            with pytest.raises(VersionConflict):
                kept.put(stale, an_event())
        assert kept.get(key) == second
        assert list(store.history.read(EventQuery())) == []

    def test_events_are_stored_with_what_they_tell_of(self, store, kind):
        kept = kept_of(store, kind)
        record, key = records(kind)[1]
        kept.put(record, an_event(kind="scaling.put"))
        kept.remove(key, an_event(kind="scaling.removed"))
        assert [each.kind for each in store.history.read(EventQuery())] == [
            "scaling.put",
            "scaling.removed",
        ]
        with pytest.raises(MISSING[kind]):
            kept.get(key)

    def test_what_is_damaged_hides_no_other_and_is_mended_by_putting_it_anew(self, store, kind):
        kept = kept_of(store, kind)
        (good, good_key), (bad, bad_key) = records(kind)
        kept.put(good)
        kept.put(bad)
        store.damage_scaling(kind, bad_key)
        found = kept.all()
        assert [each.resource for each in found.records] == [good.resource]
        assert list(found.unreadable) == [bad_key]
        with pytest.raises(Unreadable):
            kept.get(bad_key)
        assert kept.put(bad).version == 1
        assert kept.get(good_key)
        store.damage_scaling(kind, bad_key)
        kept.remove(bad_key, an_event())
        assert kept.all().unreadable == {}


@pytest.mark.parametrize(("kind", "record"), [("policies", a_policy()), ("scheduled", an_action())])
def test_what_belongs_to_a_target_needs_it(store, kind, record):
    with pytest.raises(ScalableTargetNotFound, match="endpoint/falcon"):
        getattr(store.scaling, kind).put(record, an_event())
    assert list(store.history.read(EventQuery())) == []


@pytest.mark.semantics("scaling.deregistering")
def test_what_belongs_to_a_target_goes_with_it(store):
    scaling = store.scaling
    for resource in (RESOURCE, Resource("falcon", "main-2")):
        scaling.targets.put(a_target(resource=resource))
        scaling.policies.put(a_policy(resource=resource))
        scaling.scheduled.put(an_action(resource=resource))
        scaling.activities.note(Progress(resource=resource))
        scaling.activities.put(an_activity(len(resource.id), resource=resource))
    store.damage_scaling("policies", a_policy().key)
    scaling.targets.remove(RESOURCE.id, an_event())
    assert [each.resource.variant_name for each in scaling.policies.all().records] == ["main-2"]
    assert scaling.policies.all().unreadable == {}
    assert [each.resource.variant_name for each in scaling.scheduled.all().records] == ["main-2"]
    assert list(scaling.activities.progress()) == ["endpoint/falcon/variant/main-2"]
    assert len(scaling.activities.newest(limit=10)) == 2


class TestActivities:
    def test_every_field_comes_back(self, store):
        activity = an_activity(
            ended_at=NOW,
            policy_name="keep",
            status_message="done",
            text="Setting min capacity to 2",
            attempts=3,
            held=Held.AT_MOST,
            least=1,
            most=4,
        )
        store.scaling.activities.put(activity, an_event(kind="scaling.done"))
        assert store.scaling.activities.newest(limit=1) == (activity,)
        assert [each.kind for each in store.history.read(EventQuery())] == ["scaling.done"]

    def test_the_newest_come_first_and_page_by_page(self, store):
        log = store.scaling.activities
        for number in range(1, 6):
            log.put(an_activity(number, resource=OTHER if number == 3 else RESOURCE))
        assert [each.id for each in log.newest(limit=10)] == ["5", "4", "3", "2", "1"]
        assert [each.id for each in log.newest(RESOURCE, limit=2)] == ["5", "4"]
        assert [each.id for each in log.newest(RESOURCE, limit=2, before="4")] == ["2", "1"]
        assert log.newest(limit=2, before="none") == ()
        assert log.newest(limit=0) == ()

    def test_one_that_goes_on_keeps_its_place(self, store):
        log = store.scaling.activities
        log.put(an_activity(1, status=Status.IN_PROGRESS))
        log.put(an_activity(2))
        log.put(an_activity(1))
        assert [(each.id, each.status) for each in log.newest(limit=10)] == [
            ("2", Status.SUCCESSFUL),
            ("1", Status.SUCCESSFUL),
        ]

    def test_old_ones_are_forgotten_unless_they_go_on(self, store):
        log = store.scaling.activities
        for number in (1, 2, 3):
            log.put(
                an_activity(number, status=Status.IN_PROGRESS if number == 1 else Status.FAILED)
            )
        log.forget(NOW + minutes(3))
        assert [each.id for each in log.newest(limit=10)] == ["3", "1"]


class TestProgress:
    def test_every_field_comes_back(self, scaling):
        progress = Progress(
            resource=RESOURCE,
            out=Move(at=NOW, before=1, after=3, policy_name="keep"),
            back=Move(at=NOW + timedelta(seconds=1), before=3, after=2),
            activity=an_activity(status=Status.IN_PROGRESS),
        )
        scaling.activities.note(progress)
        assert scaling.activities.progress() == {RESOURCE.id: progress}

    def test_the_last_note_counts(self, scaling):
        scaling.activities.note(Progress(resource=RESOURCE, activity=an_activity()))
        scaling.activities.note(Progress(resource=RESOURCE))
        assert scaling.activities.progress()[RESOURCE.id].activity is None

    def test_some_are_told_apart(self, scaling):
        scaling.targets.put(a_target(resource=OTHER))
        for resource in (RESOURCE, OTHER):
            scaling.activities.note(Progress(resource=resource))
        assert list(scaling.activities.progress({OTHER.id, "none"})) == [OTHER.id]
        assert scaling.activities.progress(set()) == {}

    def test_nothing_is_noted_of_a_target_that_is_gone(self, store):
        store.scaling.activities.note(Progress(resource=RESOURCE))
        assert store.scaling.activities.progress() == {}
