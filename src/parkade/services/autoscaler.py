"""One look after the other at what is scaled, and what is done about it.

A look has three parts, so that nothing slow is on the loop of hosting:

    survey    on the loop: the capacities as they are, and what has become of changes under way
    think     in a thread: what is stored, the points, one decision for each target
    act       on the loop: what was decided is begun

What cannot be decided for one target is told of it, and harms no other. A decision that the world
has overtaken meanwhile is dropped: the next look decides again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ComponentNotFound, ParkadeError, ScalableTargetNotFound
from parkade.domain.scaling import deciding, stepping, tracking
from parkade.domain.scaling.deciding import Decision
from parkade.domain.scaling.policy import MINUTE, Predefined
from parkade.domain.scaling.progress import Progress
from parkade.domain.scaling.target import Resource
from parkade.domain.scaling.tracking import Seen
from parkade.domain.scaling.votes import Direction, Vote
from parkade.ports.capacity import Readiness
from parkade.services.scalingmoves import cause_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.scaling.policy import Policy, Tracking
    from parkade.domain.scaling.target import ScalableTarget
    from parkade.ports.capacity import Capacity, Reading
    from parkade.ports.clock import Clock
    from parkade.ports.scaling import ScalingStore
    from parkade.services.scalingalarms import ScalingAlarms
    from parkade.services.scalingmoves import Moves
    from parkade.services.scalingsight import Looking, Sight
    from parkade.services.timetables import Timetables

logger = logging.getLogger(__name__)

#: For how long activities are shown: as Application Auto Scaling does.
KEPT = timedelta(weeks=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """What was decided for one target."""

    target: ScalableTarget
    decision: Decision
    #: Whether it has points more often than once a minute.
    fine: bool = False


class Autoscaler:
    """Looks and acts; `survey` and `act` where hosting is, `think` in whichever thread."""

    def __init__(
        self,
        store: ScalingStore,
        capacity: Capacity,
        *,
        looking: Looking,
        alarms: ScalingAlarms,
        moves: Moves,
        timetables: Timetables,
        clock: Clock,
    ) -> None:
        self._store = store
        self._capacity = capacity
        self._looking = looking
        self._alarms = alarms
        self._moves = moves
        self._timetables = timetables
        self._clock = clock
        #: Whether this process has seen to the alarms that one before it may have lost.
        self._followed = False

    def survey(self) -> Mapping[str, Reading]:
        """Return the capacities as they are. Raises Unavailable while nothing can be seen."""
        readings = self._capacity.all()
        self._moves.follow(readings)
        return readings

    def think(
        self,
        readings: Mapping[str, Reading],
        only: Collection[str] | None = None,
        *,
        backlogged: Collection[str] = (),
    ) -> Sequence[Thought]:
        """Return a decision for each target, or for those of these resource ids alone.

        For `backlogged` endpoints requests wait, and they have no instance: they get one, unless
        one of the policies is of steps, whose business that is then.
        Bounds that scheduled actions are to set by now are set first. Raises Unreadable or
        Unavailable where nothing of what is registered can be read.
        """
        now = self._clock.now()
        if not self._followed:
            self._alarms.follow()
            self._followed = True
        self._timetables.run(now)
        targets = {
            target.resource.id: target
            for target in self._store.targets.all().records
            if only is None or target.resource.id in only
        }
        if not targets:
            return ()
        policies: defaultdict[str, list[Policy]] = defaultdict(list)
        for policy in self._store.policies.all().records:
            reading = readings.get(policy.resource.id)
            if reading is not None and reading.readiness is Readiness.READY:
                policies[policy.resource.id].append(policy)
        wanted = [each for key, some in policies.items() if key in targets for each in some]
        sight = self._looking.look(wanted, now)
        progress = self._store.activities.progress()
        found = []
        for key, target in targets.items():
            reading = readings.get(key)
            of_target = progress.get(key) or Progress(resource=target.resource)
            found.append(
                Thought(
                    target=target,
                    decision=_woken(target, reading, policies[key], backlogged, now)
                    or _decision(target, reading, policies[key], sight, of_target, now),
                    fine=any(_fine(policy) for policy in policies[key]),
                )
            )
        return found

    def act(self, thoughts: Sequence[Thought]) -> None:
        """Begin what was decided."""
        for thought in thoughts:
            try:
                self._carry_out(thought)
            except ParkadeError as error:
                # Of one target; the others are seen to.
                logger.warning("%s stays as it is: %s", thought.target.resource, error.message)

    def called(self, component_name: str) -> bool:
        """Have a copy of a component that has none and was called; tell whether that was begun.

        What is suspended, may have none at all or is just being changed stays as it is.
        """
        resource = Resource(component_name)
        try:
            reading = self._capacity.read(resource)
            if reading.desired or reading.readiness is not Readiness.READY:
                return False
            target = self._store.targets.get(resource.id)
            why = "a request came while there was no copy"
            decision = deciding.called(target, why, self._clock.now())
            if decision is None:
                return False
            return self._carry_out(Thought(target=target, decision=decision))
        except (ScalableTargetNotFound, ComponentNotFound):
            return False
        except ParkadeError as error:
            logger.warning("%s was called, and has no copy: %s", resource, error.message)
            return False

    def forget(self) -> None:
        """Forget activities that are too old."""
        self._store.activities.forget(self._clock.now() - KEPT)

    def _carry_out(self, thought: Thought) -> bool:
        target, decision = thought.target, thought.decision
        self._moves.decisions[target.resource.id] = decision
        if not decision.changes and decision.held is None:
            return False
        reading = self._capacity.read(target.resource)
        if reading.readiness is not Readiness.READY or reading.desired != decision.before:
            return False  # it was overtaken
        if decision.held is not None:
            self._moves.hold(reading, target, decision, decision.held)
            return False
        self._moves.begin(
            reading, decision.wanted, cause_of(decision), policy_name=decision.policy_name
        )
        return True


def _woken(
    target: ScalableTarget,
    reading: Reading | None,
    policies: Sequence[Policy],
    backlogged: Collection[str],
    now: datetime,
) -> Decision | None:
    if reading is None or reading.desired or reading.readiness is not Readiness.READY:
        return None
    if reading.endpoint_name not in backlogged or any(policy.steps for policy in policies):
        return None
    return deciding.called(target, "requests wait while there is no instance", now)


def _decision(
    target: ScalableTarget,
    reading: Reading | None,
    policies: Sequence[Policy],
    sight: Sight,
    progress: Progress,
    now: datetime,
) -> Decision:
    if reading is None:
        return _left_alone(0, f"{target.resource} is not there", now)
    if reading.readiness is not Readiness.READY:
        return _left_alone(reading.desired, reading.why, now)
    votes = [_vote(policy, reading, sight, progress, now) for policy in policies]
    return deciding.decide(target, reading.desired, votes, now)


def _fine(policy: Policy) -> bool:
    return policy.tracking is not None and policy.tracking.period(policy.resource) < MINUTE


def _left_alone(capacity: int, why: str, now: datetime) -> Decision:
    return Decision(before=capacity, wanted=capacity, reason=f"left alone: {why}", at=now)


def _vote(
    policy: Policy, reading: Reading, sight: Sight, progress: Progress, now: datetime
) -> Vote:
    trouble = sight.troubles.get(policy.key)
    if trouble is not None:
        return _unknown(policy, f"its metric cannot be read: {trouble}")
    if policy.steps is not None:
        moves = [
            each
            for each in (progress.out, progress.back)
            if each is not None and each.policy_name == policy.name
        ]
        last = max(moves, key=lambda move: move.at, default=None)
        alarmed = sight.alarmed.get(policy.key, ())
        return stepping.decide(policy, policy.steps, alarmed, reading.desired, last, now)
    if policy.tracking is None or sight.certain is None:
        return _unknown(policy, "what is measured is not known now")
    seen = _seen(policy, policy.tracking, reading, sight, progress)
    return tracking.decide(policy, policy.tracking, seen, now)


def _seen(policy: Policy, of: Tracking, reading: Reading, sight: Sight, progress: Progress) -> Seen:
    out, back = progress.out, progress.back
    counted = isinstance(of.metric, Predefined) and sight.certain is not None
    low = [reading.awake_since, out.at if out else None]
    if counted and sight.certain is not None:
        low.append(sight.certain.since)
    in_until = None
    if back is not None and (out is None or out.at < back.at):
        # A scale-out ends the wait of the scale-in before it.
        in_until = back.at + timedelta(seconds=of.in_cooldown)
    out_until = out.at + timedelta(seconds=of.out_cooldown) if out is not None else None
    return Seen(
        data=sight.data.get(policy.key, ()),
        period=of.period(policy.resource),
        capacity=reading.desired,
        changed_at=reading.changed_at,
        low_since=max((each for each in low if each is not None), default=None),
        out_until=out_until,
        in_until=in_until,
    )


def _unknown(policy: Policy, why: str) -> Vote:
    return Vote(policy_name=policy.name, direction=Direction.STAY, wanted=0, reason=why)
