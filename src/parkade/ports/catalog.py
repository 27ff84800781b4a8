"""What the embedded host must remember: models, configs, endpoints, and their instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.endpoint import EndpointStatus
    from parkade.domain.event import Event


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
    """Stores the host's records. Every write of an endpoint appends its event with it."""

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model. Raises AlreadyExists."""
        ...

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound."""
        ...

    def models(self) -> Sequence[Model]:
        """Return every model in the order of names."""
        ...

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model. Raises ModelNotFound."""
        ...

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config. Raises AlreadyExists."""
        ...

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound."""
        ...

    def configs(self) -> Sequence[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        ...

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config. Raises ConfigNotFound."""
        ...

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name, if any."""
        ...

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint. Raises EndpointNotFound."""
        ...

    def endpoints(self) -> Sequence[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        ...

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; one that is gone counts as done, without an event."""
        ...

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id, if any."""
        ...

    def instances(self) -> Sequence[RecordedInstance]:
        """Return every instance in the order of ids."""
        ...

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance; one that is gone counts as done."""
        ...
