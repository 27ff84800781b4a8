"""The host's records in dictionaries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    ConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
    Unreadable,
)
from parkade.ports.catalog import Listing, Tagged
from parkade.ports.remains import remains_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event
    from parkade.ports.catalog import RecordedComponent, RecordedEndpoint, RecordedInstance
    from parkade.ports.events import History

_Record = TypeVar("_Record")


class MemoryCatalogStore:
    """The catalog store port. `damage` makes a record unreadable, as a broken disk would."""

    def __init__(self, history: History, remains: MemoryRemainsStore | None = None) -> None:
        """Write events to `history`, and what is left of endpoints to `remains`."""
        self._history = history
        self._remains = remains or MemoryRemainsStore()
        self._models: _Table[Model] = _Table("model")
        self._configs: _Table[EndpointConfig] = _Table("endpoint config")
        self._endpoints: _Table[RecordedEndpoint] = _Table("endpoint")
        self._instances: _Table[RecordedInstance] = _Table("instance")
        self._components: _Table[RecordedComponent] = _Table("inference component")
        self._tags: dict[tuple[str, str], dict[str, str]] = {}
        self._lock = threading.Lock()

    def damage(self, kind: str, name: str, why: str) -> None:
        """Make the record unreadable; `kind` is "models", "configs", "endpoints" and so on."""
        tables: dict[str, _Table[Any]] = {
            "models": self._models,
            "configs": self._configs,
            "endpoints": self._endpoints,
            "instances": self._instances,
            "components": self._components,
        }
        with self._lock:
            tables[kind].damaged[name] = why

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model."""
        with self._lock:
            if model.name in self._models.records:
                raise AlreadyExists(f"there is already a model {model.name!r}")
            self._history.append(event)
            self._models.put(model.name, model)

    def model(self, name: str) -> Model:
        """Return the model."""
        with self._lock:
            if name not in self._models.records:
                raise ModelNotFound(f"no model has the name {name!r}")
            return self._models.get(name)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        with self._lock:
            return self._models.all()

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model."""
        with self._lock:
            if name not in self._models.records:
                raise ModelNotFound(f"no model has the name {name!r}")
            self._history.append(event)
            self._models.remove(name)

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config."""
        with self._lock:
            if config.name in self._configs.records:
                raise AlreadyExists(f"there is already an endpoint config {config.name!r}")
            self._history.append(event)
            self._configs.put(config.name, config)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        with self._lock:
            if name not in self._configs.records:
                raise ConfigNotFound(f"no endpoint config has the name {name!r}")
            return self._configs.get(name)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        with self._lock:
            return self._configs.all()

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config."""
        with self._lock:
            if name not in self._configs.records:
                raise ConfigNotFound(f"no endpoint config has the name {name!r}")
            self._history.append(event)
            self._configs.remove(name)

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name."""
        with self._lock:
            self._history.append(event)
            self._endpoints.put(endpoint.name, endpoint)
            if endpoint.status is EndpointStatus.DELETING:
                tags = self._tags.get(("endpoint", endpoint.name), {})
                self._remains.put(remains_of(endpoint, tags))

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint."""
        with self._lock:
            if name not in self._endpoints.records:
                raise EndpointNotFound(f"no endpoint has the name {name!r}")
            return self._endpoints.get(name)

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        with self._lock:
            return self._endpoints.all()

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; where it is gone, nothing is written."""
        with self._lock:
            if name in self._endpoints.records:
                self._history.append(event)
                self._endpoints.remove(name)

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id."""
        with self._lock:
            self._instances.put(instance.id, instance)

    def instances(self) -> Listing[RecordedInstance]:
        """Return every instance in the order of ids."""
        with self._lock:
            return self._instances.all()

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance, where it is there."""
        with self._lock:
            self._instances.remove(instance_id)

    def put_component(self, component: RecordedComponent, event: Event) -> None:
        """Store the inference component over the one of its name."""
        with self._lock:
            self._history.append(event)
            self._components.put(component.name, component)

    def component(self, name: str) -> RecordedComponent:
        """Return the inference component."""
        with self._lock:
            if name not in self._components.records:
                raise ComponentNotFound(f"no inference component has the name {name!r}")
            return self._components.get(name)

    def components(self) -> Listing[RecordedComponent]:
        """Return every inference component in the order of names."""
        with self._lock:
            return self._components.all()

    def remove_component(self, name: str, event: Event) -> None:
        """Remove the inference component; where it is gone, nothing is written."""
        with self._lock:
            if name in self._components.records:
                self._history.append(event)
                self._components.remove(name)

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Store all tags of this kind and name; with none, forget them."""
        with self._lock:
            self._tags.pop((kind, name), None)
            if tags:
                self._tags[kind, name] = dict(sorted(tags.items()))

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any."""
        with self._lock:
            found = {name: dict(tags) for (of, name), tags in self._tags.items() if of == kind}
            return Tagged(dict(sorted(found.items())), {})

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, in the order of keys."""
        with self._lock:
            return dict(self._tags.get((kind, name), {}))


class _Table(Generic[_Record]):
    """Records by name, damaged ones included."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self.records: dict[str, _Record] = {}
        self.damaged: dict[str, str] = {}

    def put(self, name: str, record: _Record) -> None:
        self.remove(name)
        self.records[name] = record

    def get(self, name: str) -> _Record:
        if name in self.damaged:
            raise Unreadable(f"{self._noun} {name!r} cannot be read: {self.damaged[name]}")
        return self.records[name]

    def all(self) -> Listing[_Record]:
        readable = sorted(self.records.keys() - self.damaged.keys())
        return Listing(
            tuple(self.records[name] for name in readable), dict(sorted(self.damaged.items()))
        )

    def remove(self, name: str) -> None:
        self.records.pop(name, None)
        self.damaged.pop(name, None)
