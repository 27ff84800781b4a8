"""What the embedded host must remember: models, configs, endpoints, and what runs for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from parkade.domain.blueprint import Blueprint, Component  # noqa: TC001
from parkade.domain.endpoint import ComponentStatus, EndpointStatus
from parkade.domain.rollout import Strategy  # noqa: TC001
from parkade.domain.stages import Rollout  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Listing(Generic[_Record]):
    """All records of a kind, in order, and why others cannot be read, by name or id."""

    records: tuple[_Record, ...]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags of all of a kind that have any, and why others cannot be read, by name."""

    tags: Mapping[str, Mapping[str, str]]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEndpoint:
    """An endpoint as last recorded by the host."""

    name: str
    status: EndpointStatus
    created_at: datetime
    changed_at: datetime
    #: What it runs, or is to run at first.
    blueprint: Blueprint
    #: Rises with every fleet that is brought up for it; instances tell which one they are of.
    generation: int = 1
    #: While it is Updating: what it is to run, under the next generation, or under the present
    #: one where only counts and weights change.
    target: Blueprint | None = None
    target_generation: int = 0
    #: How far an update in stages has come; None: none is under way.
    rollout: Rollout | None = None
    #: The last strategy that somebody asked for, of an update that may be long over.
    strategy: Strategy | None = None
    failure_reason: str = ""
    #: When it was put to sleep; kept until it is awake again.
    asleep_since: datetime | None = None
    #: When it came into service after it was created or woken.
    awake_since: datetime | None = None

    @property
    def config_name(self) -> str:
        """The endpoint config that it runs."""
        return self.blueprint.config.name

    @property
    def asleep(self) -> bool:
        """Whether nothing of it is to run until it is woken; what runs yet is leaving."""
        resting = {EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING}
        return self.asleep_since is not None and self.status in resting

    @property
    def waking(self) -> bool:
        """Whether it is being woken."""
        return self.asleep_since is not None and self.status is EndpointStatus.SYSTEM_UPDATING


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInstance:
    """A worker that was begun: one container of one instance.

    It is recorded before its process is forked, and forgotten after its process is gone, so
    that no process can be unknown.
    """

    id: str
    endpoint_name: str
    variant_name: str
    started_at: datetime
    generation: int = 1
    #: The containers of a pipeline share their instance's name; else it is the id.
    instance: str = ""
    #: Which of its model's containers it runs.
    container: int = 0
    #: The inference component whose copy it is; empty: it is its variant's.
    component_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedComponent:
    """An inference component as last recorded by the host."""

    component: Component
    #: One of InService, Creating, Updating, Failed, Deleting.
    status: ComponentStatus
    changed_at: datetime
    #: Rises when its model changes, so that copies of both can run side by side.
    generation: int = 1
    #: While it is Updating to another model or number of copies.
    target: Component | None = None
    failure_reason: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.component.name


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
        """Store the endpoint over the one of its name, if any.

        Of one that is Deleting the remains are kept, with its tags, in the same transaction.
        """
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

    def put_component(self, component: RecordedComponent, event: Event) -> None:
        """Store the inference component over the one of its name, if any."""
        ...

    def component(self, name: str) -> RecordedComponent:
        """Return the inference component. Raises ComponentNotFound or Unreadable."""
        ...

    def components(self) -> Listing[RecordedComponent]:
        """Return every inference component in the order of names."""
        ...

    def remove_component(self, name: str, event: Event) -> None:
        """Remove the inference component; one that is gone counts as done, without an event."""
        ...

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Store all tags of what is of this kind ("endpoint", "model" ...) and name; none: forget."""
        ...

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any, by name."""
        ...

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, in the order of keys; none where nothing was stored.

        Raises Unreadable where they are damaged.
        """
        ...
