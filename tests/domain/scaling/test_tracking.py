"""Target tracking: what points ask for."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parkade.domain.alarm import Comparison, State
from parkade.domain.evaluation import verdict
from parkade.domain.scaling import tracking
from parkade.domain.scaling.target import Suspended
from parkade.domain.scaling.votes import Direction
from tests.builders import NOW, minutes
from tests.domain.scaling.cases import (
    a_policy,
    a_target,
    a_tracking,
    decided,
    points,
    seen,
    vote,
)

LOW = [100.0] * 16


@pytest.mark.semantics("scaling.alarms")
@pytest.mark.parametrize(
    ("values", "direction", "wanted"),
    [
        # Three of three above the target scale out, to what carries the newest.
        ([300, 1800, 1800, 1800], "out", 3),
        ([1800, 1800, 601], "out", 2),
        ([700, 900, 6000], "out", 10),
        # Not two, not three with one that is not above, not on the target.
        ([1800, 1800], "stay", 0),
        ([1800, 600, 1800], "stay", 0),
        ([600, 600, 600], "stay", 0),
        # Nothing that is missing counts, in either direction.
        ([1800, None, 1800, 1800], "out", 3),
        ([1800, 1800, 1800, None, None], "out", 3),
        ([1800, 1800, 1800, None, None, None], "stay", 0),
        ([None] * 5, "stay", 0),
    ],
)
def test_three_points_above_the_target_scale_out(values, direction, wanted):
    found = vote(a_policy(), seen(*values))
    assert (found.direction, found.wanted) == (direction, wanted)


@pytest.mark.semantics("scaling.alarms")
@pytest.mark.parametrize(
    ("values", "direction", "wanted"),
    [
        (LOW, "in", 1),
        ([539.9] * 16, "stay", 0),  # fewer than three would not carry three times that
        ([399.9] * 16, "in", 2),
        ([540.0] * 16, "stay", 0),  # 90 % is not below 90 %
        (LOW[:15], "stay", 0),  # it may have been within the first of them that the load fell
        ([*LOW[:7], 540.0, *LOW[:7]], "stay", 0),
        ([0.0] * 16, "in", 0),
        # What it scales in to carries the highest of what was seen.
        ([*LOW[:15], 500.0], "stay", 0),
        ([350.0, *LOW[:15]], "in", 2),
        # Unknown points are no low ones.
        ([*LOW[:15], None], "stay", 0),
        ([*LOW[:15], None, 100.0], "in", 1),
        ([*LOW, None, None, None], "stay", 0),
    ],
)
def test_sixteen_points_below_90_percent_scale_in(values, direction, wanted):
    found = vote(a_policy(), seen(*values, capacity=3))
    assert (found.direction, found.wanted) == (direction, wanted)


def test_what_is_said_while_nothing_is_changed():
    told = vote(a_policy(), seen(*[600.0] * 5, *[100.0] * 11)).reason
    assert (
        told
        == "its metric was 100 at last, below 540 for 11 points; it takes 15, and the one before"
    )
    told = vote(a_policy(), seen(*[600.0] * 15, 100.0)).reason
    assert "below 540 for 1 point;" in told
    told = vote(a_policy(), seen(*[2.0] * 16)).reason
    assert told == "its metric was below 540 for 15 points, at most 2, which takes 1"


def test_the_alarms_of_a_policy_have_the_very_rules_of_the_decision():
    policy = a_policy()
    high, low = tracking.alarms(policy, "arn:x", "falcon", NOW)
    assert high.name == "TargetTracking-endpoint/falcon/variant/main-AlarmHigh-1f"
    assert low.name == "TargetTracking-endpoint/falcon/variant/main-AlarmLow-1f"
    assert high.rule == tracking.out_rule(policy.tracking)
    assert low.rule == tracking.in_rule(policy.tracking, 60)
    assert (high.rule.comparison, high.rule.threshold, high.rule.periods) == (
        Comparison.ABOVE,
        600.0,
        3,
    )
    assert (low.rule.comparison, low.rule.threshold, low.rule.periods) == (
        Comparison.BELOW,
        540.0,
        15,
    )
    assert all(alarm.own and alarm.alarm_actions == ("arn:x",) for alarm in (high, low))
    assert str(high.watched.measured.series) == (
        "AWS/SageMaker InvocationsPerInstance EndpointName=falcon VariantName=main"
    )


def test_a_policy_that_does_not_scale_in_has_no_alarm_for_it():
    (high,) = tracking.alarms(a_policy(scale_in=False), "arn:x", "falcon", NOW)
    assert "AlarmHigh" in high.name


def test_points_of_ten_seconds_are_low_for_as_long():
    rule = tracking.in_rule(a_tracking(), 10)
    assert rule.periods == 90


@pytest.mark.semantics("scaling.cooldowns")
class TestWaits:
    def test_a_scale_out_is_waited_for(self):
        out_until = NOW + minutes(1)
        found = vote(a_policy(), seen(*[1800.0] * 3, out_until=out_until))
        assert (found.direction, found.next_at) == (Direction.STAY, out_until)
        after = vote(a_policy(), seen(*[1800.0] * 3, out_until=NOW))
        assert after.direction is Direction.OUT

    def test_a_scale_in_is_waited_for(self):
        in_until = NOW + minutes(1)
        found = vote(a_policy(), seen(*LOW, capacity=3, in_until=in_until))
        assert (found.direction, found.next_at) == (Direction.STAY, in_until)
        assert vote(a_policy(), seen(*LOW, capacity=3, in_until=NOW)).direction is Direction.IN

    def test_the_wait_of_a_scale_in_holds_no_scale_out_up(self):
        found = vote(a_policy(), seen(*[1800.0] * 3, in_until=NOW + minutes(5)))
        assert found.direction is Direction.OUT

    def test_what_was_measured_before_a_change_does_not_make_it_again(self):
        changed_at = NOW - timedelta(seconds=90)
        of = seen(1800.0, 1800.0, 1800.0, capacity=3, changed_at=changed_at)
        assert vote(a_policy(), of).wanted == 9  # one whole point says so
        of = seen(1800.0, 1800.0, 1800.0, capacity=3, changed_at=NOW)
        assert vote(a_policy(), of).direction is Direction.STAY

    def test_nothing_is_low_that_was_measured_before_it_rose_or_woke(self):
        of = seen(*LOW, capacity=3, low_since=NOW - minutes(14))
        found = vote(a_policy(), of)
        assert (found.direction, found.next_at) == (Direction.STAY, NOW + minutes(2))
        assert "below 540 for 14 points;" in found.reason


def test_zero_is_left_by_use_alone():
    found = vote(a_policy(), seen(*[1800.0] * 3, capacity=0))
    assert found.direction is Direction.NONE


def test_sums_of_fractions_make_nothing_larger():
    # 1800 invocations that counted a third each are 600 for each of three, give or take a digit.
    third = sum([1 / 3] * 1800)
    assert third != 600.0
    assert tracking.needed(a_tracking(), 3, third) == 3


_values = st.one_of(st.none(), st.floats(0, 1e6))
_loads = st.lists(_values, min_size=1, max_size=17)
_capacities = st.integers(0, 50)
_bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)
_suspended = st.builds(
    Suspended, scale_in=st.booleans(), scale_out=st.booleans(), scheduled=st.booleans()
)


@given(_loads, _capacities, _bounds, _suspended, st.booleans())
def test_a_capacity_never_goes_outside_its_bounds(loads, capacity, bounds, suspended, scale_in):
    target = a_target(*bounds, suspended=suspended)
    of = seen(*loads, capacity=capacity)
    found = decided(target, of, a_policy(scale_in=scale_in))
    assert found.wanted == capacity or target.least <= found.wanted <= target.most
    if found.wanted > capacity:
        assert not suspended.scale_out
    if found.wanted < capacity:
        assert not suspended.scale_in


@given(_loads, st.lists(st.floats(0, 1e6), min_size=17, max_size=17), st.integers(1, 50))
@example(LOW, [200.0] * 17, 3)
def test_more_load_never_means_fewer(loads, more, capacity):
    target = a_target(1, 100)
    higher = [
        None if value is None else value + extra
        for value, extra in zip(loads, more[: len(loads)], strict=True)
    ]
    low = decided(target, seen(*loads, capacity=capacity), a_policy())
    high = decided(target, seen(*higher, capacity=capacity), a_policy())
    assert low.wanted <= high.wanted


@given(st.lists(_values, min_size=1, max_size=17), st.integers(1, 50), st.data())
def test_a_point_that_is_not_known_never_scales_in(loads, capacity, data):
    hidden = data.draw(st.sets(st.integers(0, len(loads) - 1), min_size=1))
    holes = [None if at in hidden else value for at, value in enumerate(loads)]
    known = [value for value in holes if value is not None]
    found = decided(a_target(0, 100), seen(*holes, capacity=capacity), a_policy())
    if len(known) < 16:
        assert found.wanted >= capacity


@given(st.floats(0, 60_000), st.integers(1, 60), st.floats(1, 5000))
@example(600.0, 3, 200.0)
@example(1799.9999999999998, 1, 600.0)
def test_constant_load_comes_to_rest_after_one_change(load, capacity, target_value):
    target, policy = a_target(1, 1_000_000), a_policy(target=target_value)
    history = [capacity]
    for _ in range(3):
        of = seen(*[load / history[-1]] * 17, capacity=history[-1])
        history.append(decided(target, of, policy).wanted)
    assert history[1] == history[2] == history[3]
    # What it rests at carries the load; nor is it more than a tenth too many and one.
    assert load / history[-1] <= target_value * (1 + 1e-8)


@given(st.lists(st.floats(0, 1e6), min_size=17, max_size=17), st.integers(1, 50))
def test_the_decision_goes_the_way_that_an_alarm_shows(loads, capacity):
    policy = a_policy()
    found = vote(policy, seen(*loads, capacity=capacity))
    high = verdict(tracking.out_rule(policy.tracking), points(*loads)[-5:]).state
    low = verdict(tracking.in_rule(policy.tracking, 60), points(*loads)).state
    if found.direction is Direction.OUT:
        assert high is State.ALARM
    if found.direction is Direction.IN:
        assert low is State.ALARM
