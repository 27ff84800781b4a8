"""Models and endpoint configs: what endpoints are created from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InUse, NotFound, Unreadable
from parkade.domain.event import Event
from parkade.runtime import images

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.ports.catalog import CatalogStore, Listing
    from parkade.ports.clock import Clock
    from parkade.runtime.rules import HostRules


class Catalog:
    """Keeps what goes together together: nothing that an endpoint needs can be deleted."""

    def __init__(
        self,
        store: CatalogStore,
        clock: Clock,
        rules: Callable[[], HostRules],
        kinds: Collection[str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._kinds = kinds

    def create_model(self, model: Model, actor: str) -> None:
        """Store a new model. Raises AlreadyExists, and InvalidInput for an unknown image."""
        images.kind(model.image, self._rules().images, self._kinds)
        reason = f"model {model.name} was created from {model.image}"
        self._store.add_model(model, self._event("model.created", actor, reason, model.name))

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        return self._store.model(name)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        return self._store.models()

    def delete_model(self, name: str, actor: str) -> None:
        """Remove the model.

        Raises ModelNotFound, and InUse while an endpoint runs it, or may: one that cannot be read.
        """
        self._store.model(name)
        endpoints = self._store.endpoints()
        for endpoint in endpoints.records:
            try:
                variants = self._store.config(endpoint.config_name).variants
            except NotFound:
                continue  # an endpoint that lost its config needs no model any more
            except Unreadable as error:
                raise _in_use("model", name, endpoint.name, unknown=error.message) from error
            if any(variant.model_name == name for variant in variants):
                raise _in_use("model", name, endpoint.name)
        for endpoint_name, why in endpoints.unreadable.items():
            raise _in_use("model", name, endpoint_name, unknown=why)
        reason = f"model {name} was deleted"
        self._store.remove_model(name, self._event("model.deleted", actor, reason, name))

    def create_config(self, config: EndpointConfig, actor: str) -> None:
        """Store a new endpoint config. Raises AlreadyExists, and ModelNotFound."""
        for variant in config.variants:
            self._store.model(variant.model_name)
        reason = f"endpoint config {config.name} was created"
        self._store.add_config(config, self._event("config.created", actor, reason, config.name))

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound or Unreadable."""
        return self._store.config(name)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        return self._store.configs()

    def delete_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config.

        Raises ConfigNotFound, and InUse while an endpoint has it, or may: one that cannot be read.
        """
        self._store.config(name)
        endpoints = self._store.endpoints()
        for endpoint in endpoints.records:
            if endpoint.config_name == name:
                raise _in_use("endpoint config", name, endpoint.name)
        for endpoint_name, why in endpoints.unreadable.items():
            raise _in_use("endpoint config", name, endpoint_name, unknown=why)
        reason = f"endpoint config {name} was deleted"
        self._store.remove_config(name, self._event("config.deleted", actor, reason, name))

    def _event(self, kind: str, actor: str, reason: str, name: str) -> Event:
        return Event(
            at=self._clock.now(), kind=kind, actor=actor, reason=reason, data={"name": name}
        )


def _in_use(noun: str, name: str, endpoint_name: str, *, unknown: str = "") -> InUse:
    """Make the error; `unknown` says why it cannot be known what the endpoint uses."""
    if unknown:
        return InUse(
            f"{noun} {name!r} may be in use by endpoint {endpoint_name!r}: {unknown}",
            hint="put right in the database what cannot be read, then repeat it",
        )
    return InUse(
        f"{noun} {name!r} is in use by endpoint {endpoint_name!r}",
        hint=f"remove the endpoint first: parkade remove {endpoint_name}",
    )
