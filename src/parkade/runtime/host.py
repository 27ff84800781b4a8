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
from parkade.domain.alarm import State
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Unreadable
from parkade.domain.event import HOST
from parkade.runtime import groups, leftovers, logs, recovery, views
from parkade.runtime.addresses import Ports
from parkade.runtime.endpoints import Endpoint
from parkade.runtime.modeldata import ModelData
from parkade.runtime.premises import Premises, no_alarm
from parkade.runtime.recovery import Stock
from parkade.runtime.sleepers import Sleepers
from parkade.runtime.standbys import Standbys
from parkade.runtime.stranded import Stranded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from parkade.domain.alarm import Alarm
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.rollout import Strategy
    from parkade.ports.catalog import CatalogStore, RecordedInstance
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.objects import Objects
    from parkade.runtime.components import Copies
    from parkade.runtime.keeping import Keeper
    from parkade.runtime.premises import Container
    from parkade.runtime.rules import HostPaths, HostRules

_logger = logging.getLogger(__name__)

#: Between two looks at the sizes of logs.
_TEND_LOGS_EVERY = 1.0
#: The same after one of them was too large: its writer may be one that does not stop.
_TEND_LOGS_AGAIN = 0.1


class Host(Sleepers):
    """Models and endpoint configs, and the endpoints and components that run them."""

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
        arrived: Callable[[RecordedInstance, float], None] = lambda *_: None,
        alarm: Callable[[str], State] = no_alarm,
    ) -> None:
        """Take what it works with; nothing happens before `start`.

        `changed` is called after every change of `observed` or `fleets`; `released` returns once
        the last `fleets` is what the gateways go by. `containers` are the kinds that image names
        lead to; of `base_environment` workers get what is harmless. `arrived` hears of each worker
        that was started, and of the seconds that it took. `alarm` tells what an alarm says now, for
        the updates that it guards; its changes are to be told by `heed`.
        """
        self._current_rules = rules
        standbys = Standbys(paths, lambda: self._current_rules)
        super().__init__(
            Premises(
                store=store,
                history=history,
                clock=clock,
                paths=paths,
                rules=lambda: self._current_rules,
                containers=containers,
                data=ModelData(objects, paths.models, standbys.stir),
                standbys=standbys,
                ports=Ports(),
                state_id=state_id,
                base_environment=base_environment,
                changed=changed,
                released=released,
                arrived=arrived,
                alarm=alarm,
            )
        )
        self._views = views.Views(self._premises)
        self._log_keeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def state_id(self) -> str:
        """What its workers are marked with, which tells them from those of other state folders."""
        return self._premises.state_id

    def configure(self, rules: HostRules) -> None:
        """Go by these rules from now on; what runs already goes on."""
        self._current_rules = rules
        self._premises.standbys.stir()

    async def start(self) -> None:
        """Adopt the workers that run, end all other processes of the state, go on with the rest.

        Returns when it is known what runs; what has to be started again is then starting.
        """
        _make_folders(self._premises.paths)
        endpoints, components, stock = self._recorded()
        lifecycles = [e for e in endpoints.values() if isinstance(e, Endpoint)]
        found = await recovery.recover(self._premises, stock, [*lifecycles, *components.values()])
        self._components = components
        self._unreadable_components = stock.unreadable_components
        for name, endpoint in endpoints.items():
            endpoint.begin([
                each
                for each in found
                if each.record.endpoint_name == name and not each.record.component_name
            ])  # fmt: skip
        for name, copies in components.items():
            copies.begin([each for each in found if each.record.component_name == name])
            self._notice_loss(copies)
        self._started = True
        self._loop = asyncio.get_running_loop()
        self._premises.standbys.begin(self._foresee)
        self._log_keeper = asyncio.create_task(self._tend_logs(), name="tend logs")
        self._premises.changed()

    async def _foresee(self) -> None:
        """Tell what may be started, now or when what is asleep wakes."""
        for keeper in self._keepers:
            if keeper.live:
                await keeper.fleet.foresee()

    def _notice_loss(self, copies: Copies) -> None:
        """Let go of a component whose endpoint went, or fell asleep, while nobody looked."""
        endpoint = self._endpoints.get(copies.endpoint_name)
        if copies.live and (endpoint is None or endpoint.status is EndpointStatus.DELETING):
            copies.lose_endpoint()
        elif copies.sleeps:
            copies.rest(HOST)

    def _recorded(
        self,
    ) -> tuple[dict[str, Endpoint | Stranded], dict[str, Copies], Stock]:
        listing, components = self._store.endpoints(), self._store.components()
        endpoints: dict[str, Endpoint | Stranded] = {
            recorded.name: self._endpoint_of(recorded) for recorded in listing.records
        }
        for name, why in listing.unreadable.items():
            endpoints[name] = self._stranded(name, why)
        self._endpoints = endpoints  # components ask whether theirs sleeps
        copies = {recorded.name: self._copies_of(recorded) for recorded in components.records}
        failed = {name for name, each in endpoints.items() if each.status is EndpointStatus.FAILED}
        stock = Stock(
            endpoints=endpoints.keys() - failed,
            components={name for name, each in copies.items() if each.keeps},
            unreadable_endpoints=listing.unreadable,
            unreadable_components=components.unreadable,
        )
        return endpoints, copies, stock

    def _stranded(self, name: str, why: str) -> Stranded:
        return Stranded(
            name,
            self._premises,
            why=why,
            components=lambda: self._hosted(name),
            gone=lambda: self._forget(name),
        )

    @property
    def _keepers(self) -> list[Keeper]:
        return [*self._endpoints.values(), *self._components.values()]

    async def close(self) -> None:
        """Stop all workers, each with its grace, all at once; then what nobody could read.

        Endpoints stay recorded as they are, so that the next `start` brings them back.
        """
        await self._halt_log_keeper()
        await asyncio.gather(*(keeper.close() for keeper in self._keepers))
        await self._premises.standbys.close()
        self._premises.ports.close()
        # Of a host that could not start, the workers go on.
        if self._log_keeper is not None:
            grace = self._current_rules.patience.grace
            await leftovers.clear(self._premises.state_id, lambda _: True, grace=grace)

    async def abandon(self) -> None:
        """Look after the workers no longer; they go on, for the next host to adopt."""
        await self._halt_log_keeper()
        await asyncio.gather(*(keeper.abandon() for keeper in self._keepers))
        await self._premises.standbys.close()
        self._premises.ports.close()

    async def _halt_log_keeper(self) -> None:
        if self._log_keeper is not None:
            self._log_keeper.cancel()
            await asyncio.wait([self._log_keeper])

    def heed(self, alarm: Alarm) -> None:
        """Turn back the updates that an alarm guards which has gone off; from any thread."""
        if alarm.standing.state is State.ALARM and self._loop is not None:
            self._loop.call_soon_threadsafe(self._turn_back, alarm.name)

    def _turn_back(self, alarm_name: str) -> None:
        for endpoint in self._endpoints.values():
            if isinstance(endpoint, Endpoint):
                endpoint.heed(alarm_name)

    def rehearse(self, name: str, config: EndpointConfig, strategy: Strategy) -> None:
        """Raise what bringing up the endpoint from this config would be refused with now.

        One that is not there, or has Failed, would be created; what is on its way somewhere would
        be waited for. Where weights and counts alone differ the fleet that serves would go on.
        """
        self._require_started()
        endpoint = self._endpoints.get(name)
        if endpoint is not None and endpoint.status is EndpointStatus.IN_SERVICE:
            idle = self._idle(name, "updated")
            if self._reweighed(idle, config, frozenset()) is None:
                self._planned(name, config, frozenset(), strategy)
            return
        wanted = groups.workers(groups.of_blueprint(self._blueprint(config)))
        if endpoint is None or endpoint.status is EndpointStatus.FAILED:
            self._require_room(f"endpoint {name!r}", wanted)

    def observed(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name. Raises Unavailable before `start`."""
        self._require_started()
        return {name: each.observed() for name, each in sorted(self._endpoints.items())}

    def standbys(self) -> tuple[int, ...]:
        """Return the processes that wait to become workers, by their numbers."""
        return self._premises.standbys.pids

    def fleets(self) -> Mapping[str, views.FleetView]:
        """Return where invocations can be sent, by endpoint name: instances that answer."""
        return {
            name: self._views.serving(each)
            for name, each in sorted(self._endpoints.items())
            if each.live
        }

    def workers(self, endpoint_name: str) -> tuple[views.InstanceView, ...]:
        """Return the endpoint's instances that answer. Raises EndpointNotFound."""
        endpoint = self._endpoint(endpoint_name)
        return views.workers(self._views.serving(endpoint)) if endpoint.live else ()

    def description(self, name: str) -> views.EndpointDescription:
        """Describe the endpoint. Raises EndpointNotFound or Unreadable."""
        endpoint = self._endpoint(name)
        if isinstance(endpoint, Stranded):
            raise Unreadable(f"endpoint {name!r} cannot be read: {endpoint.why}")
        return views.described(endpoint)

    def descriptions(self) -> Mapping[str, views.EndpointDescription]:
        """Describe every endpoint that can be read, by name. Raises Unavailable."""
        self._require_started()
        return {
            name: views.described(endpoint)
            for name, endpoint in sorted(self._endpoints.items())
            if isinstance(endpoint, Endpoint)
        }

    def component(self, name: str) -> views.ComponentDescription:
        """Describe the inference component. Raises ComponentNotFound or Unreadable."""
        return views.component(self._copies(name))

    def components(self) -> Mapping[str, views.ComponentDescription]:
        """Describe every inference component that can be read, by name. Raises Unavailable."""
        self._require_started()
        return {name: views.component(each) for name, each in sorted(self._components.items())}

    def instances(self, endpoint_name: str) -> tuple[views.InstanceStatus, ...]:
        """Return the workers of the endpoint and its components. Raises EndpointNotFound."""
        return views.statuses([self._endpoint(endpoint_name), *self._hosted(endpoint_name)])

    def logs(self, endpoint_name: str) -> tuple[Path, ...]:
        """Return the logs of the endpoint's workers, gone ones included, newest last."""
        return logs.of_endpoint(self._premises.paths.logs, names.endpoint_name(endpoint_name))

    async def _tend_logs(self) -> None:
        pause = _TEND_LOGS_EVERY
        while True:
            await asyncio.sleep(pause)
            pause = _TEND_LOGS_EVERY
            live: dict[str, set[Path]] = {}
            for keeper in self._keepers:
                of_endpoint = live.setdefault(keeper.endpoint_name, set())
                of_endpoint |= {p.log for instance in keeper.instances for p in instance.places}
            try:
                if await asyncio.to_thread(
                    _tend, self._premises.paths.logs, live, self._current_rules
                ):
                    pause = min(pause, _TEND_LOGS_AGAIN)
            except OSError:
                _logger.exception("logs cannot be rotated")


def _make_folders(paths: HostPaths) -> None:
    for folder in (paths.models, paths.work, paths.logs, paths.sockets, paths.cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _tend(folder: Path, live: Mapping[str, set[Path]], rules: HostRules) -> bool:
    """Rotate and prune logs; tell whether any was too large."""
    rotated = [logs.rotate(log, rules.log_bytes) for each in live.values() for log in each]
    for endpoint_name, of_endpoint in live.items():
        logs.prune(folder, endpoint_name, keep=rules.old_logs, live=of_endpoint)
    return any(rotated)
