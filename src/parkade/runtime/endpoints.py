"""One endpoint: its way through SageMaker's statuses.

Creating ends as InService once every instance answers, or as Failed once one of them has shown
that it will not; Failed means that nothing of it runs any more. From then on a worker that dies is
restarted for ever, and the status stays InService.

An update is blue/green: while the status is Updating the next generation is brought up beside the
one that serves, which goes on until all of the new one answers, or for good if it will not. With a
strategy it goes in stages, see `staging`. Counts and weights change within a generation.

When the host itself comes back, an InService endpoint stays InService, although for a moment none
of its instances may answer (`healthy` says so): it was promised, and it can be deleted at once
where its time is over. One that cannot be brought back goes over SystemUpdating to Failed, so that
whoever pays for it hears of it and it is recreated.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.domain.endpoint import TRANSIENT, EndpointStatus, ObservedEndpoint, lawful
from parkade.domain.errors import EndpointBusy
from parkade.domain.event import HOST
from parkade.domain.eventbridge import DELETED
from parkade.runtime import groups as grouping
from parkade.runtime.changes import change_of, tags_of
from parkade.runtime.lifecycle import Phase, shortened
from parkade.runtime.slumber import Slumber
from parkade.runtime.staging import Staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.rollout import Strategy
    from parkade.domain.stages import Rollout
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.runtime.components import Copies
    from parkade.runtime.groups import Group
    from parkade.runtime.premises import Premises

_PHASES = {
    EndpointStatus.CREATING: Phase.COMING,
    EndpointStatus.SYSTEM_UPDATING: Phase.COMING,
    EndpointStatus.IN_SERVICE: Phase.SERVING,
    EndpointStatus.UPDATING: Phase.CHANGING,
    EndpointStatus.ROLLING_BACK: Phase.CHANGING,
    EndpointStatus.DELETING: Phase.LEAVING,
    EndpointStatus.FAILED: Phase.OVER,
    # Given by nobody here.
    EndpointStatus.OUT_OF_SERVICE: Phase.OVER,
    EndpointStatus.UPDATE_ROLLBACK_FAILED: Phase.SERVING,
}


class Endpoint(Slumber, Staged):
    """All that runs for one endpoint. `recorded` is what the store holds of it."""

    def __init__(
        self,
        recorded: RecordedEndpoint,
        premises: Premises,
        *,
        components: Callable[[], Sequence[Copies]],
        gone: Callable[[], None],
    ) -> None:
        """Take its record; `components` tells which inference components it hosts."""
        super().__init__(premises, recorded.name, gone=gone)
        self.recorded = recorded
        self.components = components
        #: As they were at its last change.
        self._tags: Mapping[str, str] = {}
        self.fleet = self._fleet(recorded.generation, self._most_groups())
        if self.changes and recorded.target_generation != recorded.generation:
            self._raise()

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint_name

    @property
    def status(self) -> EndpointStatus:
        """SageMaker's word for how it is."""
        return self.recorded.status

    @property
    def phase(self) -> Phase:
        """What the status means for the workers."""
        return _PHASES[self.recorded.status]

    @property
    def changes(self) -> bool:
        """Whether a target is recorded."""
        return self.recorded.target is not None

    @property
    def rollout(self) -> Rollout | None:
        """How far an update in stages has come."""
        return self.recorded.rollout

    def groups(self) -> tuple[Group, ...]:
        """Return a group for each variant; with nothing wanted of it while it sleeps."""
        groups = grouping.of_blueprint(self.recorded.blueprint)
        return grouping.emptied(groups) if self.asleep else groups

    def target_groups(self) -> tuple[Group, ...]:
        """Return a group for each variant of what is being brought up."""
        target = self.recorded.target
        return () if target is None else grouping.of_blueprint(target)

    def _most_groups(self) -> tuple[Group, ...]:
        """Return what the serving generation is to run, the larger where counts are changing."""
        recorded = self.recorded
        if recorded.target is None or recorded.target_generation != recorded.generation:
            return self.groups()
        return grouping.larger(self.groups(), grouping.of_blueprint(recorded.target))

    def _raise(self) -> None:
        self.rising = self._fleet(self.recorded.target_generation, self.target_groups())

    def observed(self) -> ObservedEndpoint:
        """Describe the endpoint as it is now."""
        recorded = self.recorded
        # What rises counts as soon as it gets requests.
        fleets = [self.fleet]
        if self.rising is not None and recorded.rollout is not None and recorded.rollout.weight:
            fleets.append(self.rising)
        return ObservedEndpoint(
            name=recorded.name,
            status=recorded.status,
            config_name=recorded.config_name,
            changed_at=recorded.changed_at,
            created_at=recorded.created_at,
            failure_reason=recorded.failure_reason,
            healthy=sum(fleet.healthy for fleet in fleets),
            wanted=sum(fleet.wanted for fleet in fleets) if self.live else 0,
            generation=recorded.generation,
            target_config_name=recorded.target.config.name if recorded.target else "",
            asleep=recorded.asleep,
            awake_since=recorded.changed_at if recorded.waking else recorded.awake_since,
            changing=any(each.changing for each in self.components()),
            rollout=recorded.rollout,
        )

    def update(
        self,
        target: Blueprint,
        actor: str,
        *,
        strategy: Strategy | None = None,
        rollout: Rollout | None = None,
    ) -> None:
        """Begin to bring up the target, to take the place of what serves.

        It goes in stages with a rollout; the strategy is what was asked for.
        """
        self.require_idle("updated")
        generation = self.recorded.generation + 1
        staged = f", {strategy}" if strategy is not None and rollout is not None else ""
        self._record(
            EndpointStatus.UPDATING,
            "endpoint.updating",
            f"generation {generation} is brought up from {target.config.name}{staged}",
            actor,
            target=target,
            target_generation=generation,
            rollout=rollout,
            strategy=strategy or self.recorded.strategy,
        )
        self._raise()
        self._proceed()
        self._premises.changed()

    def reweigh(self, target: Blueprint, actor: str) -> None:
        """Begin to change counts and weights within the generation that serves."""
        self.require_idle("changed")
        more = grouping.larger(self.groups(), grouping.of_blueprint(target))
        self._record(
            EndpointStatus.UPDATING,
            "endpoint.updating",
            "its counts and weights are being changed: " + _shares(target),
            actor,
            target=target,
            target_generation=self.recorded.generation,
        )
        self.fleet.groups = more
        self._proceed()
        self._premises.changed()

    def delete(self, actor: str) -> None:
        """Begin to delete it; one that is being deleted counts as done.

        An update in stages is called off. Raises EndpointBusy while it is on any other way to
        another status.
        """
        if self.recorded.status is EndpointStatus.DELETING:
            return
        if self.rollout is not None:
            self.call_off("it is being deleted")
        status = self.recorded.status
        if status in TRANSIENT:
            raise EndpointBusy(
                f"endpoint {self.name!r} is {status} and cannot be deleted now",
                hint="wait until it is InService or Failed",
            )
        self._record(EndpointStatus.DELETING, "endpoint.deleting", "it is being deleted", actor)
        self._decide(self._remove)
        self._premises.changed()

    async def _remove(self) -> None:
        components = self.components()
        for component in components:
            component.lose_endpoint()
        await asyncio.gather(*(component.ended() for component in components))
        await super()._remove()

    def _record_arrival(self) -> None:
        if self._record_rest():
            return
        reason = "every instance answers"
        if self.recorded.status is not EndpointStatus.CREATING and self.recorded.failure_reason:
            reason = f"{self.recorded.config_name} serves on, after a change that failed"
        self._record(
            EndpointStatus.IN_SERVICE,
            "endpoint.in_service",
            reason,
            failure_reason=self.recorded.failure_reason,
            awake_since=self.recorded.awake_since or self._premises.clock.now(),
        )

    def _record_stage(self, rollout: Rollout, reason: str, actor: str = HOST) -> None:
        self._record(
            EndpointStatus.UPDATING,
            "endpoint.rollout",
            f"generation {self.recorded.target_generation}: {reason}",
            actor,
            target=self.recorded.target,
            target_generation=self.recorded.target_generation,
            rollout=rollout,
        )

    def _record_change(self) -> None:
        target = self.recorded.target
        if target is not None:
            self._record(
                EndpointStatus.UPDATING,
                "endpoint.switched",
                f"requests go to generation {self.recorded.target_generation}, "
                f"from {target.config.name}: {_shares(target)}",
                blueprint=target,
                generation=self.recorded.target_generation,
            )

    def _record_refusal(self, reason: str) -> None:
        recorded = self.recorded
        if recorded.target is None:
            return
        scales = recorded.target_generation == recorded.generation
        what = "the new counts" if scales else f"endpoint config {recorded.target.config.name}"
        fate = "could not be brought up" if recorded.rollout is None else "was rolled back"
        why = f"{what} {fate}, {recorded.config_name} serves on: {reason}"
        self._record(
            EndpointStatus.ROLLING_BACK if scales else EndpointStatus.UPDATING,
            "endpoint.update_failed",
            why,
            failure_reason=why,
        )

    def _record_fall(self, reason: str) -> None:
        why = f"it could not be brought back: {reason}"
        self._record(EndpointStatus.SYSTEM_UPDATING, "endpoint.updating", why)

    def _record_failure(self, reason: str) -> None:
        self._record(
            EndpointStatus.FAILED,
            "endpoint.failed",
            reason,
            failure_reason=reason,
            asleep_since=None,
        )

    def _record_end(self) -> None:
        # Tags go when deletion is asked for, and are told all the same.
        change = change_of(self.recorded, self._tags, before=self.recorded.status, status=DELETED)
        event = self._premises.event(
            "endpoint.deleted", self.name, "nothing of it runs any more", change=change
        )
        self._premises.store.remove_endpoint(self.name, event)

    def _record(
        self, status: EndpointStatus, kind: str, reason: str, actor: str = HOST, **changes: Any
    ) -> None:
        """Store the status; what `changes` do not name of a target or a failure is past."""
        present = self.recorded.status
        if status is not present and not lawful(present, status):
            raise RuntimeError(f"endpoint {self.name!r} cannot go from {present} to {status}")
        nothing = {"failure_reason": "", "target": None, "target_generation": 0, "rollout": None}
        told = {**nothing, **changes}
        told["failure_reason"] = shortened(told["failure_reason"])
        recorded = replace(
            self.recorded, status=status, changed_at=self._premises.clock.now(), **told
        )
        store = self._premises.store
        self._tags = tags_of(self.name, store)
        change = change_of(recorded, self._tags, before=present)
        store.put_endpoint(
            recorded, self._premises.event(kind, self.name, reason, actor, change=change)
        )
        self.recorded = recorded


def _shares(blueprint: Blueprint) -> str:
    return ", ".join(
        f"{variant.name} {variant.instance_count} at weight {variant.weight:g}"
        for variant in blueprint.config.every
    )
