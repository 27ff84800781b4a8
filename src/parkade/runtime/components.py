"""One inference component: copies of a model on an endpoint that hosts components.

Its statuses are SageMaker's: Creating until every copy answers, Updating while another model is
brought up beside the one that serves, or while copies are added or taken away. With no copies it
keeps its name and answers that it has no capacity. It outlives its endpoint as a record, as
Failed, and is in the way of another endpoint of that name until it is deleted.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.domain.endpoint import ComponentStatus
from parkade.domain.errors import Conflict, EndpointBusy
from parkade.domain.event import HOST
from parkade.runtime import groups as grouping
from parkade.runtime.lifecycle import Lifecycle, Phase, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.blueprint import Component
    from parkade.domain.event import Event
    from parkade.ports.catalog import RecordedComponent
    from parkade.runtime.endpoints import Endpoint
    from parkade.runtime.groups import Group
    from parkade.runtime.premises import Premises
    from parkade.runtime.stranded import Stranded

_PHASES = {
    ComponentStatus.CREATING: Phase.COMING,
    ComponentStatus.IN_SERVICE: Phase.SERVING,
    ComponentStatus.UPDATING: Phase.CHANGING,
    ComponentStatus.DELETING: Phase.LEAVING,
    ComponentStatus.FAILED: Phase.OVER,
}


class Copies(Lifecycle):
    """All that runs for one component. `recorded` is what the store holds of it."""

    def __init__(
        self,
        recorded: RecordedComponent,
        premises: Premises,
        *,
        endpoint: Callable[[], Endpoint | Stranded | None],
        gone: Callable[[], None],
    ) -> None:
        """Take its record; `endpoint` returns the one that hosts it, if that is there."""
        super().__init__(premises, recorded.component.endpoint_name, gone=gone)
        self._endpoint = endpoint
        self.recorded = recorded
        self.fleet = self._fleet(recorded.generation, self._most_groups())
        if self._renews:
            self._raise()

    @property
    def name(self) -> str:
        """The component's name."""
        return self.recorded.name

    @property
    def phase(self) -> Phase:
        """What the status means for the workers."""
        return _PHASES[self.recorded.status]

    @property
    def keeps(self) -> bool:
        """Whether workers that are found have a place here."""
        return self.phase is not Phase.OVER

    @property
    def changes(self) -> bool:
        """Whether a target is recorded."""
        return self.recorded.target is not None

    @property
    def _renews(self) -> bool:
        """Whether the target takes copies of its own, rather than more or fewer of these."""
        target, present = self.recorded.target, self.recorded.component
        return target is not None and target.model != present.model

    @property
    def sleeps(self) -> bool:
        """Whether its endpoint is asleep, and so it has no copies."""
        endpoint = self._endpoint()
        return endpoint is not None and endpoint.asleep

    @property
    def unhurried(self) -> bool:
        """Whether what leaves may take its time: nobody waits for what falls asleep."""
        return self.sleeps

    @property
    def coming(self) -> bool:
        """Whether it is on its way to serve at first, or again."""
        return self.phase is Phase.COMING

    @property
    def changing(self) -> bool:
        """Whether it is on its way to another status."""
        return self.phase in {Phase.COMING, Phase.CHANGING, Phase.LEAVING}

    def groups(self) -> tuple[Group, ...]:
        """Return the one group of its copies; with none of them wanted while its endpoint sleeps."""
        groups = grouping.of_component(self.recorded.component)
        return grouping.emptied(groups) if self.sleeps else groups

    def _most_groups(self) -> tuple[Group, ...]:
        target = self.recorded.target
        if target is None or self._renews or self.sleeps:
            return self.groups()
        return grouping.larger(self.groups(), grouping.of_component(target))

    def _raise(self) -> None:
        target = self.recorded.target
        if target is not None:
            groups = grouping.of_component(target)
            self.rising = self._fleet(self.recorded.generation + 1, groups)

    def update(self, target: Component, actor: str) -> None:
        """Begin to go over to the target: another model, or another number of copies.

        While its endpoint sleeps it takes up the number at once, and raises Conflict for all else.
        """
        self.require_idle("updated")
        if self.sleeps:
            self._retune(target, actor)
            return
        self._record(
            ComponentStatus.UPDATING,
            "component.updating",
            f"{target.copies} copies of {target.model.name} are to run",
            actor,
            target=target,
        )
        if self._renews:
            self._raise()
        else:
            self.fleet.groups = self._most_groups()
        self._proceed()
        self._premises.changed()

    def _retune(self, target: Component, actor: str) -> None:
        present = self.recorded.component
        if target != replace(present, copies=target.copies):
            raise Conflict(
                f"inference component {self.name!r} cannot be updated: its endpoint "
                f"{self.endpoint_name!r} is asleep, and nothing of it runs",
                hint=f"wake it first: parkade wake {self.endpoint_name}",
            )
        reason = f"{target.copies} copies are to run when its endpoint wakes"
        status = self.recorded.status
        self._record(status, "component.retuned", reason, actor, component=target)
        self._premises.changed()

    def rest(self, actor: str) -> None:
        """Begin to let the copies leave, since the endpoint falls asleep."""
        if self.phase is Phase.SERVING and self.instances:
            reason = "its endpoint falls asleep"
            self._record(ComponentStatus.UPDATING, "component.updating", reason, actor)
            self.fleet.groups = self.groups()
            self._proceed()

    def rouse(self, actor: str) -> None:
        """Begin to start the copies again, since the endpoint wakes."""
        if self.phase in {Phase.SERVING, Phase.OVER} and self.recorded.component.copies:
            self._come("its endpoint wakes", actor)

    def require_idle(self, done: str) -> None:
        """Raise EndpointBusy unless it is InService, or Conflict where it never will be."""
        status = self.recorded.status
        if status is ComponentStatus.FAILED:
            raise Conflict(
                f"inference component {self.name!r} is Failed and can only be deleted: "
                f"{self.recorded.failure_reason}",
                hint="delete it and create it again",
            )
        if status is not ComponentStatus.IN_SERVICE:
            raise EndpointBusy(
                f"inference component {self.name!r} is {status} and cannot be {done} now",
                hint="wait until it is InService",
            )

    def delete(self, actor: str) -> None:
        """Begin to delete it; one that is being deleted counts as done.

        Raises EndpointBusy while it is Creating or Updating.
        """
        if self.recorded.status is ComponentStatus.DELETING:
            return
        if self.recorded.status is not ComponentStatus.FAILED:
            self.require_idle("deleted")
        self._record(ComponentStatus.DELETING, "component.deleting", "it is being deleted", actor)
        self._decide(self._remove)
        self._premises.changed()

    def lose_endpoint(self) -> None:
        """Begin to stop the copies for good, since the endpoint is going."""
        if self.live:
            self._decide(lambda: self._fail(f"its endpoint {self.endpoint_name!r} was deleted"))

    async def ended(self) -> None:
        """Return once what is under way is at its end, and what has taken its place meanwhile."""
        while self._change is not None and not self._change.done():
            await asyncio.wait([self._change])

    def revive(self, actor: str) -> None:
        """Begin anew, since its endpoint has come back."""
        if self.phase is Phase.OVER:
            self._come("its endpoint is back", actor)

    def _come(self, reason: str, actor: str) -> None:
        self._record(ComponentStatus.CREATING, "component.creating", reason, actor)
        self.fleet = self._fleet(self.recorded.generation, self.groups())
        self._proceed()

    def _record_arrival(self) -> None:
        copies = 0 if self.sleeps else self.recorded.component.copies
        self._record(
            ComponentStatus.IN_SERVICE,
            "component.in_service",
            f"{copies} of {copies} copies answer" if copies else "it has no copies",
            failure_reason=self.recorded.failure_reason,
        )

    def _record_change(self) -> None:
        target = self.recorded.target
        if target is not None:
            self._record(
                ComponentStatus.UPDATING,
                "component.switched",
                f"requests go to {target.copies} copies of {target.model.name}",
                component=target,
                generation=self.recorded.generation + self._renews,
            )

    def _record_refusal(self, reason: str) -> None:
        why = f"{self.recorded.component.model.name} serves on as before: {reason}"
        self._record(ComponentStatus.UPDATING, "component.update_failed", why, failure_reason=why)

    def _record_fall(self, reason: str) -> None:
        """Say nothing yet: there is no status for it."""

    def _record_failure(self, reason: str) -> None:
        self._record(ComponentStatus.FAILED, "component.failed", reason, failure_reason=reason)

    def _record_end(self) -> None:
        event = self._event("component.deleted", "nothing of it runs any more", HOST)
        self._premises.store.remove_component(self.name, event)

    def _record(
        self, status: ComponentStatus, kind: str, reason: str, actor: str = HOST, **changes: Any
    ) -> None:
        """Store the status; what `changes` do not name of a target or a failure is past."""
        told = {"failure_reason": "", "target": None, **changes}
        told["failure_reason"] = shortened(told["failure_reason"])
        recorded = replace(
            self.recorded, status=status, changed_at=self._premises.clock.now(), **told
        )
        self._premises.store.put_component(recorded, self._event(kind, reason, actor))
        self.recorded = recorded
        if (endpoint := self._endpoint()) is not None:
            endpoint.hear()

    def _event(self, kind: str, reason: str, actor: str) -> Event:
        return self._premises.event(
            kind, self.endpoint_name, reason, actor, component_name=self.name
        )
