"""What an update in stages does next: its way on and its way back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from parkade.domain.errors import InvalidInput
from parkade.domain.rollout import Kind, Size, Strategy
from parkade.domain.stages import (
    Done,
    Onward,
    Rollout,
    Stage,
    Undone,
    Waiting,
    advance,
    part,
    promoted,
    returned,
)
from tests.builders import NOW, seconds
from tests.domain.test_rollout import strategies


def begun(strategy, *, new=(4,), old=(4,)):
    return Rollout.begun(strategy, NOW, new, old)


def way(rollout, now=NOW, **told):
    """Go all the way; return the rollouts on it, and how it ends."""
    seen = [rollout]
    while True:
        step = advance(rollout, now, ready=True, **told)
        if isinstance(step, Waiting):
            assert step.until is not None
            assert step.until > now
            now = step.until
        elif isinstance(step, Onward):
            rollout = step.rollout
            seen.append(rollout)
        else:
            return seen, step, now


def canary(**options):
    return Strategy(kind=Kind.CANARY, step=Size(percent=10), **options)


def test_a_canary_goes_on_stage_by_stage():
    strategy = canary(wait=seconds(300), termination_wait=seconds(60), alarms=("a", "b"))
    seen, end, now = way(begun(strategy))
    assert [(each.stage, float(each.share)) for each in seen] == [
        ("rising", 0),
        ("shifting", 0.1),
        ("baking", 0.1),
        ("shifting", 1),
        ("baking", 1),
        ("terminating", 1),
    ]
    assert end == Done()
    assert now == NOW + seconds(660)


def test_reasons_are_told():
    shifted = advance(begun(canary(wait=seconds(300), alarms=("a",))), NOW, ready=True)
    assert shifted.reason == "10 % of requests go to it"
    baking = advance(shifted.rollout, NOW, ready=True)
    assert baking.reason == "it bakes for 300 seconds at 10 %, with an eye on a"


def test_nothing_goes_on_before_it_is_ready():
    rollout = begun(canary())
    assert advance(rollout, NOW, ready=False) == Waiting(until=None)
    shifting = advance(rollout, NOW, ready=True).rollout
    assert advance(shifting, NOW, ready=False) == Waiting(until=None)


@given(strategies(), some.integers(1, 30), some.integers(1, 30))
def test_with_batches_there_is_capacity_for_every_share(strategy, old, new):
    """Both fleets can take what they get, and never have more than a batch too much."""
    rollout = begun(replace(strategy, wait=seconds(1)), new=(new,), old=(old,))
    seen, end, _ = way(rollout)
    assert end == Done()
    for each in seen:
        assert each.new_capacity >= each.share
        assert each.old_capacity >= 1 - each.share
        together = part(new, each.new_capacity) + part(old, each.old_capacity)
        assert together <= each.most(old, new)
        if strategy.kind is not Kind.ROLLING:
            assert each.new_capacity == each.old_capacity == 1
        elif old == new:
            assert together <= new + part(new, strategy.step.of([new])) + 1


@given(strategies(), some.integers(0, 20), some.booleans())
def test_from_everywhere_the_way_back_leads_to_the_old_fleet(strategy, steps, by_batches):
    if strategy.kind is Kind.ROLLING and by_batches:
        strategy = replace(strategy, rollback_step=Size(percent=7))
    seen, _, _ = way(begun(replace(strategy, wait=seconds(1))))
    rollout = seen[min(steps, len(seen) - 1)]
    step, shares = returned(rollout, NOW, "it is bad"), [rollout.share]
    while isinstance(step, Onward):
        rollout = step.rollout
        shares.append(rollout.share)
        # What requests are still sent there can be taken there, and the rest by the old fleet.
        assert rollout.new_capacity >= rollout.share
        assert rollout.old_capacity > 1 - rollout.share
        assert advance(rollout, NOW, ready=False) == Waiting(until=None)
        step = advance(rollout, NOW, ready=True)
    assert step == Undone(reason="it is bad")
    assert shares == sorted(shares, reverse=True)
    if strategy.kind is not Kind.ROLLING:
        assert len(shares) == 1


@pytest.mark.parametrize("stage", [Stage.RISING, Stage.SHIFTING, Stage.BAKING, Stage.TERMINATING])
def test_an_alarm_turns_back_in_every_stage(stage):
    rollout = replace(begun(canary(alarms=("a",))), stage=stage, taken=stage is not Stage.RISING)
    assert advance(rollout, NOW, ready=True, alarmed="a is on") == Undone(reason="a is on")
    assert advance(promoted(rollout).rollout, NOW, ready=True, alarmed="a is on") != Undone(
        reason="a is on"
    )


@pytest.mark.parametrize("stage", [Stage.RISING, Stage.SHIFTING, Stage.BAKING])
def test_a_limit_ends_what_has_not_arrived(stage):
    strategy = canary(limit=seconds(600), wait=seconds(299))
    rollout = replace(begun(strategy), stage=stage, since=NOW + seconds(590))
    step = advance(rollout, NOW + seconds(600), ready=False)
    assert step == Undone(reason="it took longer than 600 seconds")
    waits = advance(rollout, NOW + seconds(599), ready=False)
    assert waits == Waiting(until=NOW + seconds(600))


def test_what_has_arrived_has_no_limit():
    strategy = canary(limit=seconds(700), termination_wait=seconds(600))
    arrived = replace(begun(strategy), stage=Stage.TERMINATING, taken=2, since=NOW + seconds(690))
    assert advance(arrived, NOW + seconds(800), ready=True) == Waiting(until=NOW + seconds(1290))


def test_who_promotes_waits_for_nothing_but_the_end_of_the_old_fleet():
    strategy = Strategy(
        kind=Kind.LINEAR,
        step=Size(percent=10),
        wait=seconds(300),
        termination_wait=seconds(60),
        limit=seconds(28800),
        alarms=("a",),
    )
    seen, _, _ = way(begun(strategy))
    baking = next(each for each in seen if each.stage is Stage.BAKING)
    onward = promoted(baking).rollout
    rest, end, now = way(onward, alarmed="a is on")
    assert [(each.stage, float(each.share)) for each in rest] == [
        ("baking", 0.1),
        ("shifting", 1),
        ("terminating", 1),
    ]
    assert end == Done()
    assert now - NOW == timedelta(seconds=60)
    assert promoted(rest[-1]).rollout == rest[-1]


@pytest.mark.parametrize(
    "damage",
    [
        {"steps": ()},
        {"steps": (5, 5, 10)},
        {"steps": (5,)},
        {"taken": 3},
        {"taken": 2},
        {"returned": -1},
        {"back": 0},
    ],
)
def test_a_record_that_makes_no_sense_is_none(damage):
    with pytest.raises(InvalidInput):
        replace(begun(canary()), **damage)
