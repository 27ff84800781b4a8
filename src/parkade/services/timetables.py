"""Scheduled actions: made, changed, shown, deleted, and carried out when their time has come."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    InvalidInput,
    NotFound,
    ScalableTargetNotFound,
    VersionConflict,
)
from parkade.domain.event import Event
from parkade.domain.scaling.activity import Activity, Status
from parkade.domain.scaling.policy import key_of
from parkade.domain.scaling.timetable import ScheduledAction
from parkade.services.contention import contended
from parkade.services.scalingmoves import AUTOSCALER
from parkade.services.scalingrecords import former_of, of, require_room, unregistered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from parkade.domain.scaling.target import Resource
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.scaling import ScalingStore

#: Scheduled actions that one target may have: Application Auto Scaling's quota.
ACTIONS_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a scheduled action does, and when; None: as it was."""

    schedule: str | None = None
    zone: str | None = None
    #: Between which times; None: without a bound, whatever it was, as Application Auto Scaling has it.
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    #: Both are one: where one of them is given, the other is as it is given.
    least: int | None = None
    most: int | None = None


class Timetables:
    """Reads and writes scheduled actions. `changed` is called after every change."""

    def __init__(
        self, store: ScalingStore, *, clock: Clock, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed

    def all(self, resource: Resource | None = None) -> Listing[ScheduledAction]:
        """Return all scheduled actions, or those of one target, and why others are unreadable."""
        return of(self._store.scheduled.all(), resource)

    def put(self, resource: Resource, name: str, timing: Timing, actor: str) -> ScheduledAction:
        """Store a scheduled action over the one of its name; what `Timing` leaves out stays as it was.

        Its first time is the first one after now. Raises ScalableTargetNotFound, InvalidInput, and
        ResourceLimitExceeded for more than ACTIONS_LIMIT.
        """
        action = self._put(resource, name, timing, actor)
        self._changed()
        return action

    def delete(self, resource: Resource, name: str, actor: str) -> None:
        """Delete a scheduled action. Raises ScheduledActionNotFound."""
        reason = f"scheduled action {name} of {resource} was deleted"
        event = self._event("scaling.unscheduled", resource, reason, actor)
        self._store.scheduled.remove(key_of(resource, name), event)
        self._changed()

    def run(self, now: datetime) -> None:
        """Set the bounds that are due by now; what was missed meanwhile is done once, and late."""
        for action in self._store.scheduled.all().records:
            if (due := action.due(now)) is not None:
                try:
                    self._run(action, due, now)
                except (VersionConflict, NotFound):
                    continue  # somebody has just changed or removed it; the next look sees it

    def _run(self, action: ScheduledAction, due: datetime, now: datetime) -> None:
        if not self._store.targets.get(action.resource.id).suspended.scheduled:
            self._carry_out(action, now)
        # Last: what a crash has cut short is done again, which changes nothing.
        self._store.scheduled.put(replace(action, seen_to=max(due, now)))

    def _carry_out(self, action: ScheduledAction, now: datetime) -> None:
        activity = Activity(
            id=str(uuid.uuid4()),
            resource=action.resource,
            status=Status.SUCCESSFUL,
            cause=f"scheduled action name {action.name} was triggered",
            started_at=now,
            ended_at=now,
            before=0,
            wanted=0,
            text=f"Setting {_bounds(action)}",
            status_message=f"Successfully set {_bounds(action)}",
        )
        try:
            self._bound(action)
        except InvalidInput as error:
            activity = replace(
                activity,
                status=Status.FAILED,
                status_message=f"Failed to set {_bounds(action)}. Reason: {error.message}",
            )
        kind = "scaling.failed" if activity.status is Status.FAILED else "scaling.bounds"
        reason = f"{action.resource}: {activity.status_message}, as scheduled action {action.name}"
        event = self._event(kind, action.resource, reason, AUTOSCALER)
        self._store.activities.put(activity, event)

    @contended
    def _bound(self, action: ScheduledAction) -> None:
        target = self._store.targets.get(action.resource.id)
        bounded = target.bounded(action.least, action.most)
        if bounded != target:
            self._store.targets.put(bounded)

    @contended
    def _put(self, resource: Resource, name: str, timing: Timing, actor: str) -> ScheduledAction:
        try:
            self._store.targets.get(resource.id)
        except ScalableTargetNotFound as error:
            raise unregistered(resource) from error
        now = self._clock.now()
        former = former_of(self._store.scheduled, key_of(resource, name))
        action = (
            self._new(resource, name, timing, now)
            if former is None
            else replace(former, **_given(timing), seen_to=now)
        )
        reason = f"scheduled action {name} of {resource}: {action.schedule}"
        event = self._event("scaling.scheduled", resource, reason, actor)
        return self._store.scheduled.put(action, event)

    def _new(self, resource: Resource, name: str, timing: Timing, now: datetime) -> ScheduledAction:
        there = len(self.all(resource).records)
        require_room(there, ACTIONS_LIMIT, "scheduled actions", resource)
        if timing.schedule is None:
            raise InvalidInput(
                f"Schedule is missing, and there is no scheduled action {name!r} yet",
                field="Schedule",
                hint="write at(...), rate(...) or cron(...)",
            )
        return ScheduledAction(
            name=name,
            resource=resource,
            schedule=timing.schedule,
            created_at=now,
            id=str(uuid.uuid4()),
            zone=timing.zone or "",
            least=timing.least,
            most=timing.most,
            starts_at=timing.starts_at,
            ends_at=timing.ends_at,
            seen_to=now,
        )

    def _event(self, kind: str, resource: Resource, reason: str, actor: str) -> Event:
        return Event(
            at=self._clock.now(),
            kind=kind,
            actor=actor,
            reason=reason,
            endpoint_name="" if resource.component else resource.name,
            data={"resource": resource.id},
        )


def _bounds(action: ScheduledAction) -> str:
    parts = []
    if action.least is not None:
        parts.append(f"min capacity to {action.least}")
    if action.most is not None:
        parts.append(f"max capacity to {action.most}")
    return " and ".join(parts)


def _given(timing: Timing) -> dict[str, Any]:
    given: dict[str, Any] = {"starts_at": timing.starts_at, "ends_at": timing.ends_at}
    if timing.schedule is not None:
        given["schedule"] = timing.schedule
    if timing.zone is not None:
        given["zone"] = timing.zone
    if timing.least is not None or timing.most is not None:
        given |= {"least": timing.least, "most": timing.most}
    return given
