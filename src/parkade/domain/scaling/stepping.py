"""Step scaling, one policy: what an alarm that names it asks for.

While the alarm is in the state whose actions name the policy, the policy acts at each look, with
its cooldown in between. Within the cooldown of a scale-out a larger step counts from where that
one began, so that what it has brought is part of what the larger one asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.scaling.votes import Direction, Vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.progress import Move
    from parkade.domain.scaling.steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarmed:
    """An alarm in a state whose actions name the policy."""

    name: str
    state: str
    threshold: float
    #: The points that it is decided on; none: somebody has set its state.
    values: Sequence[float] = ()


def decide(
    policy: Policy,
    steps: Steps,
    alarmed: Sequence[Alarmed],
    capacity: int,
    last: Move | None,
    now: datetime,
) -> Vote:
    """Return what one policy asks for; `last`: its own last change that is remembered."""
    found = [_of_one(policy, steps, each, capacity, last, now) for each in alarmed]
    outs = [each for each in found if each.direction is Direction.OUT]
    if outs:
        return max(outs, key=lambda vote: vote.wanted)
    ins = [each for each in found if each.direction is Direction.IN]
    if ins:
        return max(ins, key=lambda vote: vote.wanted)
    if found:
        return found[0]
    return _nothing(policy, "no alarm that names it is in a state to act on")


def _of_one(
    policy: Policy,
    steps: Steps,
    alarmed: Alarmed,
    capacity: int,
    last: Move | None,
    now: datetime,
) -> Vote:
    value = steps.aggregation.of(alarmed.values) if alarmed.values else alarmed.threshold
    step = steps.at(value - alarmed.threshold)
    said = f"alarm {alarmed.name} is {alarmed.state} at {value:g}"
    if step is None:
        return _nothing(policy, f"{said}, for which it has no step")
    base, until = capacity, None
    if last is not None and now < last.at + timedelta(seconds=steps.cooldown):
        until = last.at + timedelta(seconds=steps.cooldown)
        base = last.before if last.after > last.before else capacity
    wanted = steps.applied(base, step)
    why = f"{said}: {capacity} become {wanted}"
    if wanted > capacity:
        # What a scale-in took away is given back at once; so is what a larger step asks for.
        return _vote(policy, Direction.OUT, wanted, why, alarmed.name)
    if wanted == capacity or (base != capacity and steps.applied(capacity, step) > capacity):
        reason = f"{said}, which is carried"
        if until is not None:
            reason = f"{said}; its last change is waited for until {until:%H:%M:%S}"
        return _nothing(policy, reason, until)
    if until is not None:
        reason = f"{said}; its last change is waited for until {until:%H:%M:%S}"
        return _nothing(policy, reason, until)
    return _vote(policy, Direction.IN, wanted, why, alarmed.name)


def _vote(policy: Policy, direction: Direction, wanted: int, reason: str, alarm_name: str) -> Vote:
    return Vote(
        policy_name=policy.name,
        direction=direction,
        wanted=wanted,
        reason=reason,
        alarm_name=alarm_name,
    )


def _nothing(policy: Policy, reason: str, next_at: datetime | None = None) -> Vote:
    return Vote(
        policy_name=policy.name,
        direction=Direction.NONE,
        wanted=0,
        reason=reason,
        next_at=next_at,
    )
