"""The autoscaler looks each minute, acts, and writes down what it did."""

from dataclasses import replace
from datetime import timedelta

import pytest

from parkade.domain.alarm import Comparison, Rule, State
from parkade.domain.errors import Unavailable
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.policy import CustomMetric, Predefined, Tracking
from parkade.domain.scaling.steps import Adjustment
from parkade.domain.scaling.target import Suspending
from parkade.domain.series import Series
from parkade.ports.capacity import Readiness
from parkade.ports.events import EventQuery
from parkade.services.timetables import Timing
from tests.builders import NOW, an_alarm, minutes
from tests.domain.scaling.cases import some_steps
from tests.services.scalingworld import BUSY, COPIES, LATE, OTHER, TRACKING, World

UP = some_steps((1, 0.0, None), cooldown=300)


@pytest.fixture
def world():
    world = World()
    world.register()
    return world


def loaded(world, value=1800.0):
    """A world in which three minutes were above the target."""
    world.track()
    world.pass_minutes(3, value)
    return world


class TestTracking:
    def test_a_load_of_three_targets_has_three_instances_and_says_why(self, world):
        loaded(world)
        world.look()
        assert world.desired() == 3
        assert world.activities() == [("InProgress", "Setting desired instance count to 3.")]
        world.look()
        (activity,) = world.scaling.activities(BUSY)
        high = world.scaling.policy(BUSY, "keep").alarm_names[0]
        assert (activity.status.value, activity.before, activity.wanted) == ("Successful", 1, 3)
        assert activity.cause == f"monitor alarm {high} in state ALARM triggered policy keep"
        assert activity.status_message == (
            "Successfully set desired instance count to 3. "
            "Change successfully fulfilled by sagemaker."
        )
        assert world.kinds()[-1] == "scaling.successful"

    def test_it_comes_down_after_a_quarter_of_an_hour_and_not_before(self, world):
        loaded(world)
        world.look()
        risen_at = world.clock.now()
        while world.desired() == 3:
            world.pass_minute(100.0)
            world.look()
        assert minutes(15) < world.clock.now() - risen_at <= minutes(18)
        assert world.desired() == 1

    def test_what_is_on_its_way_is_followed_to_its_end(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.look()
        assert world.activities() == [("InProgress", "Setting desired instance count to 3.")]
        assert world.reason().startswith("left alone: ")
        world.capacity.arrive()
        world.look()
        assert world.activities() == [("Successful", "Setting desired instance count to 3.")]

    def test_the_cooldown_begins_when_the_last_instance_answers(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.pass_minutes(4, 1800.0)
        world.capacity.arrive()
        arrived_at = world.clock.now()
        world.look()
        world.register(most=20)
        world.pass_minutes(2, 1800.0)
        world.look()
        assert world.desired() == 3
        assert world.moves.decisions[BUSY.id].next_at == arrived_at + minutes(5)
        world.pass_minutes(3, 1800.0)
        world.look()
        world.capacity.arrive()
        assert world.desired() == 9

    @pytest.mark.semantics("scaling.cooldowns")
    def test_a_scale_out_ends_the_wait_of_the_scale_in_before_it(self, world):
        world.register(most=10)
        long = replace(TRACKING, in_cooldown=86_400, out_cooldown=0)
        world.track(tracking=long)
        world.have(BUSY, 4)
        world.pass_minutes(20, 300.0)
        world.look()
        assert world.desired() == 2
        world.pass_minutes(20, 100.0)
        world.look()
        assert world.desired() == 2  # it waits for a day
        world.pass_minutes(3, 1200.0)
        world.look()
        assert world.desired() == 4
        world.pass_minutes(20, 300.0)
        world.look()
        assert world.desired() == 2

    def test_what_was_measured_before_it_woke_is_not_low(self, world):
        world.track()
        world.have(BUSY, 3, awake_since=NOW + minutes(10))
        world.pass_minutes(20, 0.0)
        world.look()
        assert world.desired() == 3
        world.pass_minutes(6, 0.0)
        world.look()
        assert world.desired() == 1

    @pytest.mark.parametrize("known_since", [None, NOW + minutes(5)])
    def test_what_may_have_been_missed_is_not_low(self, world, known_since):
        world.track()
        world.have(BUSY, 3)
        world.known_since = known_since
        world.pass_minutes(20, 0.0)
        world.look()
        assert world.desired() == 3

    def test_what_may_be_stored_in_part_is_not_known(self, world):
        world.track()
        world.have(BUSY, 3)
        world.pass_minutes(16, 0.0)
        world.behind = timedelta(seconds=1)
        world.look()
        assert world.desired() == 3
        world.behind = timedelta(0)
        world.look()
        assert world.desired() == 1

    def test_what_is_not_stored_yet_is_not_known(self, world):
        world.track()
        world.have(BUSY, 3)
        world.pass_minutes(16, 0.0)
        world.clock.advance(timedelta(minutes=3))
        world.look()
        assert world.desired() == 3

    def test_damaged_points_change_nothing_and_harm_no_other(self, world):
        world.register(OTHER)
        world.track(OTHER)
        loaded(world)
        other = TRACKING.queries(OTHER)[0].measured.series
        for back in (3, 2, 1):
            world.metrics.damage(other, world.clock.now() - minutes(back))
        world.look()
        assert world.desired() == 3
        assert world.desired(OTHER) == 1
        assert "cannot be read" in world.reason(OTHER)

    def test_a_metric_of_ones_own_may_be_an_expression(self, world):
        series = Series.of("Own", "Depth")
        depth = Query(
            id="depth",
            measured=Measured(series=series, period=60, statistic="Sum"),
            returned=False,
        )
        metric = CustomMetric(queries=(depth, Query(id="e", expression="depth / 10")), plain=False)
        world.track(tracking=Tracking(target=5.0, metric=metric))
        world.pass_minutes(3, 100.0, series=series)
        world.look()
        assert world.desired() == 2

    def test_what_cannot_be_computed_is_told(self, world):
        depth = Measured(series=Series.of("Own", "Depth"), period=60, statistic="Sum")
        queries = (
            Query(id="depth", measured=depth, returned=False),
            Query(id="e", expression="[depth, depth]"),
        )
        metric = CustomMetric(queries=queries, plain=False)
        world.track(tracking=Tracking(target=5.0, metric=metric))
        world.pass_minutes(3, 100.0)
        world.look()
        assert "2 time series" in world.reason()

    def test_a_bug_that_an_expression_brings_to_light_harms_no_other(self, world, monkeypatch):
        def fault(*_):
            raise ZeroDivisionError

        series = Series.of("Own", "Depth")
        depth = Measured(series=series, period=60, statistic="Sum", unit="Count")
        metric = CustomMetric(queries=(Query(id="depth", measured=depth),))
        world.register(OTHER)
        world.track(OTHER, tracking=Tracking(target=5.0, metric=metric))
        loaded(world)
        monkeypatch.setattr(world.queries, "answer", fault)
        world.look()
        assert world.desired() == 3
        assert "a fault in Parkade itself" in world.reason(OTHER)

    def test_points_of_ten_seconds_are_looked_at_more_often(self, world):
        metric = Predefined.REQUESTS_PER_MODEL
        world.track(tracking=Tracking(target=2.0, metric=metric))
        assert world.look()[BUSY.id].fine


class TestBounds:
    def test_a_capacity_outside_them_is_moved_whoever_set_it(self, world):
        world.have(BUSY, 9)
        world.look()
        assert world.desired() == 4
        assert world.scaling.activities(BUSY)[0].cause == "maximum capacity was set to 4"

    @pytest.mark.parametrize("readiness", [Readiness.AWAY, Readiness.CHANGING])
    def test_what_does_not_serve_or_changes_is_left_alone_and_says_why(self, world, readiness):
        world.have(BUSY, 9, readiness=readiness, why="endpoint 'falcon' is Updating")
        world.look()
        assert world.desired() == 9
        assert world.reason() == "left alone: endpoint 'falcon' is Updating"

    def test_an_endpoint_that_is_stopped_and_started_keeps_its_target(self, world):
        world.register(BUSY, 2, 4)
        world.capacity.forget(BUSY)
        world.look()
        assert world.reason() == f"left alone: {BUSY} is not there"
        world.have(BUSY, 1)
        world.look()
        assert world.desired() == 2

    @pytest.mark.semantics("scaling.suspended")
    def test_what_is_suspended_stays_as_it_is(self, world):
        world.register(suspended=Suspending(scale_out=True))
        loaded(world)
        world.look()
        assert world.desired() == 1
        assert "scaling out is suspended" in world.reason()
        world.register(suspended=Suspending(scale_out=False))
        world.look()
        assert world.desired() == 3

    def test_what_a_bound_holds_is_written_down_once(self, world):
        world.have(BUSY, 4)
        loaded(world)
        for _ in range(3):
            world.look()
            world.pass_minute(1800.0)
        (activity,) = world.scaling.activities(BUSY)
        assert (activity.held, activity.least, activity.most) == (Held.AT_MOST, 1, 4)
        assert activity.description.startswith("Attempting to scale due to monitor alarm Target")


class TestRefusals:
    def test_a_refusal_is_told_once_and_tried_again_until_there_is_room(self, world):
        world.capacity.room = 4
        loaded(world)
        for _ in range(3):
            world.look()
            world.pass_minute(1800.0)
        (activity,) = world.scaling.activities(BUSY)
        assert (activity.status.value, activity.attempts) == ("Failed", 3)
        assert activity.status_message == (
            "Failed to set desired instance count to 3. Reason: there is room for 4 in all"
        )
        assert world.kinds().count("scaling.failed") == 1
        world.capacity.room = 64
        world.look()
        world.look()
        assert world.desired() == 3
        assert [each[0] for each in world.activities()] == ["Successful"]

    def test_one_that_failed_before_a_start_is_not_the_one_after_it(self, world):
        world.capacity.room = 4
        loaded(world)
        world.look()
        world.pass_minute(1800.0)
        world.have(BUSY, 1, changed_at=world.clock.now())
        world.pass_minutes(3, 1800.0)
        world.look()
        assert [each.attempts for each in world.scaling.activities(BUSY)] == [1, 1]

    def test_what_has_arrived_before_it_was_stopped_has_succeeded(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.capacity.arrive()
        world.have(BUSY, 3, readiness=Readiness.AWAY, why="endpoint 'falcon' is Deleting")
        world.look()
        assert world.activities() == [("Successful", "Setting desired instance count to 3.")]

    def test_instances_that_do_not_start_are_a_failed_activity(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.capacity.arrive(failure="no ping")
        world.look()
        (activity,) = world.scaling.activities(BUSY)
        assert activity.status.value == "Failed"
        assert activity.status_message.endswith("Reason: no ping")

    def test_who_stops_it_meanwhile_ends_the_activity(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.capacity.forget(BUSY)
        world.look()
        assert world.activities() == [("Failed", "Setting desired instance count to 3.")]

    def test_what_has_arrived_is_at_its_end_before_the_next_change_begins(self, world):
        world.register(BUSY, 2, 4)
        world.register(BUSY, 3, 4)
        assert world.activities() == [
            ("Successful", "Setting desired instance count to 2."),
            ("InProgress", "Setting desired instance count to 3."),
        ]

    def test_another_change_takes_its_place(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.capacity.arrive()
        world.have(BUSY, 2)
        world.look()
        assert ("Overridden", "Setting desired instance count to 3.") in world.activities()

    def test_a_crash_between_writing_and_acting_is_repaired(self, world):
        loaded(world)
        world.capacity.room = 0
        world.look()
        (failed,) = world.scaling.activities(BUSY)
        # As if the process had died before it could act.
        begun = replace(failed, status=type(failed.status).IN_PROGRESS, ended_at=None)
        progress = world.store.activities.progress()[BUSY.id]
        world.store.activities.note(replace(progress, activity=begun))
        world.store.activities.put(begun)
        world.capacity.room = 64
        world.restart()
        world.look()
        world.look()
        assert world.desired() == 3
        assert world.activities()[-1] == ("Successful", "Setting desired instance count to 3.")

    def test_what_is_under_way_is_followed_by_the_next_process(self, world):
        world.capacity.slow = True
        loaded(world)
        world.look()
        world.restart()
        world.capacity.arrive()
        world.look()
        assert world.activities() == [("Successful", "Setting desired instance count to 3.")]

    def test_a_decision_that_was_overtaken_is_dropped(self, world):
        loaded(world)
        thoughts = world.autoscaler.think(world.autoscaler.survey())
        world.have(BUSY, 2)
        world.autoscaler.act(thoughts)
        assert world.desired() == 2
        assert world.activities() == []


@pytest.mark.semantics("scaling.policies", "async.to_zero")
class TestSteps:
    ALARM = Rule(comparison=Comparison.AT_LEAST, threshold=1.0, periods=2, datapoints=2)

    def alarm(self, world, policy, name="stuck", **changes):
        arn = world.scaling_alarms.arn(policy)
        stored = world.alarms.put(an_alarm(name, alarm_actions=(arn,), **changes), "ann")
        world.alarms.set_state(name, State.ALARM, "because", "", "ann")
        return stored

    def test_an_alarm_that_names_the_policy_leaves_zero(self, world):
        world.have(LATE, 0, floor=0)
        world.register(LATE, 0, 2)
        policy = world.scaling.put_policy(LATE, "from-zero", "ann", steps=UP)
        world.look()
        assert world.desired(LATE) == 0
        self.alarm(world, policy)
        world.look()
        assert world.desired(LATE) == 1
        assert world.scaling.activities(LATE)[0].cause == (
            "monitor alarm stuck in state ALARM triggered policy from-zero"
        )
        assert world.scaling.alarms([policy]) == {policy.key: ("stuck",)}

    def test_leaving_zero_is_the_business_of_steps_where_there_are_any(self, world):
        world.have(LATE, 0, floor=0)
        world.register(LATE, 0, 2)
        world.scaling.put_policy(LATE, "from-zero", "ann", steps=UP)
        readings = world.autoscaler.survey()
        for backlogged in ((), {"late"}):
            world.autoscaler.act(world.autoscaler.think(readings, backlogged=backlogged))
            assert world.desired(LATE) == 0
        world.scaling.delete_policy(LATE, "from-zero", "ann")
        world.autoscaler.act(world.autoscaler.think(readings, backlogged={"other"}))
        assert world.desired(LATE) == 0
        world.autoscaler.act(world.autoscaler.think(readings, backlogged={"late"}))
        assert world.desired(LATE) == 1

    def test_it_goes_on_while_the_alarm_lasts_after_each_cooldown(self, world):
        policy = world.scaling.put_policy(BUSY, "step", "ann", steps=UP)
        self.alarm(world, policy)
        counts = []
        for _ in range(12):
            world.look()
            counts.append(world.desired())
            world.pass_minute()
        assert counts == [2] * 5 + [3] * 5 + [4] * 2

    def test_an_alarm_whose_actions_are_disabled_changes_nothing(self, world):
        policy = world.scaling.put_policy(BUSY, "step", "ann", steps=UP)
        self.alarm(world, policy)
        world.alarms.enable_actions(["stuck"], "ann", enabled=False)
        world.look()
        assert world.desired() == 1

    def test_the_step_is_chosen_by_the_points_of_the_alarm(self, world):
        steps = some_steps((1, 0.0, 1000.0), (3, 1000.0, None), adjustment=Adjustment.CHANGE)
        policy = world.scaling.put_policy(BUSY, "step", "ann", steps=steps)
        measured = TRACKING.queries(BUSY)
        self.alarm(world, policy, queries=measured, threshold=600.0, periods=2)
        world.pass_minutes(2, 1700.0)
        world.look()
        assert world.desired() == 4

    @pytest.mark.semantics("scaling.several")
    def test_of_a_step_and_a_tracking_the_larger_wins(self, world):
        policy = world.scaling.put_policy(BUSY, "step", "ann", steps=UP)
        self.alarm(world, policy)
        loaded(world)
        world.look()
        assert world.desired() == 3


@pytest.mark.semantics("scaling.component_zero")
class TestCalls:
    def test_the_first_call_of_a_component_without_copies_wakes_it(self, world):
        world.have(COPIES, 0, floor=0)
        world.register(COPIES, 0, 2)
        assert world.autoscaler.called("parrot")
        assert world.desired(COPIES) == 1
        world.look()
        assert world.activities(COPIES) == [("Successful", "Setting desired copy count to 1.")]
        assert not world.autoscaler.called("parrot")

    def test_it_is_not_low_before_a_quarter_of_an_hour_of_its_own(self, world):
        world.have(COPIES, 0, floor=0)
        world.register(COPIES, 0, 2)
        tracking = Tracking(target=1.0, metric=Predefined.INVOCATIONS_PER_COPY)
        world.track(COPIES, tracking=tracking)
        series = tracking.queries(COPIES)[0].measured.series
        world.pass_minutes(20, 0.0, series=series)
        world.autoscaler.called("parrot")
        for _ in range(15):
            world.look()
            world.pass_minute(0.0, series=series)
        assert world.desired(COPIES) == 1
        world.pass_minutes(2, 0.0, series=series)
        world.look()
        assert world.desired(COPIES) == 0

    @pytest.mark.parametrize(
        ("bounds", "suspended", "readiness"),
        [
            ((0, 0), Suspending(), Readiness.READY),
            ((0, 2), Suspending(scale_out=True), Readiness.READY),
            ((0, 2), Suspending(), Readiness.CHANGING),
            ((0, 2), Suspending(), Readiness.AWAY),
        ],
    )
    def test_what_may_have_none_or_cannot_be_changed_stays(
        self, world, bounds, suspended, readiness
    ):
        world.have(COPIES, 0, floor=0)
        world.register(COPIES, *bounds, suspended=suspended)
        world.have(COPIES, 0, floor=0, readiness=readiness, why="it is so")
        assert not world.autoscaler.called("parrot")
        assert world.desired(COPIES) == 0

    def test_what_nobody_registered_stays(self, world):
        world.have(COPIES, 0, floor=0)
        assert not world.autoscaler.called("parrot")
        assert not world.autoscaler.called("none")


@pytest.mark.semantics("scaling.scheduled")
class TestSchedules:
    def test_bounds_are_set_and_the_capacity_follows(self, world):
        world.timetables.put(BUSY, "up", Timing(schedule="rate(5 minutes)", least=3, most=9), "ann")
        world.pass_minutes(4)
        world.look()
        assert world.desired() == 1
        world.pass_minute()
        world.look()
        assert world.desired() == 3
        target = world.scaling.target(BUSY)
        assert (target.least, target.most) == (3, 9)
        assert world.activities() == [
            ("Successful", "Setting min capacity to 3 and max capacity to 9"),
            ("InProgress", "Setting desired instance count to 3."),
        ]
        causes = [each.cause for each in world.scaling.activities(BUSY)][::-1]
        assert causes == ["scheduled action name up was triggered", "minimum capacity was set to 3"]
        world.look()
        assert len(world.activities()) == 2

    @pytest.mark.semantics("scaling.suspended")
    def test_none_is_carried_out_while_they_are_suspended_nor_later(self, world):
        world.timetables.put(BUSY, "up", Timing(schedule="at(2026-01-01T00:00:00)", least=3), "ann")
        action = world.store.scheduled.all().records[0]
        at = f"at({NOW + minutes(2):%Y-%m-%dT%H:%M:%S})"
        world.store.scheduled.put(replace(action, schedule=at))
        world.register(suspended=Suspending(scheduled=True))
        world.pass_minutes(3)
        world.look()
        world.register(suspended=Suspending(scheduled=False))
        world.look()
        assert world.scaling.target(BUSY).least == 1

    def test_bounds_that_do_not_go_together_are_a_failed_activity(self, world):
        world.timetables.put(BUSY, "up", Timing(schedule="rate(1 minute)", least=9), "ann")
        world.pass_minute()
        world.look()
        (activity,) = world.scaling.activities(BUSY)
        assert activity.status.value == "Failed"
        assert "MinCapacity 9 is more than MaxCapacity 4" in activity.status_message
        assert world.scaling.target(BUSY).least == 1


def test_nothing_that_is_not_asked_for_is_looked_at(world):
    world.register(OTHER)
    assert list(world.look({OTHER.id})) == [OTHER.id]
    assert set(world.look()) == {BUSY.id, OTHER.id}


def test_old_activities_are_forgotten(world):
    world.have(BUSY, 9)
    world.look()
    world.look()
    world.clock.advance(timedelta(weeks=7))
    world.autoscaler.forget()
    assert world.scaling.activities() == ()


def test_events_tell_whose_endpoint_was_scaled(world):
    loaded(world)
    world.look()
    world.look()
    (event,) = world.history.read(EventQuery(kinds=("scaling.successful",)))
    assert (event.endpoint_name, event.actor) == ("falcon", "autoscaler")
    assert "variant 'main' of endpoint 'falcon'" in event.reason
    assert event.data["wanted"] == 3


def test_nothing_is_decided_while_nothing_can_be_seen(world, monkeypatch):
    def hidden():
        raise Unavailable("hosting has not started")

    monkeypatch.setattr(world.capacity, "all", hidden)
    with pytest.raises(Unavailable):
        world.autoscaler.survey()
