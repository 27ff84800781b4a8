"""Updates in stages: how requests go from one fleet to the next, and when they turn back.

A `Rollout` is how far an update by a `Strategy` has come, with all that is needed to go on from there;
`advance` decides what is next:

    rising -> shifting -> baking -> (rising ->) shifting -> baking -> terminating -> done
                                 any of them -> (rolling back ->) undone

Shares are counted in whole parts, so that what gateways send is exact. All but ROLLING bring up the
whole new fleet at first and keep the whole old one to the end, so that turning back is one step. With
ROLLING both fleets follow the requests: a batch is added before it gets its share, and as much of the
old fleet leaves once the batch has been watched; turning back has to bring that up again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.rollout import Kind, Strategy, seconds

if TYPE_CHECKING:
    from collections.abc import Collection


class Stage(StrEnum):
    """What an update in stages is doing."""

    #: Capacity of the new fleet is being started.
    RISING = "rising"
    #: Gateways are told the new share.
    SHIFTING = "shifting"
    #: The new share is watched.
    BAKING = "baking"
    #: All requests go to the new fleet; the old one is kept a while.
    TERMINATING = "terminating"
    #: Capacity of the old fleet is being started again.
    ROLLING_BACK = "rolling_back"


#: SageMaker's statuses of the variants of the new fleet.
VARIANT_STATUS = {
    Stage.RISING: "Creating",
    Stage.SHIFTING: "ActivatingTraffic",
    Stage.BAKING: "Baking",
    # Alarms still turn it back.
    Stage.TERMINATING: "Baking",
    Stage.ROLLING_BACK: "Deleting",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far an update in stages has come; what it was asked to be is its `strategy`."""

    strategy: Strategy
    began_at: datetime
    #: When the stage began.
    since: datetime
    #: The new fleet's share after each step, in `parts`.
    steps: tuple[int, ...]
    parts: int
    stage: Stage = Stage.RISING
    #: Steps that requests have taken.
    taken: int = 0
    #: How much each step of turning back takes, in `parts`, and how many were taken.
    back: int = 1
    returned: int = 0
    #: Whether a person vouches for it: nothing is watched any more.
    promoted: bool = False
    #: Why it is rolled back.
    reason: str = ""

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip((0, *self.steps), self.steps, strict=False))
        if not (self.steps and rising and self.steps[-1] == self.parts):
            raise InvalidInput(f"{self.steps} are no steps to {self.parts}", field="steps")
        last = len(self.steps) - (self.stage is Stage.RISING)
        if not 0 <= self.taken <= last or self.returned < 0 or self.back < 1:
            raise InvalidInput("a rollout has taken steps that it does not have", field="taken")

    @classmethod
    def begun(
        cls, strategy: Strategy, now: datetime, new: Collection[int], old: Collection[int]
    ) -> Rollout:
        """Return one that begins, for fleets of these counts. Raises InvalidInput."""
        shares, back = strategy.course(new), strategy.back(old)
        parts = lcm(back.denominator, *(share.denominator for share in shares))
        return cls(
            strategy=strategy,
            began_at=now,
            since=now,
            steps=tuple(int(share * parts) for share in shares),
            parts=parts,
            back=max(1, int(back * parts)),
        )

    @property
    def rolling(self) -> bool:
        """Whether the fleets' sizes follow the requests."""
        return self.strategy.kind is Kind.ROLLING

    @property
    def weight(self) -> int:
        """How many of so many `parts` requests the new fleet gets."""
        return max(0, self._at(self.taken) - self.returned * self.back)

    @property
    def share(self) -> Fraction:
        """The new fleet's share of requests."""
        return Fraction(self.weight, self.parts)

    @property
    def new_capacity(self) -> Fraction:
        """How much of the new fleet is to be there."""
        if not self.rolling:
            return Fraction(1)
        rising = self.stage is Stage.RISING
        return Fraction(self._at(self.taken + 1) if rising else self.weight, self.parts)

    @property
    def old_capacity(self) -> Fraction:
        """How much of the old fleet is to be there."""
        if not self.rolling:
            return Fraction(1)
        match self.stage:
            case Stage.RISING:
                gone = self.weight
            case Stage.ROLLING_BACK:
                gone = max(0, self.weight - self.back)
            case _:
                gone = self._at(self.taken - 1)
        return 1 - Fraction(gone, self.parts)

    def most(self, old: int, new: int) -> int:
        """Return how many instances both fleets have together at the most, of so many when whole."""
        if not self.rolling:
            return old + new
        return max(
            part(new, Fraction(self._at(taken + 1), self.parts))
            + part(old, 1 - Fraction(self._at(taken), self.parts))
            for taken in range(len(self.steps))
        )

    @property
    def until(self) -> datetime | None:
        """When its stage is over by time; None: it waits for something else."""
        if self.stage is Stage.TERMINATING:
            return self.since + self.strategy.termination_wait
        if self.stage is Stage.BAKING:
            return self.since if self.promoted else self.since + self.strategy.wait
        return None

    @property
    def watches(self) -> bool:
        """Whether an alarm turns it back."""
        return not self.promoted and self.stage is not Stage.ROLLING_BACK

    def _at(self, taken: int) -> int:
        return self.steps[taken - 1] if taken > 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing is to be done before that instant, or before something has changed."""

    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """The rollout goes on to this."""

    rollout: Rollout
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The new fleet is what is run, and the old one leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The old fleet is what is run, all of it, and the new one leaves."""

    reason: str


Step = Waiting | Onward | Done | Undone


def part(whole: int, capacity: Fraction) -> int:
    """Return how many instances of so many a part of the capacity is: rather more than less."""
    return ceil(whole * capacity)


def advance(rollout: Rollout, now: datetime, *, ready: bool, alarmed: str = "") -> Step:
    """Return what is next; `ready` says that what the stage waits for is there.

    That is: the capacity that the stage wants answers, or gateways go by the share. `alarmed` says
    what is wrong with an alarm; empty: all are well.
    """
    if alarmed and rollout.watches:
        return returned(rollout, now, alarmed)
    ends = _deadline(rollout)
    if ends is not None and now >= ends:
        taken = seconds(ends - rollout.began_at)
        return returned(rollout, now, f"it took longer than {taken} seconds")
    match rollout.stage:
        case Stage.RISING:
            return _shifted(rollout, now) if ready else Waiting(until=ends)
        case Stage.SHIFTING:
            return _baking(rollout, now) if ready else Waiting(until=ends)
        case Stage.BAKING:
            over = rollout.until
            if over is not None and now < over:
                return Waiting(until=over if ends is None else min(over, ends))
            return _baked(rollout, now)
        case Stage.TERMINATING:
            over = rollout.until
            return Waiting(until=over) if over is not None and now < over else Done()
        case Stage.ROLLING_BACK:
            return _receded(rollout, now) if ready else Waiting(until=None)


def returned(rollout: Rollout, now: datetime, reason: str) -> Onward | Undone:
    """Turn back; requests go back at once as far as the old fleet can take them."""
    taken = 0
    if rollout.rolling:
        taken = rollout.taken - (rollout.stage is not Stage.RISING)
    if taken <= 0:
        return Undone(reason=reason)
    back = replace(rollout, stage=Stage.ROLLING_BACK, taken=taken, since=now, reason=reason)
    return Onward(rollout=back, reason=f"it is rolled back: {reason}")


def promoted(rollout: Rollout) -> Onward:
    """Give all requests to the new fleet as soon as it can take them, and watch nothing more."""
    steps = rollout.steps
    if rollout.taken < len(steps):
        steps = (*steps[: rollout.taken], rollout.parts)
    onward = replace(rollout, steps=steps, promoted=True)
    return Onward(rollout=onward, reason="it was promoted: all requests go to the new fleet")


def _shifted(rollout: Rollout, now: datetime) -> Onward:
    shifted = replace(rollout, stage=Stage.SHIFTING, taken=rollout.taken + 1, since=now)
    return Onward(rollout=shifted, reason=f"{percent(shifted.share)} of requests go to it")


def _baking(rollout: Rollout, now: datetime) -> Step:
    wait = rollout.strategy.wait
    if not wait or rollout.promoted:
        return _baked(rollout, now)
    alarms = ", ".join(rollout.strategy.alarms)
    watched = f", with an eye on {alarms}" if alarms else ""
    return Onward(
        rollout=replace(rollout, stage=Stage.BAKING, since=now),
        reason=f"it bakes for {seconds(wait)} seconds at {percent(rollout.share)}{watched}",
    )


def _baked(rollout: Rollout, now: datetime) -> Step:
    if rollout.taken < len(rollout.steps):
        if not rollout.rolling:
            return _shifted(rollout, now)
        rising = replace(rollout, stage=Stage.RISING, since=now)
        return Onward(rollout=rising, reason="the next batch is brought up")
    wait = rollout.strategy.termination_wait
    if not wait:
        return Done()
    return Onward(
        rollout=replace(rollout, stage=Stage.TERMINATING, since=now),
        reason=f"the old fleet is kept for {seconds(wait)} seconds more",
    )


def _receded(rollout: Rollout, now: datetime) -> Onward | Undone:
    receded = replace(rollout, returned=rollout.returned + 1, since=now)
    if not receded.weight:
        return Undone(reason=rollout.reason)
    kept = percent(receded.share)
    return Onward(rollout=receded, reason=f"it is rolled back: {kept} of requests still go to it")


def _deadline(rollout: Rollout) -> datetime | None:
    """Return when it is given up; what is terminating has arrived, and what turns back is late."""
    if rollout.strategy.limit is None or rollout.promoted:
        return None
    if rollout.stage in {Stage.TERMINATING, Stage.ROLLING_BACK}:
        return None
    return rollout.began_at + rollout.strategy.limit


def percent(share: Fraction) -> str:
    """Write a share for people."""
    return f"{float(share * 100):.4g} %"
