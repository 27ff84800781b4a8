"""One endpoint: its variants and instances, brought up, kept up, taken down.

Its status goes the way SageMaker's does. Creating ends as InService once every instance answers,
or as Failed once one of them has shown that it will not; Failed means that nothing of it runs any
more. From then on a worker that dies is restarted for ever, and the status stays InService.

When the host itself comes back, an InService endpoint stays InService, although for a moment none
of its instances may answer (`healthy` says so): it was promised, and it can be deleted at once
where its time is over. One that cannot be brought back goes over SystemUpdating to Failed, so that
whoever pays for it hears of it and it is recreated.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from parkade.domain.endpoint import TRANSIENT, EndpointStatus, ObservedEndpoint, lawful
from parkade.domain.errors import EndpointBusy
from parkade.domain.event import HOST
from parkade.ports.catalog import RecordedInstance
from parkade.runtime import leftovers, pings
from parkade.runtime.instances import Failure, Instance, InstanceState
from parkade.runtime.preparation import Preparation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from parkade.domain.catalog import Variant
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.runtime.premises import Premises
    from parkade.runtime.workers import Worker

_logger = logging.getLogger(__name__)

#: SageMaker's limit of FailureReason.
FAILURE_REASON_LIMIT = 1024
#: Between two attempts at what must succeed in the end, such as a full disk that stops a deletion.
_AGAIN = 1.0

_COMING = frozenset({EndpointStatus.CREATING, EndpointStatus.SYSTEM_UPDATING})
#: Statuses of endpoints that are to run.
LIVE = _COMING | {EndpointStatus.IN_SERVICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recorded instance whose worker was found running."""

    record: RecordedInstance
    worker: Worker
    model_dir: Path


class Fleet:
    """All that runs for one endpoint. `recorded` is what the store holds of it."""

    def __init__(
        self,
        recorded: RecordedEndpoint,
        variants: Sequence[Variant],
        premises: Premises,
        *,
        gone: Callable[[str], None],
    ) -> None:
        self.recorded = recorded
        self.variants = tuple(variants)
        self.instances: list[Instance] = []
        self._premises = premises
        self._gone = gone
        self._preparations: dict[str, Preparation] = {}
        #: Whether a failure to start is a failure of the endpoint.
        self._coming = recorded.status in LIVE
        #: The way to another status that is being gone.
        self._change: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.recorded.name

    @property
    def live(self) -> bool:
        """Whether it is to run."""
        return self.recorded.status in LIVE

    @property
    def wanted(self) -> int:
        """How many instances are to run."""
        return sum(v.instance_count for v in self.variants) if self.live else 0

    @property
    def weights(self) -> Mapping[str, float]:
        """Each variant's weight, by name."""
        return {variant.name: variant.weight for variant in self.variants}

    def keeps(self, variant_name: str) -> bool:
        """Tell whether an instance of this variant has its place here."""
        known = variant_name in self.weights
        return known and self.recorded.status is not EndpointStatus.FAILED

    @property
    def places(self) -> int:
        """How many workers it may have now."""
        return max(self.wanted, len(self.instances))

    @property
    def healthy(self) -> int:
        """How many instances answer."""
        return sum(i.state is InstanceState.RUNNING for i in self.instances)

    def observed(self) -> ObservedEndpoint:
        """Describe the endpoint as it is now."""
        recorded = self.recorded
        return ObservedEndpoint(
            name=recorded.name,
            status=recorded.status,
            config_name=recorded.config_name,
            changed_at=recorded.changed_at,
            created_at=recorded.created_at,
            failure_reason=recorded.failure_reason,
            healthy=self.healthy,
            wanted=self.wanted,
        )

    def begin(self, found: Sequence[Found] = ()) -> None:
        """Go on from the recorded status, with the workers that were found running."""
        for variant_name in self.weights:
            used = [each.model_dir for each in found if each.record.variant_name == variant_name]
            self._preparations[variant_name] = Preparation(
                self._premises,
                self.name,
                partial(self._model_name, variant_name),
                folder=used[0] if used else None,
            )
        for each in found:
            instance = self._instance(each.record)
            serves = self.recorded.status is EndpointStatus.IN_SERVICE
            # One that computes answers no ping; that it listens tells enough.
            instance.begin(each.worker, well=serves and pings.listens(instance.socket))
        if self.recorded.status is EndpointStatus.DELETING:
            self._go(self._remove)
        elif self.live:
            self._go(self._fill)

    def _model_name(self, variant_name: str) -> str:
        return next(v.model_name for v in self.variants if v.name == variant_name)

    async def _fill(self) -> None:
        """Start the instances that are wanted and not there."""
        for variant in self.variants:
            there = sum(i.record.variant_name == variant.name for i in self.instances)
            for _ in range(variant.instance_count - there):
                record = RecordedInstance(
                    id=uuid.uuid4().hex[:12],
                    endpoint_name=self.name,
                    variant_name=variant.name,
                    started_at=self._premises.clock.now(),
                )
                self._premises.store.put_instance(record)
                self._instance(record).begin()

    def _instance(self, record: RecordedInstance) -> Instance:
        instance = Instance(
            record,
            self._premises,
            self._preparations[record.variant_name],
            well=self._on_well,
            failed=self._on_failure,
        )
        self.instances.append(instance)
        return instance

    def _on_well(self) -> None:
        if self.recorded.status is EndpointStatus.IN_SERVICE:
            self._coming = False
        elif self.healthy == self.wanted and self._coming:
            self._coming = False
            self._go(self._enter_service)
        self._premises.changed()

    def _on_failure(self, instance: Instance, failure: Failure) -> None:
        exits = self._premises.rules().patience.exits
        if self._coming and (failure.decisive or instance.failures >= exits):
            times = "" if failure.decisive else f"{exits} times in a row, "
            self._coming = False
            reason = f"variant {instance.record.variant_name}: {times}{failure.reason}"
            self._go(lambda: self._fail(reason[:FAILURE_REASON_LIMIT]))
        self._premises.changed()

    def delete(self, actor: str) -> None:
        """Begin to delete it; one that is being deleted counts as done.

        Raises EndpointBusy while it is on its way to another status.
        """
        status = self.recorded.status
        if status is EndpointStatus.DELETING:
            return
        if status in TRANSIENT:
            raise EndpointBusy(
                f"endpoint {self.name!r} is {status} and cannot be deleted now",
                hint="wait until it is InService or Failed",
            )
        self._coming = False
        self._record(EndpointStatus.DELETING, "endpoint.deleting", "it is being deleted", actor)
        self._go(self._remove)
        self._premises.changed()

    async def _enter_service(self) -> None:
        self._record(EndpointStatus.IN_SERVICE, "endpoint.in_service", "every instance answers")
        self._premises.changed()

    async def _fail(self, reason: str) -> None:
        if self.recorded.status is EndpointStatus.IN_SERVICE:
            why = f"it could not be brought back: {reason}"
            self._record(EndpointStatus.SYSTEM_UPDATING, "endpoint.updating", why)
        await self.take_down()
        await self._premises.data.release(self.name)
        self._record(EndpointStatus.FAILED, "endpoint.failed", reason, failure_reason=reason)
        self._premises.changed()

    async def _remove(self) -> None:
        await self.take_down()
        await self._premises.data.release(self.name)
        event = self._premises.event("endpoint.deleted", self.name, "nothing of it runs any more")
        self._premises.store.remove_endpoint(self.name, event)
        self._gone(self.name)

    async def take_down(self) -> None:
        """Stop all instances at once; return when no process of them is left.

        What they serve moves elsewhere first: nothing new is sent to a worker that is ending.
        """
        leaving = list(self.instances)
        served = any(instance.state is InstanceState.RUNNING for instance in leaving)
        for instance in leaving:
            instance.retire()
        if served:
            self._premises.changed()
            await self._premises.released()
        grace = self._premises.rules().patience.grace
        await asyncio.gather(*(instance.stop(grace) for instance in leaving))
        if leaving:
            ids = {instance.record.id for instance in leaving}
            await leftovers.clear(self._premises.state_id, lambda m: m.instance_id in ids)
        for instance in leaving:
            await instance.forget()
            self.instances.remove(instance)

    async def close(self) -> None:
        """Stop everything; the record stays, so that the next host goes on from it."""
        self._coming = False
        await self._halt_change()
        await self.take_down()

    async def abandon(self) -> None:
        """Look after it no longer and leave its workers running."""
        self._coming = False
        await self._halt_change()
        await asyncio.gather(*(instance.abandon() for instance in self.instances))

    async def _halt_change(self) -> None:
        if self._change is not None:
            self._change.cancel()
            await asyncio.wait([self._change])

    def _go(self, way: Callable[[], Awaitable[None]]) -> None:
        if self._change is not None:
            self._change.cancel()
        self._change = asyncio.create_task(self._insist(way), name=f"change {self.name}")

    async def _insist(self, way: Callable[[], Awaitable[None]]) -> None:
        """Go the way, each step of which can be repeated, until it was gone to its end."""
        while True:
            try:
                await way()
            except Exception:
                _logger.exception("endpoint %s is %s", self.name, self.recorded.status)
                await asyncio.sleep(_AGAIN)
            else:
                return

    def _record(
        self,
        status: EndpointStatus,
        kind: str,
        reason: str,
        actor: str = HOST,
        *,
        failure_reason: str = "",
    ) -> None:
        present = self.recorded.status
        if status is not present and not lawful(present, status):
            raise RuntimeError(f"endpoint {self.name!r} cannot go from {present} to {status}")
        now = self._premises.clock.now()
        recorded = replace(
            self.recorded, status=status, changed_at=now, failure_reason=failure_reason
        )
        self._premises.store.put_endpoint(
            recorded, self._premises.event(kind, self.name, reason, actor)
        )
        self.recorded = recorded
