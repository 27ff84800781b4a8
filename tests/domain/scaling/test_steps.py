"""Step scaling: what its steps may be, and what alarms make of a capacity."""

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.progress import Move
from parkade.domain.scaling.stepping import Alarmed, decide
from parkade.domain.scaling.steps import Adjustment, Aggregation
from parkade.domain.scaling.votes import Direction
from tests.builders import NOW, minutes
from tests.domain.scaling.cases import a_policy, some_steps

CHANGE, PERCENT, EXACT = Adjustment
UP = some_steps((1, 0.0, 10.0), (3, 10.0, None))
DOWN = some_steps((-1, -10.0, 0.0), (-2, None, -10.0))


def stepped(steps, *values, capacity=2, last=None, threshold=50.0, now=NOW):
    policy = a_policy("step", steps=steps)
    alarmed = Alarmed(name="hot", state="ALARM", threshold=threshold, values=values)
    return decide(policy, steps, [alarmed], capacity, last, now)


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    ("steps", "value", "wanted"),
    [
        # Above the threshold a step has its lower bound, below it its upper one.
        (UP, 50, 3),
        (UP, 59.9, 3),
        (UP, 60, 5),
        (UP, 49.9, None),
        (DOWN, 50, 1),
        (DOWN, 40.1, 1),
        (DOWN, 40, 0),
        (DOWN, 50.1, None),
        (some_steps((7, 0.0, None), adjustment=EXACT), 51, 7),
        (some_steps((0, None, 0.0), adjustment=EXACT), 49, 0),
    ],
)
def test_a_step_is_taken_by_the_distance_from_the_threshold(steps, value, wanted):
    found = stepped(steps, value)
    assert found.wanted == (wanted or 0)
    assert (found.direction is Direction.NONE) is (wanted is None)


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    ("percent", "least", "capacity", "wanted"),
    [
        (25, 0, 8, 10),
        (25, 0, 10, 12),  # 2.5 more: towards nothing
        (10, 0, 5, 6),  # a half: but not to nothing
        (-10, 0, 5, 4),
        (-25, 0, 10, 8),
        (25, 2, 4, 6),  # 1 is less than the least change
        (-25, 2, 4, 2),
        (-100, 0, 3, 0),
        (-100, 9, 3, 0),
        (50, 0, 0, 0),
    ],
)
def test_a_percentage_is_rounded_towards_nothing_but_not_to_it(percent, least, capacity, wanted):
    bound = (0.0, None) if percent > 0 else (None, 0.0)
    steps = some_steps((percent, *bound), adjustment=PERCENT, least=least)
    assert steps.applied(capacity, steps.steps[0]) == wanted


@pytest.mark.parametrize(
    ("aggregation", "wanted"),
    [(Aggregation.AVERAGE, 3), (Aggregation.MINIMUM, 3), (Aggregation.MAXIMUM, 5)],
)
def test_the_points_of_the_alarm_are_aggregated(aggregation, wanted):
    steps = some_steps((1, 0.0, 10.0), (3, 10.0, None), aggregation=aggregation)
    assert stepped(steps, 52.0, 61.0).wanted == wanted


def test_an_alarm_without_points_is_on_its_threshold():
    assert stepped(UP).wanted == 3


def test_of_several_alarms_the_largest_wins():
    policy = a_policy("step", steps=UP)
    alarmed = [
        Alarmed(name=str(value), state="ALARM", threshold=50.0, values=(value,))
        for value in (51.0, 70.0, 52.0)
    ]
    found = decide(policy, UP, alarmed, 2, None, NOW)
    assert (found.wanted, found.alarm_name) == (5, "70.0")


@pytest.mark.semantics("scaling.cooldowns")
class TestCooldown:
    def test_the_same_step_is_waited_for(self):
        last = Move(at=NOW, before=2, after=3, policy_name="step")
        found = stepped(UP, 51, capacity=3, last=last, now=NOW + minutes(4))
        assert (found.direction, found.next_at) == (Direction.NONE, NOW + minutes(5))
        assert stepped(UP, 51, capacity=3, last=last, now=NOW + minutes(5)).wanted == 4

    def test_a_larger_step_counts_from_where_the_last_one_began(self):
        last = Move(at=NOW, before=2, after=3, policy_name="step")
        assert stepped(UP, 70, capacity=3, last=last, now=NOW + minutes(1)).wanted == 5

    def test_scaling_in_is_waited_for(self):
        last = Move(at=NOW, before=4, after=3, policy_name="step")
        found = stepped(DOWN, 45, capacity=3, last=last, now=NOW + minutes(4))
        assert (found.direction, found.next_at) == (Direction.NONE, NOW + minutes(5))
        assert stepped(DOWN, 45, capacity=3, last=last, now=NOW + minutes(5)).wanted == 2

    def test_the_wait_of_a_scale_in_holds_no_scale_out_up(self):
        last = Move(at=NOW, before=4, after=3, policy_name="step")
        assert stepped(UP, 51, capacity=3, last=last, now=NOW).wanted == 4


@pytest.mark.semantics("scaling.policies")
@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "0 entries"),
        ([(1, 0.0, None)] * 21, "21 entries"),
        ([(1, None, None)], "no bound to no bound"),
        ([(1, 5.0, 5.0)], "from 5 to 5"),
        ([(1, 9.0, 5.0)], "from 9 to 5"),
        ([(1, 0.0, 5.0), (2, 6.0, None)], "ends at 5"),
        ([(1, 0.0, 7.0), (2, 6.0, None)], "ends at 7"),
        ([(1, 0.0, 5.0)], "without an upper bound"),
        ([(-1, -5.0, 0.0)], "without a lower bound"),
    ],
)
def test_steps_cover_a_side_without_gaps(steps, said):
    with pytest.raises(InvalidInput, match=said):
        some_steps(*steps)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"least": 1}, "MinAdjustmentMagnitude"),
        ({"cooldown": -1}, "Cooldown"),
        ({"adjustment": EXACT}, "StepAdjustments"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        some_steps((-1, None, 0.0), **changes)
    assert refused.value.field == field
