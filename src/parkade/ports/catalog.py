"""What the embedded host must remember: models, configs, endpoints, and their instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.endpoint import EndpointStatus
    from parkade.domain.event import Event

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Listing(Generic[_Record]):
    """All records of a kind, in order, and why others cannot be read, by name or id."""

    records: tuple[_Record, ...]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEndpoint:
    """An endpoint as last recorded by the host."""

    name: str
    config_name: str
    status: EndpointStatus
    created_at: datetime
    changed_at: datetime
    failure_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInstance:
    """An instance that was begun.

    It is recorded before its process is forked, and forgotten after its process is gone, so
    that no process can be unknown.
    """

    id: str
    endpoint_name: str
    variant_name: str
    started_at: datetime


class CatalogStore(Protocol):
    """Stores the host's records. Every write of an endpoint appends its event with it.

    A damaged record never hides others: lists tell it apart, and only asking for it by its name
    raises Unreadable.
    """

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model. Raises AlreadyExists."""
        ...

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        ...

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        ...

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model. Raises ModelNotFound."""
        ...

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config. Raises AlreadyExists."""
        ...

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound or Unreadable."""
        ...

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        ...

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config. Raises ConfigNotFound."""
        ...

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name, if any."""
        ...

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint. Raises EndpointNotFound or Unreadable."""
        ...

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        ...

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; one that is gone counts as done, without an event."""
        ...

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id, if any."""
        ...

    def instances(self) -> Listing[RecordedInstance]:
        """Return every instance in the order of ids."""
        ...

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance; one that is gone counts as done."""
        ...
