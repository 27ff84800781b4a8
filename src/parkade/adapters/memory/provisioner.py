"""A provisioner over the hosting in memory: updates arrive, or fail, when they are told to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.blueprint import Blueprint, Retained
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InUse,
)
from parkade.domain.event import Event
from parkade.ports.provisioner import Present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.memory.hosting import MemoryHosting
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.errors import ParkadeError
    from parkade.domain.rollout import Strategy
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock

_CONFIG, _ENDPOINT = "endpoint-config", "endpoint"


class MemoryProvisioner:
    """The provisioner port. `refuse` makes a call fail, as an outage would."""

    def __init__(self, hosting: MemoryHosting, catalog: CatalogStore, clock: Clock) -> None:
        self._hosting = hosting
        self._catalog = catalog
        self._clock = clock
        #: What endpoints run, where that is not what their config says: counts were changed.
        self._running: dict[str, Blueprint] = {}
        #: What is to run once the update has arrived.
        self._targets: dict[str, Blueprint] = {}
        #: Endpoints whose update brings up a fleet.
        self._fresh: set[str] = set()
        self._refusals: dict[str, ParkadeError] = {}
        #: Every call that changes anything, in order.
        self.calls: list[str] = []
        #: With which strategy each update was begun, by endpoint.
        self.strategies: dict[str, Strategy] = {}

    def look(self, endpoint_name: str) -> Present | None:
        """Return the endpoint, if there is one."""
        self._refused("look")
        observed = self._hosting.endpoints().get(endpoint_name)
        if observed is None:
            self._running.pop(endpoint_name, None)
            return None
        held = self._running.get(endpoint_name)
        if held is None or held.config.name != observed.config_name:
            held = self._running[endpoint_name] = self._blueprint(observed.config_name)
        return Present(observed=observed, blueprint=held)

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._catalog.model(name)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._catalog.config(name)

    def rehearse(self, endpoint_name: str, config: EndpointConfig, strategy: Strategy) -> None:
        """Raise what `refuse` says for the call that would bring it up."""
        strategy.course([variant.instance_count for variant in config.variants])
        self._refused("update" if endpoint_name in self._hosting.endpoints() else "create")

    def make_config(self, config: EndpointConfig, tags: Mapping[str, str], actor: str) -> None:
        """Make the endpoint config, with its tags."""
        self._call("make_config")
        for variant in config.every:
            self._catalog.model(variant.model_name)
        self._catalog.add_config(config, self._event("config.created", actor, config.name))
        self._catalog.put_tags(_CONFIG, config.name, tags)
        self._hosting.add_config(config.name)

    def remove_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config and its tags."""
        self._call("remove_config")
        for each in self._hosting.endpoints().values():
            if name in {each.config_name, each.target_config_name}:
                raise InUse(f"endpoint config {name!r} is in use by endpoint {each.name!r}")
        with suppress(ConfigNotFound):
            self._catalog.remove_config(name, self._event("config.deleted", actor, name))
        self._catalog.put_tags(_CONFIG, name, {})

    def tags(self, endpoint_name: str) -> Mapping[str, str]:
        """Return the tags of the endpoint, or those that one of its name left."""
        return self._catalog.tags(_ENDPOINT, endpoint_name)

    def tag(self, endpoint_name: str, tags: Mapping[str, str], actor: str) -> None:  # noqa: ARG002
        """Give the endpoint these tags and no others."""
        self._call("tag")
        self._catalog.put_tags(_ENDPOINT, endpoint_name, tags)

    def create(self, endpoint_name: str, config_name: str, actor: str) -> None:  # noqa: ARG002
        """Begin to create the endpoint."""
        self._call("create")
        self._hosting.create(endpoint_name, config_name)

    def update(
        self,
        endpoint_name: str,
        config_name: str,
        actor: str,  # noqa: ARG002
        *,
        strategy: Strategy,
        keeps_counts: bool,
    ) -> None:
        """Record the endpoint as Updating."""
        self._call("update")
        present = self._idle(endpoint_name)
        self._targets[endpoint_name] = self._target(present, config_name, keeps_counts=keeps_counts)
        self._fresh.add(endpoint_name)
        self.strategies[endpoint_name] = strategy
        self._place(present.observed, EndpointStatus.UPDATING, target_config_name=config_name)

    def reweigh(
        self,
        endpoint_name: str,
        config_name: str,
        actor: str,  # noqa: ARG002
        *,
        keeps_counts: bool,
    ) -> None:
        """Record the endpoint as Updating, to arrive on the fleet that it has."""
        self._call("reweigh")
        present = self._idle(endpoint_name)
        target = self._target(present, config_name, keeps_counts=keeps_counts)
        if not present.blueprint.same_fleet(target):
            raise Conflict(f"config {config_name!r} differs in more than weights and counts")
        self._targets[endpoint_name] = target
        self._fresh.discard(endpoint_name)
        self._place(present.observed, EndpointStatus.UPDATING, target_config_name=config_name)

    def promote(self, endpoint_name: str, actor: str) -> None:  # noqa: ARG002
        """Note that the update under way is to take all traffic."""
        self._call("promote")
        self._updating(endpoint_name)

    def roll_back(self, endpoint_name: str, actor: str, reason: str) -> None:
        """Let the update under way fail."""
        self._call("roll_back")
        self._updating(endpoint_name)
        self.turn_back(endpoint_name, f"{actor} rolled it back: {reason}")

    def remove(self, endpoint_name: str, actor: str) -> None:  # noqa: ARG002
        """Begin to delete the endpoint."""
        self._call("remove")
        self._hosting.delete(endpoint_name)

    def arrive(self, endpoint_name: str) -> None:
        """Let the endpoint arrive where it is on its way to."""
        target = self._targets.pop(endpoint_name, None)
        if target is None:
            self._hosting.settle(endpoint_name)
            return
        observed = self._present(endpoint_name).observed
        self._place(
            observed,
            EndpointStatus.IN_SERVICE,
            config_name=target.config.name,
            generation=observed.generation + (endpoint_name in self._fresh),
        )
        self._running[endpoint_name] = target

    def turn_back(self, endpoint_name: str, reason: str) -> None:
        """Let the update fail: what served before serves on."""
        self._targets.pop(endpoint_name, None)
        observed = self._present(endpoint_name).observed
        self._place(observed, EndpointStatus.IN_SERVICE, failure_reason=reason)

    def scale(self, endpoint_name: str, variant_name: str, count: int) -> None:
        """Change the count of a variant, as an autoscaler would."""
        present = self._present(endpoint_name)
        self._running[endpoint_name] = present.blueprint.changed({variant_name: count}, {})

    def refuse(self, call: str, error: ParkadeError | None) -> None:
        """Raise this error at each call of this name; None: no longer."""
        if error is None:
            self._refusals.pop(call, None)
        else:
            self._refusals[call] = error

    def _place(
        self,
        observed: ObservedEndpoint,
        status: EndpointStatus,
        *,
        config_name: str = "",
        generation: int = 0,
        target_config_name: str = "",
        failure_reason: str = "",
    ) -> None:
        self._hosting.place(
            replace(
                observed,
                status=status,
                config_name=config_name or observed.config_name,
                generation=generation or observed.generation,
                target_config_name=target_config_name,
                failure_reason=failure_reason,
                changed_at=self._clock.now(),
            )
        )

    def _updating(self, endpoint_name: str) -> None:
        if self._present(endpoint_name).observed.status is not EndpointStatus.UPDATING:
            raise Conflict(f"no update of endpoint {endpoint_name!r} is under way")

    def _present(self, endpoint_name: str) -> Present:
        present = self.look(endpoint_name)
        if present is None:
            raise EndpointNotFound(f"there is no endpoint {endpoint_name!r}")
        return present

    def _idle(self, endpoint_name: str) -> Present:
        present = self._present(endpoint_name)
        if present.observed.status is EndpointStatus.FAILED:
            raise Conflict(f"endpoint {endpoint_name!r} is Failed")
        if present.observed.status is not EndpointStatus.IN_SERVICE:
            raise EndpointBusy(f"endpoint {endpoint_name!r} is {present.observed.status}")
        return present

    def _target(self, present: Present, config_name: str, *, keeps_counts: bool) -> Blueprint:
        retained = frozenset({Retained.COUNTS}) if keeps_counts else frozenset[Retained]()
        return self._blueprint(config_name).retaining(present.blueprint, retained)

    def _blueprint(self, config_name: str) -> Blueprint:
        config = self._catalog.config(config_name)
        names = dict.fromkeys(variant.model_name for variant in config.every)
        return Blueprint(config=config, models=tuple(map(self._catalog.model, names)))

    def _call(self, call: str) -> None:
        self.calls.append(call)
        self._refused(call)

    def _refused(self, call: str) -> None:
        if call in self._refusals:
            raise self._refusals[call]

    def _event(self, kind: str, actor: str, name: str) -> Event:
        return Event(at=self._clock.now(), kind=kind, actor=actor, reason=kind, data={"name": name})
