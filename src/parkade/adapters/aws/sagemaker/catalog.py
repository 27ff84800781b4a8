"""The inventory port over SageMaker: what there is, by its own lists and descriptions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from parkade.adapters.aws.sagemaker.descriptions import running
from parkade.domain.errors import EndpointNotFound, Unreadable
from parkade.ports.catalog import Listing, RecordedEndpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.sagemaker.components import Components
    from parkade.adapters.aws.sagemaker.models import SageMakerModels
    from parkade.adapters.aws.sagemaker.provisioner import SageMakerProvisioner
    from parkade.adapters.aws.sagemaker.sight import Sight
    from parkade.adapters.aws.sagemaker.sights import Sights
    from parkade.adapters.aws.sagemaker.tags import Tags
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Event
    from parkade.ports.catalog import RecordedComponent, RecordedInstance, Tagged

_AT_ONCE = 8


class SageMakerInventory:
    """The inventory port. Lists of everything cost a call for each of it; see the design page."""

    def __init__(
        self,
        *,
        sights: Sights,
        tags: Tags,
        models: SageMakerModels,
        provisioner: SageMakerProvisioner,
        components: Components,
    ) -> None:
        """Take what makes models and endpoint configs: what is made again is made in that way."""
        self._sights = sights
        self._shelf = sights.shelf
        self._tags = tags
        self._models = models
        self._provisioner = provisioner
        self._components = components

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._shelf.model(name)

    def models(self) -> Listing[Model]:
        """Return every model."""
        return self._shelf.models()

    def add_model(self, model: Model, event: Event) -> None:
        """Make the model; that is told by who makes models, with this event's actor."""
        self._models.make(model, {}, event.actor)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._shelf.config(name)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config."""
        return self._shelf.configs()

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Make the endpoint config; that is told as a model's making is."""
        self._provisioner.make_config(config, {}, event.actor)

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint."""
        seen = self._sights.look(name)
        if seen is None:
            raise EndpointNotFound(f"no endpoint has the name {name!r}", hint="see: parkade ls")
        return self._recorded(seen)

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint, with what it runs: calls for the config and the models of each."""
        unreadable: dict[str, str] = {}

        def one(seen: Sight) -> RecordedEndpoint | None:
            try:
                return self._recorded(seen)
            except Unreadable as error:
                unreadable[seen.name] = error.message
                return None

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = tuple(threads.map(one, self._sights.all().values()))
        records = tuple(each for each in found if each is not None)
        return Listing(records, dict(sorted(unreadable.items())))

    def instances(self) -> Listing[RecordedInstance]:
        """Return none: SageMaker's machines are its own, and none of ours could be left over."""
        return Listing((), {})

    def component(self, name: str) -> RecordedComponent:
        """Return the inference component."""
        return self._components.get(name).recorded

    def components(self) -> Listing[RecordedComponent]:
        """Return every inference component."""
        listing = self._components.all()
        return Listing(tuple(each.recorded for each in listing.records), listing.unreadable)

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Give what is of this kind and name these tags and no others, now or at its creation."""
        self._tags.put(kind, name, tags)

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any."""
        return self._tags.all(kind)

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, or those that are kept for when it is created."""
        return self._tags.of(kind, name)

    def _recorded(self, seen: Sight) -> RecordedEndpoint:
        blueprint = running(self._shelf.blueprint_of(seen.name, seen.config_name), seen)
        target = None
        if seen.target_config_name:
            target = self._shelf.blueprint_of(seen.name, seen.target_config_name)
        return RecordedEndpoint(
            name=seen.name,
            status=seen.status,
            created_at=seen.created_at,
            changed_at=seen.changed_at,
            blueprint=blueprint,
            generation=seen.generation,
            target=target,
            target_generation=seen.generation + 1 if target else 0,
            rollout=seen.rollout,
            strategy=seen.rollout.strategy if seen.rollout else None,
            failure_reason=seen.failure_reason,
            awake_since=seen.awake_since,
        )
