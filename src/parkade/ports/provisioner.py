"""What the deployer makes and changes: endpoint configs, endpoints, their tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.rollout import Strategy
    from parkade.domain.stages import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """An endpoint as it is: how hosting describes it, and what it runs at its present counts."""

    observed: ObservedEndpoint
    blueprint: Blueprint
    #: How far an update in stages has come; None: there is none under way.
    rollout: Rollout | None = None


class Provisioner(Protocol):
    """Makes and changes what a deployment is of.

    What it begins returns at once; `look` tells how it goes on. Each raises Unavailable or Throttled where it may well work later.
    """

    def look(self, endpoint_name: str) -> Present | None:
        """Return the endpoint; None where there is none. Raises Unreadable."""
        ...

    def model(self, name: str) -> Model:
        """Return the model. Raises ModelNotFound."""
        ...

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config. Raises ConfigNotFound."""
        ...

    def rehearse(self, endpoint_name: str, config: EndpointConfig, strategy: Strategy) -> None:
        """Raise what bringing up the endpoint from this config would be refused with, doing nothing.

        The endpoint is created where there is none, or one that has Failed, else updated.
        """
        ...

    def make_config(self, config: EndpointConfig, tags: Mapping[str, str], actor: str) -> None:
        """Make the endpoint config, with its tags.

        Raises AlreadyExists, ModelNotFound, and InvalidInput for what cannot be run.
        """
        ...

    def remove_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config and its tags; one that is gone counts as done.

        Raises InUse while an endpoint has it, or may.
        """
        ...

    def tags(self, endpoint_name: str) -> Mapping[str, str]:
        """Return the tags of the endpoint, or those that one of its name left."""
        ...

    def tag(self, endpoint_name: str, tags: Mapping[str, str], actor: str) -> None:
        """Give the endpoint, or the one that is about to be created, these tags and no others."""
        ...

    def create(self, endpoint_name: str, config_name: str, actor: str) -> None:
        """Begin to create the endpoint; one that exists with this config is left as it is.

        Raises what `Hosting.create` raises. For an endpoint without a lease alone: one that is
        leased is created by the plan.
        """
        ...

    def update(
        self,
        endpoint_name: str,
        config_name: str,
        actor: str,
        *,
        strategy: Strategy,
        keeps_counts: bool,
    ) -> None:
        """Begin to update the endpoint to the config; `keeps_counts`: at the counts it has now.

        Raises EndpointNotFound, EndpointBusy unless it is InService, Conflict where it never will
        be or an alarm of the strategy is not well, ConfigNotFound, ModelNotFound, AlarmNotFound,
        ResourceLimitExceeded and InvalidInput.
        """
        ...

    def reweigh(
        self, endpoint_name: str, config_name: str, actor: str, *, keeps_counts: bool
    ) -> None:
        """Begin to give the endpoint the weights and counts of the config, on the fleet that serves.

        The config is what it runs from then on; no worker is started but those that counts ask
        for. Raises what `update` raises, and Conflict where the config differs in anything else.
        """
        ...

    def promote(self, endpoint_name: str, actor: str) -> None:
        """Have the update under way take all traffic now. Raises Conflict where there is none."""
        ...

    def roll_back(self, endpoint_name: str, actor: str, reason: str) -> None:
        """Call off the update under way: what served before serves on. Raises Conflict if none is."""
        ...

    def remove(self, endpoint_name: str, actor: str) -> None:
        """Begin to delete the endpoint; one that is gone or Deleting counts as done.

        Raises EndpointBusy. For an endpoint without a lease alone, as `create`.
        """
        ...
