"""Scalable targets and their policies: registered, shown, deregistered.

What is registered is what is stored; `Autoscaler` looks at it once a minute and acts. Calls come
on the loop of hosting, as those of the `Capacity` port do.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    InvalidInput,
    NotFound,
    ScalableTargetNotFound,
    Unreadable,
)
from parkade.domain.event import Event
from parkade.domain.scaling.deciding import bound_passed
from parkade.domain.scaling.policy import Policy, key_of
from parkade.domain.scaling.target import ScalableTarget, Suspending
from parkade.ports.capacity import Readiness
from parkade.services.contention import contended
from parkade.services.scalingrecords import former_of, of, require_room, unregistered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.scaling.activity import Activity
    from parkade.domain.scaling.deciding import Decision
    from parkade.domain.scaling.policy import Tracking
    from parkade.domain.scaling.steps import Steps
    from parkade.domain.scaling.target import Resource, Suspended
    from parkade.ports.capacity import Capacity, Reading
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.scaling import ScalingStore
    from parkade.services.scalingalarms import ScalingAlarms
    from parkade.services.scalingmoves import Moves

#: Policies that one target may have: Application Auto Scaling's quota.
POLICIES_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a target stands now."""

    target: ScalableTarget
    #: How many there are and are to be; None: it is not there, and `why` says so.
    reading: Reading | None
    #: Why nothing can be changed now; empty: it can.
    why: str
    #: What was decided at the last look; None: nobody has looked yet.
    decision: Decision | None


class Scaling:
    """Reads and writes what is scaled, and how. `changed` is called after every change."""

    def __init__(
        self,
        store: ScalingStore,
        capacity: Capacity,
        *,
        clock: Clock,
        alarms: ScalingAlarms,
        moves: Moves,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._capacity = capacity
        self._clock = clock
        self._alarms = alarms
        self._moves = moves
        self._changed = changed

    def targets(self) -> Listing[ScalableTarget]:
        """Return all scalable targets in the order of resource ids, and why others are unreadable."""
        return self._store.targets.all()

    def target(self, resource: Resource) -> ScalableTarget:
        """Return a scalable target. Raises ScalableTargetNotFound, Unreadable."""
        try:
            return self._store.targets.get(resource.id)
        except ScalableTargetNotFound as error:
            raise unregistered(resource) from error

    def register(
        self,
        resource: Resource,
        actor: str,
        *,
        least: int | None = None,
        most: int | None = None,
        suspended: Suspending | None = None,
        role_arn: str | None = None,
        tags: Mapping[str, str] | None = None,
        ahead: bool = False,
    ) -> ScalableTarget:
        """Register a target, or change what is given of one; None: as it was.

        One that is not there yet can be registered `ahead` of its next start.

        The capacity is moved to within the bounds at once, where it serves and can be changed; else
        the autoscaler does so as soon as it can. Raises EndpointNotFound, ComponentNotFound and
        Unavailable for a new one, and InvalidInput for bounds that are none, that are missing, or
        a least of 0 where there has to be one. Being refused more than there is room for is no
        error: it is a failed activity, and tried again.
        """
        target = self._register(
            resource,
            actor,
            least=least,
            most=most,
            suspended=suspended or Suspending(),
            role_arn=role_arn,
            tags=tags,
            ahead=ahead,
        )
        reading = self._reading(resource)
        if reading is not None and reading.readiness is Readiness.READY:
            wanted = target.within(reading.desired)
            if wanted != reading.desired:
                self._moves.begin(reading, wanted, bound_passed(target, reading.desired))
        self._changed()
        return target

    @contended
    def _register(
        self,
        resource: Resource,
        actor: str,
        *,
        least: int | None,
        most: int | None,
        suspended: Suspending,
        role_arn: str | None,
        tags: Mapping[str, str] | None,
        ahead: bool,
    ) -> ScalableTarget:
        former = former_of(self._store.targets, resource.id)
        known = former is not None or ahead
        reading = self._reading(resource) if known else self._capacity.read(resource)
        if former is None:
            if least is None or most is None:
                name = "MinCapacity" if least is None else "MaxCapacity"
                raise InvalidInput(
                    f"{name} is missing, and {resource.id} is not registered yet",
                    field=name,
                    hint="give MinCapacity and MaxCapacity",
                )
            former = ScalableTarget(
                resource=resource, least=least, most=most, created_at=self._clock.now()
            )
        target = replace(
            former.bounded(least, most),
            suspended=former.suspended.changed(
                scale_in=suspended.scale_in,
                scale_out=suspended.scale_out,
                scheduled=suspended.scheduled,
            ),
            role_arn=former.role_arn if role_arn is None else role_arn,
            tags=dict(former.tags if tags is None else tags),
        )
        if reading is not None and target.least < reading.floor:
            raise InvalidInput(
                f"MinCapacity {target.least} is less than {reading.floor}, the fewest that "
                f"{resource} may have",
                field="MinCapacity",
                hint="variants of asynchronous endpoints and inference components may have 0",
            )
        if target == former and former.version:
            return former
        reason = (
            f"{resource} is scaled between {target.least} and {target.most}"
            f"{_suspended(target.suspended)}"
        )
        event = self._event("scaling.registered", resource, reason, actor, reading)
        return self._store.targets.put(target, event)

    def retag(
        self, resource: Resource, decide: Callable[[dict[str, str]], dict[str, str]], actor: str
    ) -> None:
        """Set what `decide` makes of a target's tags. Raises ScalableTargetNotFound, Unreadable."""
        self._retag(resource, decide, actor)

    @contended
    def _retag(
        self, resource: Resource, decide: Callable[[dict[str, str]], dict[str, str]], actor: str
    ) -> None:
        target = self.target(resource)
        event = self._event("scaling.tagged", resource, f"tags of {resource.id} were set", actor)
        self._store.targets.put(replace(target, tags=decide(dict(target.tags))), event)

    def deregister(self, resource: Resource, actor: str) -> None:
        """Deregister a target, with its policies, their alarms and its scheduled actions.

        The capacity stays as it is. Raises ScalableTargetNotFound.
        """
        event = self._event(
            "scaling.deregistered", resource, f"{resource} is no longer scaled", actor
        )
        policies = self.policies(resource)
        try:
            self._store.targets.remove(resource.id, event)
        except ScalableTargetNotFound as error:
            raise unregistered(resource) from error
        self._moves.decisions.pop(resource.id, None)
        if policies.unreadable:
            self._alarms.follow()  # whose names are not known
        else:
            self._alarms.drop(policies.records)
        self._changed()

    def policies(self, resource: Resource | None = None) -> Listing[Policy]:
        """Return all policies, or those of one target, and why others cannot be read."""
        return of(self._store.policies.all(), resource)

    def policy(self, resource: Resource, name: str) -> Policy:
        """Return a policy. Raises ScalingPolicyNotFound, Unreadable."""
        return self._store.policies.get(key_of(resource, name))

    def put_policy(
        self,
        resource: Resource,
        name: str,
        actor: str,
        *,
        tracking: Tracking | None = None,
        steps: Steps | None = None,
    ) -> Policy:
        """Store a policy over the one of its name, and make its alarms.

        Raises ScalableTargetNotFound, InvalidInput where it is no policy for this resource, and
        ResourceLimitExceeded for more than POLICIES_LIMIT.
        """
        policy = self._put_policy(resource, name, actor, tracking, steps)
        self._alarms.keep(policy)
        self._changed()
        return policy

    @contended
    def _put_policy(
        self,
        resource: Resource,
        name: str,
        actor: str,
        tracking: Tracking | None,
        steps: Steps | None,
    ) -> Policy:
        self.target(resource)
        former = former_of(self._store.policies, key_of(resource, name))
        if former is None:
            others = self.policies(resource)
            require_room(len(others.records), POLICIES_LIMIT, "scaling policies", resource)
        policy = Policy(
            name=name,
            resource=resource,
            created_at=former.created_at if former else self._clock.now(),
            id=former.id if former else str(uuid.uuid4()),
            tracking=tracking,
            steps=steps,
            version=former.version if former else 0,
        )
        reason = f"scaling policy {name} of {resource} was {'changed' if former else 'made'}"
        event = self._event("scaling.policy_put", resource, reason, actor)
        return self._store.policies.put(policy, event)

    def delete_policy(self, resource: Resource, name: str, actor: str) -> None:
        """Delete a policy and its alarms. Raises ScalingPolicyNotFound."""
        reason = f"scaling policy {name} of {resource} was deleted"
        event = self._event("scaling.policy_deleted", resource, reason, actor)
        former = former_of(self._store.policies, key_of(resource, name))
        self._store.policies.remove(key_of(resource, name), event)
        self._alarms.drop([former] if former is not None else [])
        self._changed()

    def alarms(self, policies: Sequence[Policy]) -> Mapping[str, tuple[str, ...]]:
        """Return the names of each policy's alarms, by `Policy.key`: its own, and those that name it."""
        return self._alarms.of(policies)

    def activities(
        self, resource: Resource | None = None, *, limit: int = 50, before: str = ""
    ) -> tuple[Activity, ...]:
        """Return activities, those begun last first; `before`: only older ones than that of this id.

        Those of targets that were deregistered are among them.
        """
        return self._store.activities.newest(resource, limit=limit, before=before)

    def shown(self, resource: Resource) -> Shown:
        """Return how a target stands. Raises ScalableTargetNotFound, Unreadable."""
        target = self.target(resource)
        decision = self._moves.decisions.get(resource.id)
        try:
            reading = self._capacity.read(resource)
        except (NotFound, InvalidInput) as error:
            return Shown(target=target, reading=None, why=error.message, decision=decision)
        return Shown(target=target, reading=reading, why=reading.why, decision=decision)

    def _reading(self, resource: Resource) -> Reading | None:
        try:
            return self._capacity.read(resource)
        except (NotFound, InvalidInput, Unreadable):
            return None  # a target that is there outlives its endpoint

    def _event(
        self,
        kind: str,
        resource: Resource,
        reason: str,
        actor: str,
        reading: Reading | None = None,
    ) -> Event:
        reading = reading or self._reading(resource)
        named = resource.name if not resource.component else ""
        return Event(
            at=self._clock.now(),
            kind=kind,
            actor=actor,
            reason=reason,
            endpoint_name=reading.endpoint_name if reading else named,
            data={"resource": resource.id},
        )


def _suspended(suspended: Suspended) -> str:
    words = {
        "scaling in": suspended.scale_in,
        "scaling out": suspended.scale_out,
        "scheduled scaling": suspended.scheduled,
    }
    named = [word for word, is_so in words.items() if is_so]
    return f"; suspended: {', '.join(named)}" if named else ""
