"""The embedded SageMaker: keeps endpoints of real worker processes.

What must survive is in the store; what runs is found again by its markers. A host that was killed
leaves its workers running and serving; the next one adopts those that are recorded and belong to
an endpoint, ends every other process of its state, and goes on with what was begun. What cannot
be read is left as it is, see `stranded`.

The host lives on one event loop; its plain methods return at once and are for that loop only.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    EndpointBusy,
    EndpointNotFound,
    NotFound,
    ResourceLimitExceeded,
    Unavailable,
    Unreadable,
)
from parkade.ports.catalog import RecordedEndpoint
from parkade.runtime import images, leftovers, logs, recovery, views
from parkade.runtime.catalog import Catalog
from parkade.runtime.fleets import LIVE, Fleet
from parkade.runtime.modeldata import ModelData
from parkade.runtime.premises import Premises
from parkade.runtime.stranded import Stranded, stand_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from parkade.domain.catalog import Variant
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.objects import Objects
    from parkade.runtime.premises import Container
    from parkade.runtime.rules import HostPaths, HostRules

_logger = logging.getLogger(__name__)

#: Between two looks at the sizes of logs.
_TEND_LOGS_EVERY = 5.0


class Host(Catalog):
    """Models and endpoint configs, and the endpoints that run them."""

    def __init__(
        self,
        store: CatalogStore,
        objects: Objects,
        history: History,
        clock: Clock,
        paths: HostPaths,
        rules: HostRules,
        *,
        state_id: str,
        changed: Callable[[], None],
        released: Callable[[], Awaitable[None]],
        base_environment: Mapping[str, str],
        containers: Mapping[str, Container],
    ) -> None:
        """Take what it works with; nothing happens before `start`.

        `changed` is called after every change of `observed` or `fleets`; `released` returns once
        the last `fleets` is what the gateways go by. `containers` are the kinds that image names
        lead to; of `base_environment` workers get what is harmless.
        """
        super().__init__(store, clock, lambda: self._current_rules, containers)
        self._current_rules = rules
        self._paths = paths
        self._state_id = state_id
        self._changed = changed
        self._data = ModelData(objects, paths.models)
        self._premises = Premises(
            store=store,
            history=history,
            clock=clock,
            paths=paths,
            rules=lambda: self._current_rules,
            containers=containers,
            data=self._data,
            state_id=state_id,
            base_environment=base_environment,
            changed=changed,
            released=released,
        )
        self._fleets: dict[str, Fleet] = {}
        self._log_keeper: asyncio.Task[None] | None = None

    def configure(self, rules: HostRules) -> None:
        """Go by these rules from now on; what runs already goes on."""
        self._current_rules = rules

    async def start(self) -> None:
        """Adopt the workers that run, end all other processes of the state, go on with the rest.

        Returns when it is known what runs; what has to be started again is then starting.
        """
        _make_folders(self._paths)
        fleets = self._recorded_fleets()
        found = await recovery.recover(self._premises, fleets)
        for fleet in fleets.values():
            fleet.begin([each for each in found if each.record.endpoint_name == fleet.name])
        self._fleets = fleets
        self._log_keeper = asyncio.create_task(self._tend_logs(), name="tend logs")
        self._changed()

    def _recorded_fleets(self) -> dict[str, Fleet]:
        listing = self._store.endpoints()
        fleets = {endpoint.name: self._fleet_of(endpoint) for endpoint in listing.records}
        for name, why in listing.unreadable.items():
            shown = stand_in(name, self._premises)
            fleets[name] = Stranded(shown, (), self._premises, gone=self._forget, why=why)
        return fleets

    def _fleet_of(self, endpoint: RecordedEndpoint) -> Fleet:
        variants: Sequence[Variant] = ()
        try:
            variants = self._store.config(endpoint.config_name).variants
            for variant in variants:
                self._store.model(variant.model_name)
        except (NotFound, Unreadable) as error:
            if endpoint.status in LIVE:
                why = error.message
                return Stranded(endpoint, variants, self._premises, gone=self._forget, why=why)
        return Fleet(endpoint, variants, self._premises, gone=self._forget)

    async def close(self) -> None:
        """Stop all workers, each with its grace, all at once; then what nobody could read.

        Endpoints stay recorded as they are, so that the next `start` brings them back.
        """
        await self._halt_log_keeper()
        await asyncio.gather(*(fleet.close() for fleet in self._fleets.values()))
        # Of a host that could not start, the workers go on.
        if self._log_keeper is not None:
            grace = self._current_rules.patience.grace
            await leftovers.clear(self._state_id, lambda _: True, grace=grace)

    async def abandon(self) -> None:
        """Look after the workers no longer; they go on, for the next host to adopt."""
        await self._halt_log_keeper()
        await asyncio.gather(*(fleet.abandon() for fleet in self._fleets.values()))

    async def _halt_log_keeper(self) -> None:
        if self._log_keeper is not None:
            self._log_keeper.cancel()
            await asyncio.wait([self._log_keeper])

    def create_endpoint(self, name: str, config_name: str, actor: str) -> None:
        """Begin to create the endpoint; one that exists with this config is left as it is.

        Raises ConfigNotFound, ModelNotFound, AlreadyExists (with another config), EndpointBusy
        (Deleting), ResourceLimitExceeded, and InvalidInput for an image without a container.
        """
        self._require_started()
        names.endpoint_name(name)
        if self._exists(name, config_name):
            return
        variants = self._store.config(config_name).variants
        for variant in variants:
            image = self._store.model(variant.model_name).image
            images.kind(image, self._current_rules.images, self._kinds)
        self._require_room(name, sum(variant.instance_count for variant in variants))
        now = self._clock.now()
        recorded = RecordedEndpoint(
            name=name,
            config_name=config_name,
            status=EndpointStatus.CREATING,
            created_at=now,
            changed_at=now,
        )
        reason = f"it is being created from {config_name}"
        self._store.put_endpoint(
            recorded, self._premises.event("endpoint.creating", name, reason, actor)
        )
        fleet = Fleet(recorded, variants, self._premises, gone=self._forget)
        self._fleets[name] = fleet
        fleet.begin()
        self._changed()

    def _exists(self, name: str, config_name: str) -> bool:
        fleet = self._fleets.get(name)
        if fleet is None:
            return False
        if isinstance(fleet, Stranded) and fleet.recorded.config_name != config_name:
            raise Unreadable(f"endpoint {name!r} is there and cannot be read: {fleet.why}")
        if fleet.recorded.status is EndpointStatus.DELETING:
            raise EndpointBusy(
                f"endpoint {name!r} is still being deleted", hint="try again when it is gone"
            )
        if fleet.recorded.config_name != config_name:
            raise AlreadyExists(
                f"endpoint {name!r} exists with endpoint config {fleet.recorded.config_name!r}",
                hint=f"delete it before it is created from {config_name!r}",
            )
        return True

    def _require_room(self, name: str, wanted: int) -> None:
        taken = sum(fleet.places for fleet in self._fleets.values())
        if taken + wanted > self._current_rules.workers:
            raise ResourceLimitExceeded(
                f"endpoint {name!r} needs {wanted} instances, but {taken} of "
                f"{self._current_rules.workers} are taken",
                hint="stop an endpoint, ask for fewer instances, or raise `limits.workers` "
                "in server.yaml",
            )

    def delete_endpoint(self, name: str, actor: str) -> None:
        """Begin to delete the endpoint; one that is Deleting counts as done.

        Raises EndpointNotFound, EndpointBusy while it is Creating or SystemUpdating, and
        Unreadable where its record is damaged.
        """
        self._fleet(name).delete(actor)

    def observed(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name. Raises Unavailable before `start`."""
        self._require_started()
        return {name: fleet.observed() for name, fleet in sorted(self._fleets.items())}

    def fleets(self) -> Mapping[str, tuple[views.VariantView, ...]]:
        """Return where invocations can be sent, by endpoint name: instances that answer."""
        return {
            name: views.serving(fleet) for name, fleet in sorted(self._fleets.items()) if fleet.live
        }

    def instances(self, endpoint_name: str) -> tuple[views.InstanceStatus, ...]:
        """Return the endpoint's instances. Raises EndpointNotFound."""
        return views.statuses(self._fleet(endpoint_name))

    def logs(self, endpoint_name: str) -> tuple[Path, ...]:
        """Return the logs of the endpoint's instances, gone ones included, newest last."""
        return logs.of_endpoint(self._paths.logs, names.endpoint_name(endpoint_name))

    def _fleet(self, name: str) -> Fleet:
        self._require_started()
        if name not in self._fleets:
            raise EndpointNotFound(f"there is no endpoint {name!r}")
        return self._fleets[name]

    def _forget(self, name: str) -> None:
        del self._fleets[name]
        self._changed()

    def _require_started(self) -> None:
        if self._log_keeper is None:
            raise Unavailable("the host has not started yet", hint="try again in a moment")

    async def _tend_logs(self) -> None:
        while True:
            await asyncio.sleep(_TEND_LOGS_EVERY)
            live = {
                name: {instance.log for instance in fleet.instances}
                for name, fleet in self._fleets.items()
            }
            try:
                await asyncio.to_thread(_tend, self._paths.logs, live, self._current_rules)
            except OSError:
                _logger.exception("logs cannot be rotated")


def _make_folders(paths: HostPaths) -> None:
    for folder in (paths.models, paths.work, paths.logs, paths.sockets, paths.cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _tend(folder: Path, live: Mapping[str, set[Path]], rules: HostRules) -> None:
    for endpoint_name, of_endpoint in live.items():
        for log in of_endpoint:
            logs.rotate(log, rules.log_bytes)
        logs.prune(folder, endpoint_name, keep=rules.old_logs, live=of_endpoint)
