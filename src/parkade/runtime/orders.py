"""What can be ordered: endpoints and inference components, made, changed and deleted.

Each order is checked whole before anything is recorded; what is begun by it goes on by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.blueprint import Blueprint
from parkade.domain.endpoint import ComponentStatus, EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
    Unavailable,
    Unreadable,
)
from parkade.ports.catalog import RecordedComponent, RecordedEndpoint
from parkade.runtime import groups
from parkade.runtime.catalog import Catalog
from parkade.runtime.changes import change_of, tags_of
from parkade.runtime.components import Copies
from parkade.runtime.endpoints import Endpoint
from parkade.runtime.stranded import Stranded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.domain.blueprint import Component
    from parkade.domain.catalog import EndpointConfig
    from parkade.domain.rollout import Strategy
    from parkade.runtime.premises import Premises


class Orders(Catalog):
    """Takes orders about endpoints and components."""

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises.store, premises.clock, premises.rules, premises.containers)
        self._premises = premises
        self._endpoints: dict[str, Endpoint | Stranded] = {}
        self._components: dict[str, Copies] = {}
        #: Why, by name; they are in the way of others of that name.
        self._unreadable_components: Mapping[str, str] = {}
        self._started = False

    def create_endpoint(
        self,
        name: str,
        config_name: str,
        actor: str,
        *,
        revives: bool = False,
        strategy: Strategy | None = None,
    ) -> None:
        """Begin to create the endpoint; one that exists with this config is left as it is.

        The strategy is kept for updates that are to go as the last one.

        Inference components of an earlier endpoint of this name come back with it if it `revives`
        them, else they are in its way. Raises ConfigNotFound, ModelNotFound, AlreadyExists (with
        another config), EndpointBusy (Deleting), Conflict, ResourceLimitExceeded, and
        InvalidInput for an image without a container.
        """
        self._require_started()
        names.endpoint_name(name)
        if self._exists(name, config_name):
            return
        blueprint = self._blueprint(self._store.config(config_name))
        left = self._hosted(name)
        if left and not revives:
            described = ", ".join(each.name for each in left)
            raise Conflict(
                f"endpoint {name!r} cannot be created while inference components of an earlier "
                f"one are there: {described}",
                hint="delete them first",
            )
        self._require_variants(left, blueprint.config)
        wanted = groups.workers(groups.of_blueprint(blueprint))
        revived = sum(groups.workers(each.groups()) for each in left)
        self._require_room(f"endpoint {name!r}", wanted + revived)
        now = self._clock.now()
        recorded = RecordedEndpoint(
            name=name,
            status=EndpointStatus.CREATING,
            created_at=now,
            changed_at=now,
            blueprint=blueprint,
            strategy=strategy,
        )
        reason = f"it is being created from {config_name}"
        change = change_of(recorded, tags_of(name, self._store), before="")
        self._store.put_endpoint(
            recorded, self._premises.event("endpoint.creating", name, reason, actor, change=change)
        )
        endpoint = self._endpoint_of(recorded)
        self._endpoints[name] = endpoint
        endpoint.begin()
        for each in left:
            each.revive(actor)
        self._premises.changed()

    def _exists(self, name: str, config_name: str) -> bool:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return False
        if isinstance(endpoint, Stranded):
            raise Unreadable(f"endpoint {name!r} is there and cannot be read: {endpoint.why}")
        if endpoint.status is EndpointStatus.DELETING:
            raise EndpointBusy(
                f"endpoint {name!r} is still being deleted", hint="try again when it is gone"
            )
        if endpoint.recorded.config_name != config_name:
            raise AlreadyExists(
                f"endpoint {name!r} exists with endpoint config {endpoint.recorded.config_name!r}",
                hint=f"delete it before it is created from {config_name!r}",
            )
        return True

    def reweigh(
        self, name: str, counts: Mapping[str, int], weights: Mapping[str, float], actor: str
    ) -> None:
        """Begin to change counts and weights of variants while they serve.

        Raises EndpointNotFound, Unreadable, EndpointBusy, Conflict, ResourceLimitExceeded, and
        InvalidInput for an unknown variant, or a count of one that is serverless.
        """
        endpoint = self._endpoint(name)
        if isinstance(endpoint, Stranded) or not endpoint.asleep:
            endpoint = self._idle(name, "changed")
        blueprint = endpoint.recorded.blueprint
        variants = {variant.name: variant for variant in blueprint.config.every}
        for variant_name in {**counts, **weights}:
            if variant_name not in variants:
                raise InvalidInput(
                    f"endpoint {name!r} has no variant {variant_name!r}",
                    field="VariantName",
                    hint="its variants are " + ", ".join(variants),
                )
        for variant_name in counts:
            if variants[variant_name].serverless:
                raise InvalidInput(
                    f"variant {variant_name!r} is serverless and has no instances to count",
                    field="DesiredInstanceCount",
                )
            if counts[variant_name] < blueprint.config.fewest:
                raise InvalidInput(
                    f"DesiredInstanceCount {counts[variant_name]} of variant {variant_name!r} is "
                    f"less than {blueprint.config.fewest}",
                    field="DesiredInstanceCount",
                    hint="only asynchronous endpoints have none at times; parkade sleep puts an "
                    "endpoint to sleep",
                )
        target = blueprint.changed(counts, weights)
        if endpoint.asleep:
            endpoint.retune(target, actor)
            return
        present, wanted = endpoint.groups(), groups.of_blueprint(target)
        more = groups.workers(groups.larger(present, wanted)) - groups.workers(present)
        self._require_room(f"the change of endpoint {name!r}", more)
        endpoint.reweigh(target, actor)

    def delete_endpoint(self, name: str, actor: str) -> None:
        """Begin to delete the endpoint; one that is Deleting counts as done.

        Raises EndpointNotFound, EndpointBusy while it is on its way to another status, and
        Unreadable where its record is damaged.
        """
        self._endpoint(name).delete(actor)

    def create_component(self, component: Component, actor: str) -> None:
        """Begin to create an inference component, of at least one copy.

        Raises AlreadyExists, EndpointNotFound, Unreadable, EndpointBusy unless its endpoint is
        InService, Conflict where that is Failed, ResourceLimitExceeded, and InvalidInput.
        """
        name = component.name
        if name in self._components or name in self._unreadable_components:
            raise AlreadyExists(f"there is already an inference component {name!r}")
        endpoint = self._idle(component.endpoint_name, "given components")
        config = endpoint.recorded.blueprint.config
        if not config.hosts_components:
            raise InvalidInput(
                f"endpoint {endpoint.name!r} runs the models of its variants",
                field="EndpointName",
                hint="create an endpoint from a config whose variants have no ModelName",
            )
        if component.variant_name not in {variant.name for variant in config.variants}:
            raise InvalidInput(
                f"endpoint {endpoint.name!r} has no variant {component.variant_name!r}",
                field="VariantName",
                hint="its variants are " + ", ".join(variant.name for variant in config.variants),
            )
        if component.copies < 1:
            raise InvalidInput(
                f"CopyCount {component.copies} is less than 1",
                field="CopyCount",
                hint="create it with a copy, and update it to 0 copies then",
            )
        self.require_playable(component.model)
        wanted = groups.workers(groups.of_component(component))
        self._require_room(f"inference component {name!r}", wanted)
        recorded = RecordedComponent(
            component=component, status=ComponentStatus.CREATING, changed_at=self._clock.now()
        )
        told = self._premises.event(
            "component.creating",
            component.endpoint_name,
            f"{component.copies} copies of {component.model.name} are to run",
            actor,
            component_name=name,
        )
        self._store.put_component(recorded, told)
        copies = self._copies_of(recorded)
        self._components[name] = copies
        copies.begin()
        self._premises.changed()

    def update_component(self, component: Component, actor: str) -> None:
        """Begin to change an inference component to what is given: model, copies, patience.

        Raises ComponentNotFound, Unreadable, EndpointBusy unless it is InService, Conflict where
        it is Failed, ResourceLimitExceeded, and InvalidInput for an image without a container.
        """
        copies = self._copies(component.name)
        copies.require_idle("updated")
        self.require_playable(component.model)
        present, wanted = copies.groups(), groups.of_component(component)
        more = groups.workers(wanted)
        if copies.sleeps:
            more = 0
        elif component.model == copies.recorded.component.model:
            more = groups.workers(groups.larger(present, wanted)) - groups.workers(present)
        self._require_room(f"the update of inference component {component.name!r}", more)
        copies.update(component, actor)

    def delete_component(self, name: str, actor: str) -> None:
        """Begin to delete the inference component; one that is Deleting counts as done.

        Raises ComponentNotFound, Unreadable, and EndpointBusy while it is Creating or Updating.
        """
        self._copies(name).delete(actor)

    def _blueprint(self, config: EndpointConfig) -> Blueprint:
        """Return what the config says now, with its models as they are now."""
        wanted = dict.fromkeys(each.model_name for each in config.every if each.model_name)
        blueprint = Blueprint(config=config, models=tuple(map(self._store.model, wanted)))
        for model in blueprint.models:
            self.require_playable(model)
        return blueprint

    def _require_variants(self, components: Iterable[Copies], config: EndpointConfig) -> None:
        """Raise Conflict where the config has no place for one of the components."""
        for each in components:
            variant_name = each.recorded.component.variant_name
            hosting = {variant.name for variant in config.variants if not variant.model_name}
            if variant_name not in hosting:
                raise Conflict(
                    f"inference component {each.name!r} runs on variant {variant_name!r}, which "
                    f"endpoint config {config.name!r} does not have without a model",
                    hint="delete the component first, or use a config with that variant",
                )

    def _require_room(self, what: str, wanted: int) -> None:
        keepers = [*self._endpoints.values(), *self._components.values()]
        taken = sum(keeper.workers for keeper in keepers)
        limit = self._rules().workers
        if wanted > 0 and taken + wanted > limit:
            raise ResourceLimitExceeded(
                f"{what} needs {wanted} more workers, but {taken} of {limit} are taken",
                hint="stop an endpoint, ask for fewer instances, or raise `limits.workers` "
                "in server.yaml",
            )

    def _endpoint(self, name: str) -> Endpoint | Stranded:
        self._require_started()
        if name not in self._endpoints:
            raise EndpointNotFound(f"there is no endpoint {name!r}")
        return self._endpoints[name]

    def _idle(self, name: str, done: str) -> Endpoint:
        endpoint = self._endpoint(name)
        endpoint.require_idle(done)
        if isinstance(endpoint, Stranded):
            raise Unreadable(endpoint.why)
        return endpoint

    def _copies(self, name: str) -> Copies:
        self._require_started()
        if name in self._unreadable_components:
            raise Unreadable(
                f"inference component {name!r} cannot be read: {self._unreadable_components[name]}"
            )
        if name not in self._components:
            raise ComponentNotFound(f"there is no inference component {name!r}")
        return self._components[name]

    def _hosted(self, endpoint_name: str) -> list[Copies]:
        return [
            copies
            for _, copies in sorted(self._components.items())
            if copies.endpoint_name == endpoint_name
        ]

    def _endpoint_of(self, recorded: RecordedEndpoint) -> Endpoint:
        name = recorded.name
        return Endpoint(
            recorded,
            self._premises,
            components=lambda: self._hosted(name),
            gone=lambda: self._forget(name),
        )

    def _copies_of(self, recorded: RecordedComponent) -> Copies:
        return Copies(
            recorded,
            self._premises,
            endpoint=lambda: self._endpoints.get(recorded.component.endpoint_name),
            gone=lambda: self._forget_component(recorded.name),
        )

    def _forget(self, name: str) -> None:
        del self._endpoints[name]
        self._premises.changed()

    def _forget_component(self, name: str) -> None:
        del self._components[name]
        self._premises.changed()

    def _require_started(self) -> None:
        if not self._started:
            raise Unavailable("the host has not started yet", hint="try again in a moment")
