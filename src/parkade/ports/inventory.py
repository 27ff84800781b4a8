"""What there is to be seen of models, endpoint configs, endpoints, components and their tags.

The part of the catalog that decisions and reports rest on, whoever keeps the records: the embedded
host's `CatalogStore` is one, SageMaker itself another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event
    from parkade.ports.catalog import (
        Listing,
        RecordedComponent,
        RecordedEndpoint,
        RecordedInstance,
        Tagged,
    )


class TagStore(Protocol):
    """Tags by kind ("endpoint", "endpoint-config", "model") and name."""

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Store all tags of what is of this kind and name; none: forget them."""
        ...

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any, by name."""
        ...

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, in the order of keys; none where nothing was stored.

        Raises Unreadable where they are damaged.
        """
        ...


class Inventory(TagStore, Protocol):
    """Shows what there is, and makes again what an undo needs.

    What cannot be read never hides others: lists tell it apart, and only asking for it by its name
    raises Unreadable.
    """

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound or Unreadable."""
        ...

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        ...

    def add_model(self, model: Model, event: Event) -> None:
        """Make the model, and tell it. Raises AlreadyExists."""
        ...

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound or Unreadable."""
        ...

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        ...

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Make the endpoint config, and tell it. Raises AlreadyExists."""
        ...

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint. Raises EndpointNotFound or Unreadable."""
        ...

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        ...

    def instances(self) -> Listing[RecordedInstance]:
        """Return the workers that this cloud has records of; none where they are not its own."""
        ...

    def component(self, name: str) -> RecordedComponent:
        """Return the inference component. Raises ComponentNotFound or Unreadable."""
        ...

    def components(self) -> Listing[RecordedComponent]:
        """Return every inference component in the order of names."""
        ...
