"""The provisioner port over the embedded host; for its event loop only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from parkade.domain.blueprint import Retained
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ConfigNotFound
from parkade.domain.event import Event
from parkade.ports.provisioner import Present

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.rollout import Strategy
    from parkade.ports.catalog import CatalogStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.runtime.host import Host

#: The kinds that tags are kept by.
_CONFIG, _ENDPOINT = "endpoint-config", "endpoint"


class EmbeddedProvisioner:
    """The provisioner port. `changed` is called after what the host itself does not tell of."""

    def __init__(
        self,
        host: Host,
        catalog: CatalogStore,
        history: History,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._host = host
        self._catalog = catalog
        self._history = history
        self._clock = clock
        self._changed = changed

    def look(self, endpoint_name: str) -> Present | None:
        """Return the endpoint, if there is one."""
        observed = self._host.observed().get(endpoint_name)
        if observed is None:
            return None
        recorded = self._host.description(endpoint_name).recorded
        return Present(observed=observed, blueprint=recorded.blueprint, rollout=recorded.rollout)

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._host.model(name)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._host.config(name)

    def rehearse(self, endpoint_name: str, config: EndpointConfig, strategy: Strategy) -> None:
        """Raise what bringing up the endpoint from this config would be refused with."""
        self._host.rehearse(endpoint_name, config, strategy)

    def make_config(self, config: EndpointConfig, tags: Mapping[str, str], actor: str) -> None:
        """Make the endpoint config, with its tags."""
        self._host.create_config(config, actor)
        self._catalog.put_tags(_CONFIG, config.name, tags)
        self._changed()

    def remove_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config and its tags."""
        with suppress(ConfigNotFound):
            self._host.delete_config(name, actor)
        self._catalog.put_tags(_CONFIG, name, {})
        self._changed()

    def tags(self, endpoint_name: str) -> Mapping[str, str]:
        """Return the tags of the endpoint, or those that one of its name left."""
        return self._catalog.tags(_ENDPOINT, endpoint_name)

    def tag(self, endpoint_name: str, tags: Mapping[str, str], actor: str) -> None:
        """Give the endpoint these tags and no others."""
        self._catalog.put_tags(_ENDPOINT, endpoint_name, tags)
        self._history.append(
            Event(
                at=self._clock.now(),
                kind="tags.changed",
                actor=actor,
                reason=f"the tags of endpoint {endpoint_name} were changed",
                endpoint_name=endpoint_name,
                data={"kind": _ENDPOINT, "name": endpoint_name, "tags": dict(tags)},
            )
        )
        self._changed()

    def create(self, endpoint_name: str, config_name: str, actor: str) -> None:
        """Begin to create the endpoint."""
        self._host.create_endpoint(endpoint_name, config_name, actor)

    def update(
        self,
        endpoint_name: str,
        config_name: str,
        actor: str,
        *,
        strategy: Strategy,
        keeps_counts: bool,
    ) -> None:
        """Begin to update the endpoint to the config."""
        self._host.update_endpoint(
            endpoint_name,
            config_name,
            actor,
            retained=_retained(keeps_counts=keeps_counts),
            strategy=strategy,
        )

    def reweigh(
        self, endpoint_name: str, config_name: str, actor: str, *, keeps_counts: bool
    ) -> None:
        """Begin to give the endpoint the weights and counts of the config."""
        self._host.reweigh_to(
            endpoint_name, config_name, actor, retained=_retained(keeps_counts=keeps_counts)
        )

    def promote(self, endpoint_name: str, actor: str) -> None:
        """Have the update under way take all traffic now."""
        self._host.promote(endpoint_name, actor)

    def roll_back(self, endpoint_name: str, actor: str, reason: str) -> None:
        """Call off the update under way."""
        self._host.roll_back(endpoint_name, actor, reason)

    def remove(self, endpoint_name: str, actor: str) -> None:
        """Begin to delete the endpoint."""
        observed = self._host.observed().get(endpoint_name)
        if observed is not None and observed.status is not EndpointStatus.DELETING:
            self._host.delete_endpoint(endpoint_name, actor)


def _retained(*, keeps_counts: bool) -> frozenset[Retained]:
    return frozenset({Retained.COUNTS}) if keeps_counts else frozenset()
