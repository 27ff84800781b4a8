"""What comes of all policies of a target together.

    a bound is passed          what is nearest within the bounds, unless that way is suspended
    somebody asks for more     the largest number of those that do
    all that count ask for     the largest number of those, and no fewer than what a policy needs
    less                       that may not scale in itself
    else                       as it is

The result is within the bounds in every case, or what there is already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.votes import Direction, Vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.domain.scaling.target import ScalableTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many there are to be, and why."""

    #: How many there were when it was decided, and how many there are to be.
    before: int
    wanted: int
    #: As a sentence for people, without a full stop.
    reason: str
    at: datetime
    #: When it may be another one at the earliest, where that is known.
    next_at: datetime | None = None
    #: Whose wish it is; empty: that of the bounds, or nobody's.
    policy_name: str = ""
    alarm_name: str = ""
    #: Why a policy's wish changes nothing; None: there was none, or it was granted.
    held: Held | None = None

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return self.wanted != self.before


def decide(target: ScalableTarget, capacity: int, votes: Sequence[Vote], now: datetime) -> Decision:
    """Return the decision for a capacity, by what each policy asks for."""
    bounded = target.within(capacity)
    if bounded != capacity:
        return _bounds(target, capacity, bounded, now)
    outs = [vote for vote in votes if vote.direction is Direction.OUT and vote.wanted > capacity]
    if outs:
        return _out(target, capacity, max(outs, key=lambda vote: vote.wanted), now)
    ins = [vote for vote in votes if vote.direction is Direction.IN and vote.wanted < capacity]
    if ins:
        return _in(target, capacity, ins, votes, now)
    return _stays(capacity, _why(votes), votes, now)


def called(target: ScalableTarget, reason: str, now: datetime) -> Decision | None:
    """Return the decision for what has no capacity and is called; None: it may have none now."""
    wanted = target.within(1)
    if not wanted or target.suspended.scale_out:
        return None
    return Decision(before=0, wanted=wanted, reason=reason, at=now)


def bound_passed(target: ScalableTarget, capacity: int) -> str:
    """Say which bound a capacity passes, in the words of Application Auto Scaling."""
    if capacity < target.least:
        return f"minimum capacity was set to {target.least}"
    return f"maximum capacity was set to {target.most}"


def _bounds(target: ScalableTarget, capacity: int, bounded: int, now: datetime) -> Decision:
    rises = bounded > capacity
    said = bound_passed(target, capacity)
    suspended = target.suspended.scale_out if rises else target.suspended.scale_in
    if suspended:
        way = "scaling out" if rises else "scaling in"
        return _stays(capacity, f"{said}, but {way} is suspended", (), now)
    return Decision(before=capacity, wanted=bounded, reason=said, at=now)


def _out(target: ScalableTarget, capacity: int, vote: Vote, now: datetime) -> Decision:
    if target.suspended.scale_out:
        return _stays(capacity, f"scaling out is suspended; {vote.reason}", (vote,), now)
    wanted = min(vote.wanted, target.most)
    if wanted <= capacity:
        said = f"{vote.reason}, but the maximum capacity is {target.most}"
        return _stays(capacity, said, (vote,), now, vote=vote, held=Held.AT_MOST)
    return _goes(capacity, wanted, vote, now)


def _in(
    target: ScalableTarget, capacity: int, ins: Sequence[Vote], votes: Sequence[Vote], now: datetime
) -> Decision:
    vote = max(ins, key=lambda each: each.wanted)
    if target.suspended.scale_in:
        return _stays(capacity, f"scaling in is suspended; {vote.reason}", (vote,), now)
    against = next((each for each in votes if each.direction is Direction.STAY), None)
    if against is not None:
        said = f"policy {vote.policy_name} would scale in; not so {against.policy_name}: "
        return _stays(capacity, said + against.reason, votes, now)
    needs = [each.wanted for each in votes if each.direction is Direction.NONE]
    wanted = max(vote.wanted, target.least, *needs)
    if wanted >= capacity:
        if capacity == target.least:
            said = f"{vote.reason}, but the minimum capacity is {target.least}"
            return _stays(capacity, said, votes, now, vote=vote, held=Held.AT_LEAST)
        return _stays(capacity, f"{vote.reason}, but another policy needs them", votes, now)
    return _goes(capacity, wanted, vote, now)


def _goes(capacity: int, wanted: int, vote: Vote, now: datetime) -> Decision:
    bounded = "" if wanted == vote.wanted else f"; within its bounds that is {wanted}"
    return Decision(
        before=capacity,
        wanted=wanted,
        reason=f"policy {vote.policy_name}: {vote.reason}{bounded}",
        at=now,
        policy_name=vote.policy_name,
        alarm_name=vote.alarm_name,
    )


def _stays(
    capacity: int,
    reason: str,
    votes: Sequence[Vote],
    now: datetime,
    *,
    vote: Vote | None = None,
    held: Held | None = None,
) -> Decision:
    times = [each.next_at for each in votes if each.next_at is not None]
    return Decision(
        before=capacity,
        wanted=capacity,
        reason=reason,
        at=now,
        next_at=min(times, default=None),
        policy_name=vote.policy_name if vote else "",
        alarm_name=vote.alarm_name if vote else "",
        held=held,
    )


def _why(votes: Sequence[Vote]) -> str:
    if not votes:
        return "it has no policy"
    return "; ".join(f"policy {vote.policy_name}: {vote.reason}" for vote in votes)
