"""The host's records in dictionaries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event
    from parkade.ports.catalog import RecordedEndpoint, RecordedInstance
    from parkade.ports.events import History

    _Record = TypeVar("_Record")


class MemoryCatalogStore:
    """The catalog store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._models: dict[str, Model] = {}
        self._configs: dict[str, EndpointConfig] = {}
        self._endpoints: dict[str, RecordedEndpoint] = {}
        self._instances: dict[str, RecordedInstance] = {}
        self._lock = threading.Lock()

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model."""
        with self._lock:
            if model.name in self._models:
                raise AlreadyExists(f"there is already a model {model.name!r}")
            self._history.append(event)
            self._models[model.name] = model

    def model(self, name: str) -> Model:
        """Return the model."""
        with self._lock:
            if name not in self._models:
                raise ModelNotFound(f"no model has the name {name!r}")
            return self._models[name]

    def models(self) -> Sequence[Model]:
        """Return every model in the order of names."""
        return self._sorted(self._models)

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model."""
        with self._lock:
            if name not in self._models:
                raise ModelNotFound(f"no model has the name {name!r}")
            self._history.append(event)
            del self._models[name]

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config."""
        with self._lock:
            if config.name in self._configs:
                raise AlreadyExists(f"there is already an endpoint config {config.name!r}")
            self._history.append(event)
            self._configs[config.name] = config

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        with self._lock:
            if name not in self._configs:
                raise ConfigNotFound(f"no endpoint config has the name {name!r}")
            return self._configs[name]

    def configs(self) -> Sequence[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        return self._sorted(self._configs)

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config."""
        with self._lock:
            if name not in self._configs:
                raise ConfigNotFound(f"no endpoint config has the name {name!r}")
            self._history.append(event)
            del self._configs[name]

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name."""
        with self._lock:
            self._history.append(event)
            self._endpoints[endpoint.name] = endpoint

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint."""
        with self._lock:
            if name not in self._endpoints:
                raise EndpointNotFound(f"no endpoint has the name {name!r}")
            return self._endpoints[name]

    def endpoints(self) -> Sequence[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        return self._sorted(self._endpoints)

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; where it is gone, nothing is written."""
        with self._lock:
            if name in self._endpoints:
                self._history.append(event)
                del self._endpoints[name]

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id."""
        with self._lock:
            self._instances[instance.id] = instance

    def instances(self) -> Sequence[RecordedInstance]:
        """Return every instance in the order of ids."""
        return self._sorted(self._instances)

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance, where it is there."""
        with self._lock:
            self._instances.pop(instance_id, None)

    def _sorted(self, records: Mapping[str, _Record]) -> Sequence[_Record]:
        with self._lock:
            return [records[name] for name in sorted(records)]
