"""Changes of capacity: begun, followed to their end, and written down as activities.

The activity is stored before the capacity is set, so that a crash in between loses nothing: at the
next look it is either carried out or was not. What is refused is a failed activity, which is told
of once, and tried again at each look for as long as it is wanted.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.domain.event import Event
from parkade.domain.scaling.activity import Activity, Status
from parkade.domain.scaling.progress import Move, Progress
from parkade.ports.capacity import Readiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.domain.scaling.activity import Held
    from parkade.domain.scaling.deciding import Decision
    from parkade.domain.scaling.target import Resource, ScalableTarget
    from parkade.ports.capacity import Capacity, Reading
    from parkade.ports.clock import Clock
    from parkade.ports.scaling import ScalingStore

#: Who is written down as the cause of what it does.
AUTOSCALER = "autoscaler"


class Moves:
    """Sets capacities; used where hosting is, one call after the other."""

    def __init__(self, store: ScalingStore, capacity: Capacity, clock: Clock) -> None:
        self._store = store
        self._capacity = capacity
        self._clock = clock
        #: The resource ids of what may be under way; None: what is stored has not been asked yet.
        self._busy: set[str] | None = None
        #: What was decided at the last look, by resource id; nobody needs it after a restart.
        self.decisions: dict[str, Decision] = {}

    def progress(self, resource: Resource) -> Progress:
        """Return how far a target has come."""
        found = self._store.activities.progress({resource.id})
        return found.get(resource.id) or Progress(resource=resource)

    def begin(
        self, reading: Reading, wanted: int, cause: str, *, policy_name: str = ""
    ) -> Activity:
        """Begin to change a capacity; return the activity, which may have failed at once."""
        progress = self.progress(reading.resource)
        if progress.activity is not None and not progress.activity.over:
            # It has arrived, and nobody has looked since.
            self._follow(progress, reading)
            progress = self.progress(reading.resource)
        activity = self._activity(progress, reading, wanted, cause, policy_name)
        self._store.activities.put(activity)
        self._store.activities.note(replace(progress, activity=activity))
        if self._busy is not None:
            self._busy.add(reading.resource.id)
        try:
            self._capacity.set({reading.resource: wanted}, AUTOSCALER)
        except ParkadeError as error:
            return self._fail(progress, activity, reading, error.message)
        return activity

    def follow(self, readings: Mapping[str, Reading]) -> None:
        """See to what is under way: it has arrived, has failed, or goes on."""
        if self._busy is None:
            found = self._store.activities.progress()
            self._busy = set(found)
        else:
            found = self._store.activities.progress(self._busy)
        for key, progress in found.items():
            self._follow(progress, readings.get(key))

    def _follow(self, progress: Progress, reading: Reading | None) -> None:
        activity = progress.activity
        if activity is None or activity.over:
            self._settled(progress.resource)
            return
        if reading is not None and reading.readiness is Readiness.CHANGING:
            return
        now = self._clock.now()
        if reading is not None and reading.desired == activity.wanted:
            self._succeed(progress, activity, reading)
        elif reading is None or reading.readiness is Readiness.AWAY:
            why = reading.why if reading else f"{activity.resource} is not there any more"
            self._end(progress, activity.failed(why, now), reading)
        elif reading.desired == activity.before:
            why = reading.failure or "it was not carried out"
            if activity.attempts == 1:
                self._tell(activity, reading, why)
            self._end(progress, activity.failed(why, now), reading)
        else:
            self._end(progress, activity.overridden(reading.desired, now), reading)

    def hold(
        self, reading: Reading, target: ScalableTarget, decision: Decision, held: Held
    ) -> None:
        """Write down, once, that a policy's wish changes nothing."""
        newest = self._store.activities.newest(reading.resource, limit=1)
        if newest and newest[0].held is held and newest[0].policy_name == decision.policy_name:
            return
        now = self._clock.now()
        self._store.activities.put(
            Activity(
                id=str(uuid.uuid4()),
                resource=reading.resource,
                status=Status.UNFULFILLED,
                cause=cause_of(decision),
                started_at=now,
                ended_at=now,
                before=decision.before,
                wanted=decision.wanted,
                policy_name=decision.policy_name,
                status_message=f"Nothing was changed: {decision.reason}.",
                held=held,
                least=target.least,
                most=target.most,
            )
        )

    def _activity(
        self, progress: Progress, reading: Reading, wanted: int, cause: str, policy_name: str
    ) -> Activity:
        """Return a new activity, or the one that failed and is tried again.

        One that failed before its endpoint was changed, or started anew, is another matter.
        """
        former = progress.activity
        if (
            former is not None
            and former.status is Status.FAILED
            and former.ended_at is not None
            and former.ended_at >= reading.changed_at
            and (former.wanted, former.before, former.cause) == (wanted, reading.desired, cause)
        ):
            return replace(
                former,
                status=Status.IN_PROGRESS,
                ended_at=None,
                status_message="",
                attempts=former.attempts + 1,
            )
        return Activity(
            id=str(uuid.uuid4()),
            resource=reading.resource,
            status=Status.IN_PROGRESS,
            cause=cause,
            started_at=self._clock.now(),
            before=reading.desired,
            wanted=wanted,
            policy_name=policy_name,
        )

    def _fail(self, progress: Progress, activity: Activity, reading: Reading, why: str) -> Activity:
        failed = activity.failed(why, self._clock.now())
        if activity.attempts == 1:
            self._tell(activity, reading, why)
        self._store.activities.put(failed)
        self._store.activities.note(replace(progress, activity=failed))
        self._settled(failed.resource)
        return failed

    def _settled(self, resource: Resource) -> None:
        if self._busy is not None:
            self._busy.discard(resource.id)

    def _succeed(self, progress: Progress, activity: Activity, reading: Reading) -> None:
        done = activity.succeeded(self._clock.now())
        # Its cooldown begins when the last of them answered, not when somebody looked.
        at = max(reading.changed_at, activity.started_at)
        move = Move(at=at, before=done.before, after=done.wanted, policy_name=done.policy_name)
        rises = done.wanted > done.before
        progress = replace(progress, out=move) if rises else replace(progress, back=move)
        self._end(progress, done, reading)

    def _end(self, progress: Progress, activity: Activity, reading: Reading | None) -> None:
        event = Event(
            at=self._clock.now(),
            kind=f"scaling.{activity.status.value.lower()}",
            actor=AUTOSCALER,
            reason=f"{activity.resource}: {activity.status_message} {activity.cause}",
            endpoint_name=_endpoint(activity, reading),
            data=_data(activity),
        )
        told = activity.status is not Status.FAILED
        self._store.activities.put(activity, event if told else None)
        self._store.activities.note(replace(progress, activity=activity))
        self._settled(activity.resource)

    def _tell(self, activity: Activity, reading: Reading, why: str) -> None:
        """Write down that it failed: once, however often it is tried again."""
        self._store.activities.put(
            activity,
            Event(
                at=self._clock.now(),
                kind="scaling.failed",
                actor=AUTOSCALER,
                reason=(
                    f"{activity.resource} cannot go from {activity.before} to {activity.wanted}, "
                    f"and it is tried again: {why}"
                ),
                endpoint_name=_endpoint(activity, reading),
                data=_data(activity),
            ),
        )


def cause_of(decision: Decision) -> str:
    """Return what has led to a decision, in the words of Application Auto Scaling."""
    if decision.alarm_name:
        return (
            f"monitor alarm {decision.alarm_name} in state ALARM triggered policy "
            f"{decision.policy_name}"
        )
    return decision.reason


def _endpoint(activity: Activity, reading: Reading | None) -> str:
    if reading is not None:
        return reading.endpoint_name
    return "" if activity.resource.component else activity.resource.name


def _data(activity: Activity) -> dict[str, Json]:
    return {
        "resource": activity.resource.id,
        "activity": activity.id,
        "before": activity.before,
        "wanted": activity.wanted,
        "policy": activity.policy_name,
    }
