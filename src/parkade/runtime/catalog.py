"""Models and endpoint configs: what endpoints are created from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InUse
from parkade.domain.event import Event
from parkade.runtime import images

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.ports.catalog import CatalogStore, Listing
    from parkade.ports.clock import Clock
    from parkade.runtime.rules import HostRules


class Catalog:
    """Keeps what goes together together: a config has its models, an endpoint its config."""

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
        self.require_playable(model)
        described = ", ".join(container.image for container in model.containers)
        reason = f"model {model.name} was created from {described}"
        self._store.add_model(model, self._event("model.created", actor, reason, model.name))

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        return self._store.model(name)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        return self._store.models()

    def delete_model(self, name: str, actor: str) -> None:
        """Remove the model; endpoints keep their own copies. Raises ModelNotFound."""
        reason = f"model {name} was deleted"
        self._store.remove_model(name, self._event("model.deleted", actor, reason, name))

    def create_config(self, config: EndpointConfig, actor: str) -> None:
        """Store a new endpoint config. Raises AlreadyExists, ModelNotFound, and InvalidInput."""
        config.require_initial()
        for name in sorted({variant.model_name for variant in config.every} - {""}):
            self._store.model(name)
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
            target = endpoint.target.config.name if endpoint.target else ""
            if name in {endpoint.config_name, target}:
                raise InUse(
                    f"endpoint config {name!r} is in use by endpoint {endpoint.name!r}",
                    hint=f"remove the endpoint first: parkade remove {endpoint.name}",
                )
        for endpoint_name, why in endpoints.unreadable.items():
            raise InUse(
                f"endpoint config {name!r} may be in use by endpoint {endpoint_name!r}: {why}",
                hint="put right in the database what cannot be read, then repeat it",
            )
        reason = f"endpoint config {name} was deleted"
        self._store.remove_config(name, self._event("config.deleted", actor, reason, name))

    def require_playable(self, model: Model) -> None:
        """Raise InvalidInput for an image that nothing here plays."""
        for container in model.containers:
            images.player(
                container.image,
                self._rules().images,
                self._kinds,
                multi_model=container.multi_model,
            )

    def _event(self, kind: str, actor: str, reason: str, name: str) -> Event:
        return Event(
            at=self._clock.now(), kind=kind, actor=actor, reason=reason, data={"name": name}
        )
