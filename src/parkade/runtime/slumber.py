"""How an endpoint sleeps and wakes, with the inference components that it hosts.

Falling asleep is an update to no instances at all: Updating until the last of them has left, which
answers first what it was given, then InService with none. Waking is SystemUpdating, and ends as
creating does: InService once all of it answers, or Failed, so that whoever pays hears of it.

The record tells which of it is under way, so that a host that was killed goes on with it. What
sleeps keeps its model data at hand.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Conflict, EndpointBusy
from parkade.domain.event import HOST
from parkade.domain.spans import duration
from parkade.runtime.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.blueprint import Blueprint
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.runtime.components import Copies


class Slumber(Lifecycle):
    """The part of an endpoint that sleeps. `recorded` is what the store holds of it."""

    recorded: RecordedEndpoint
    components: Callable[[], Sequence[Copies]]

    @abstractmethod
    def _record(
        self, status: EndpointStatus, kind: str, reason: str, actor: str = HOST, **changes: Any
    ) -> None:
        """Store the status with what else has changed."""

    @property
    def asleep(self) -> bool:
        """Whether nothing of it is to run until it is woken."""
        return self.recorded.asleep

    @property
    def unhurried(self) -> bool:
        """Whether what leaves may take its time: nobody waits for what falls asleep."""
        return self.asleep

    def fall_asleep(self, actor: str) -> None:
        """Begin to let all of it leave; what is asleep is left alone."""
        if self.asleep:
            return
        self.require_idle("put to sleep")
        self._require_settled("put to sleep")
        now = self._premises.clock.now()
        told = "it goes to sleep: its instances leave"
        self._record(EndpointStatus.UPDATING, "endpoint.updating", told, actor, asleep_since=now)
        self.fleet.groups = self.groups()
        for component in self.components():
            component.rest(actor)
        self._proceed()
        self._premises.changed()

    def wake(self, actor: str) -> None:
        """Begin to fill it again; what is not asleep is left alone."""
        since = self.recorded.asleep_since
        if not self.asleep or since is None:
            return
        self._require_in_service("woken")
        self._require_settled("woken")
        told = f"it is woken, after {duration(self._premises.clock.now() - since)} asleep"
        self._record(EndpointStatus.SYSTEM_UPDATING, "endpoint.waking", told, actor)
        self.fleet.groups = self.groups()
        for component in self.components():
            component.rouse(actor)
        self._proceed()
        self._premises.changed()

    def retune(self, blueprint: Blueprint, actor: str) -> None:
        """Take up other counts and weights while it sleeps: it wakes with them."""
        self._require_in_service("changed")
        told = "it is to wake with the counts and weights that it is given now"
        status = self.recorded.status
        self._record(status, "endpoint.retuned", told, actor, blueprint=blueprint)
        self.fleet.groups = self.groups()
        self._premises.changed()

    def require_idle(self, done: str) -> None:
        """Raise EndpointBusy unless it is InService, or Conflict where it never will be.

        What is asleep is InService, and is not woken by being changed: that is a Conflict, too.
        """
        self._require_in_service(done)
        if self.asleep:
            raise Conflict(
                f"endpoint {self.endpoint_name!r} is asleep and cannot be {done}: nothing of it "
                "runs",
                hint=f"wake it first: parkade wake {self.endpoint_name}",
            )

    def _require_in_service(self, done: str) -> None:
        status = self.recorded.status
        if status is EndpointStatus.FAILED:
            raise Conflict(
                f"endpoint {self.endpoint_name!r} is Failed: DeleteEndpoint is the only operation "
                "that can be performed on it",
                hint="delete it and create it again",
            )
        if status is not EndpointStatus.IN_SERVICE:
            raise EndpointBusy(
                f"endpoint {self.endpoint_name!r} is {status} and cannot be {done} now",
                hint="wait until it is InService",
            )

    def _require_settled(self, done: str) -> None:
        changing = [each.name for each in self.components() if each.changing]
        if changing:
            raise EndpointBusy(
                f"endpoint {self.endpoint_name!r} cannot be {done} while inference components of "
                f"it are on their way: {', '.join(changing)}",
                hint="wait until they are InService",
            )

    def hear(self) -> None:
        """Take note that an inference component has another status."""
        if self.recorded.waking:
            self.on_well()

    def _whole(self) -> bool:
        # Components serve as they come, and what is woken is awake once all of them do.
        waits = self.recorded.waking and any(each.coming for each in self.components())
        return super()._whole() and not waits

    async def _settle(self) -> None:
        if self.asleep:
            await asyncio.gather(*(component.ended() for component in self.components()))
        await super()._settle()

    def _record_rest(self) -> bool:
        """Record that it has arrived at sleep, or at being awake; tell whether it was that."""
        now = self._premises.clock.now()
        if self.asleep:
            told = "nothing of it runs until it is asked for"
            self._record(EndpointStatus.IN_SERVICE, "endpoint.asleep", told)
        elif self.recorded.waking:
            span = now - self.recorded.changed_at
            self._record(
                EndpointStatus.IN_SERVICE,
                "endpoint.awake",
                f"every instance answers, {duration(span)} after it was woken",
                asleep_since=None,
                awake_since=now,
            )
        else:
            return False
        return True
