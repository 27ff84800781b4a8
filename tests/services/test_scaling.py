"""Scalable targets and their policies are registered, shown and deregistered."""

from dataclasses import replace

import pytest

from parkade.domain.errors import (
    ComponentNotFound,
    EndpointNotFound,
    Forbidden,
    InvalidInput,
    ResourceLimitExceeded,
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
    ScheduledActionNotFound,
)
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.target import Resource, Suspended, Suspending
from parkade.ports.capacity import Readiness
from parkade.services import scaling as limits
from parkade.services import timetables
from parkade.services.timetables import Timing
from tests.builders import an_event
from tests.domain.scaling.cases import some_steps
from tests.services.scalingworld import BUSY, COPIES, LATE, TRACKING, World

UP = some_steps((1, 0.0, None))


@pytest.fixture
def world():
    return World()


class TestTargets:
    def test_it_is_there_once_it_is_registered(self, world):
        with pytest.raises(ScalableTargetNotFound, match="endpoint/falcon/variant/main"):
            world.scaling.target(BUSY)
        target = world.register(role_arn="arn:r", tags={"team": "blue"})
        assert world.scaling.target(BUSY) == target
        assert (target.least, target.most, target.role_arn) == (1, 4, "arn:r")
        assert world.kinds() == ["scaling.registered"]
        assert world.changes == 1

    def test_what_is_not_given_stays_as_it_was(self, world):
        world.register(role_arn="arn:r")
        world.scaling.register(BUSY, "ann", most=7)
        suspending = Suspending(scale_in=True)
        world.scaling.register(BUSY, "ann", suspended=suspending)
        target = world.scaling.register(BUSY, "ann", suspended=Suspending(scheduled=True))
        assert (target.least, target.most, target.role_arn) == (1, 7, "arn:r")
        assert target.suspended == Suspended(scale_in=True, scheduled=True)

    @pytest.mark.parametrize(
        ("given", "field"), [({"most": 4}, "MinCapacity"), ({"least": 1}, "MaxCapacity")]
    )
    def test_a_new_one_has_both_bounds(self, world, given, field):
        with pytest.raises(InvalidInput, match=field) as refused:
            world.scaling.register(BUSY, "ann", **given)
        assert refused.value.field == field

    @pytest.mark.parametrize(
        ("resource", "error"),
        [
            (Resource("none", "main"), EndpointNotFound),
            (Resource("falcon", "none"), InvalidInput),
            (Resource("none"), ComponentNotFound),
        ],
    )
    def test_only_what_is_there_can_be_registered(self, world, resource, error):
        with pytest.raises(error):
            world.register(resource)

    @pytest.mark.semantics("scaling.bounds")
    def test_only_asynchronous_variants_and_components_have_none_at_times(self, world):
        with pytest.raises(InvalidInput) as refused:
            world.register(BUSY, least=0)
        assert refused.value.field == "MinCapacity"
        assert world.register(LATE, least=0).least == 0
        assert world.register(COPIES, least=0).least == 0

    @pytest.mark.semantics("scaling.bounds")
    @pytest.mark.parametrize(
        ("count", "bounds", "wanted", "cause"),
        [
            (1, (2, 4), 2, "minimum capacity was set to 2"),
            (9, (2, 4), 4, "maximum capacity was set to 4"),
        ],
    )
    def test_registering_moves_the_capacity_within_the_bounds(
        self, world, count, bounds, wanted, cause
    ):
        world.have(BUSY, count)
        world.register(BUSY, *bounds)
        assert world.desired() == wanted
        (activity,) = world.scaling.activities(BUSY)
        assert activity.cause == cause
        assert activity.description == f"Setting desired instance count to {wanted}."

    @pytest.mark.parametrize("readiness", [Readiness.CHANGING, Readiness.AWAY])
    def test_what_cannot_be_changed_now_is_registered_and_left_alone(self, world, readiness):
        world.have(BUSY, 1, readiness=readiness, why="endpoint 'falcon' is Updating")
        world.register(BUSY, 2, 4)
        assert world.desired() == 1
        assert world.scaling.shown(BUSY).why == "endpoint 'falcon' is Updating"

    def test_being_refused_for_want_of_room_is_a_failed_activity(self, world):
        world.capacity.room = 4
        assert world.register(BUSY, 3, 4).least == 3
        assert world.activities() == [("Failed", "Setting desired instance count to 3.")]

    def test_a_target_outlives_its_endpoint(self, world):
        world.register()
        world.capacity.forget(BUSY)
        assert world.scaling.register(BUSY, "ann", most=2).most == 2
        shown = world.scaling.shown(BUSY)
        assert shown.reading is None
        assert "no variant 'main'" in shown.why

    @pytest.mark.semantics("scaling.deregistering")
    def test_deregistering_takes_policies_actions_and_alarms_along(self, world):
        world.register()
        world.register(COPIES)
        world.track()
        world.track(COPIES, tracking=Tracking(target=1.0, metric=Predefined.INVOCATIONS_PER_COPY))
        world.timetables.put(BUSY, "up", Timing(schedule="rate(1 day)", least=2), "ann")
        assert len(world.alarms.all().records) == 4
        world.scaling.deregister(BUSY, "ann")
        assert [each.resource for each in world.scaling.policies().records] == [COPIES]
        assert world.timetables.all().records == ()
        names = [each.name for each in world.alarms.all().records]
        assert [name.partition("-Alarm")[0] for name in names] == [
            "TargetTracking-inference-component/parrot"
        ] * 2
        assert world.desired() == 1
        with pytest.raises(ScalableTargetNotFound):
            world.scaling.deregister(BUSY, "ann")

    def test_deregistering_takes_alarms_along_of_policies_that_nobody_can_read(self, world):
        world.register()
        world.store.policies.damage(world.track().key, "it is torn")
        world.scaling.deregister(BUSY, "ann")
        assert world.alarms.all().records == ()

    def test_tags_are_set(self, world):
        world.register(tags={"a": "1"})
        world.scaling.retag(BUSY, lambda tags: {**tags, "b": "2"}, "ann")
        assert world.scaling.target(BUSY).tags == {"a": "1", "b": "2"}


class TestPolicies:
    def test_a_policy_has_alarms_of_its_own_that_nobody_else_changes(self, world):
        world.register()
        policy = world.track()
        (names,) = world.scaling.alarms([policy]).values()
        assert names == policy.alarm_names
        high = world.alarms.get(names[0])
        assert high.alarm_actions == (world.scaling_alarms.arn(policy),)
        with pytest.raises(Forbidden, match="target tracking policy"):
            world.alarms.remove(names, "ann")

    def test_putting_it_anew_keeps_its_id_and_follows_its_configuration(self, world):
        world.register()
        former = world.track()
        again = world.track(tracking=replace(TRACKING, target=100.0, scale_in=False))
        assert (again.id, again.created_at) == (former.id, former.created_at)
        (alarm,) = world.alarms.all().records
        assert alarm.rule.threshold == 100.0

    def test_an_alarm_that_is_missing_comes_back(self, world):
        world.register()
        policy = world.track()
        world.alarms.remove(policy.alarm_names, "ann", own=True)
        assert world.alarms.all().records == ()
        world.look()
        assert len(world.alarms.all().records) == 2

    def test_an_alarm_of_a_policy_that_is_gone_goes(self, world):
        world.register()
        policy = world.track()
        # As if the process had died in between.
        world.store.policies.remove(policy.key, an_event())
        world.look()
        assert world.alarms.all().records == ()

    def test_an_alarm_keeps_its_state_where_nothing_of_it_changes(self, world):
        world.register()
        (high, _) = world.track().alarm_names
        before = world.alarms.get(high)
        world.track()
        world.look()
        assert world.alarms.get(high) == before

    def test_deleting_it_takes_its_alarms_along(self, world):
        world.register()
        world.track()
        world.scaling.delete_policy(BUSY, "keep", "ann")
        assert world.alarms.all().records == ()
        with pytest.raises(ScalingPolicyNotFound):
            world.scaling.delete_policy(BUSY, "keep", "ann")
        with pytest.raises(ScalingPolicyNotFound):
            world.scaling.policy(BUSY, "keep")

    def test_it_needs_a_target(self, world):
        with pytest.raises(ScalableTargetNotFound):
            world.track()

    def test_there_is_room_for_so_many_and_for_changes_of_them(self, world):
        world.register()
        for number in range(limits.POLICIES_LIMIT):
            world.scaling.put_policy(BUSY, f"p{number}", "ann", steps=UP)
        with pytest.raises(ResourceLimitExceeded, match="50 scaling policies"):
            world.scaling.put_policy(BUSY, "more", "ann", steps=UP)
        assert world.scaling.put_policy(BUSY, "p0", "ann", steps=UP).version == 2


class TestScheduled:
    def test_what_is_not_given_stays_as_it_was(self, world):
        world.register()
        world.timetables.put(
            BUSY, "up", Timing(schedule="rate(1 day)", least=2, zone="Europe/Berlin"), "ann"
        )
        action = world.timetables.put(BUSY, "up", Timing(schedule="rate(2 days)"), "ann")
        assert (action.schedule, action.least, action.zone) == ("rate(2 days)", 2, "Europe/Berlin")
        action = world.timetables.put(BUSY, "up", Timing(most=5), "ann")
        assert (action.least, action.most) == (None, 5)

    def test_a_new_one_has_a_schedule_and_a_target(self, world):
        with pytest.raises(ScalableTargetNotFound):
            world.timetables.put(BUSY, "up", Timing(schedule="rate(1 day)", least=2), "ann")
        world.register()
        with pytest.raises(InvalidInput, match="Schedule is missing"):
            world.timetables.put(BUSY, "up", Timing(least=2), "ann")

    def test_it_is_gone_once_it_is_deleted(self, world):
        world.register()
        world.timetables.put(BUSY, "up", Timing(schedule="rate(1 day)", least=2), "ann")
        world.timetables.delete(BUSY, "up", "ann")
        assert world.timetables.all(BUSY).records == ()
        with pytest.raises(ScheduledActionNotFound):
            world.timetables.delete(BUSY, "up", "ann")

    def test_there_is_room_for_so_many(self, world, monkeypatch):
        monkeypatch.setattr(timetables, "ACTIONS_LIMIT", 2)
        world.register()
        for name in ("a", "b"):
            world.timetables.put(BUSY, name, Timing(schedule="rate(1 day)", least=2), "ann")
        with pytest.raises(ResourceLimitExceeded, match="2 scheduled actions"):
            world.timetables.put(BUSY, "c", Timing(schedule="rate(1 day)", least=2), "ann")
