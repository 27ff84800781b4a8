"""The provisioner port over SageMaker.

SageMaker has no call that ends an update by hand, nor one that changes the config on the fleet that
serves: what cannot be promoted or called off says so, and a change of weights is an update.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.arns import ENDPOINT
from parkade.adapters.aws.sagemaker.descriptions import running
from parkade.adapters.aws.sagemaker.forms import configs, deployments
from parkade.adapters.aws.sagemaker.forms.members import present
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.adapters.aws.sagemaker.repeats import repeated
from parkade.adapters.aws.sagemaker.tags import listed
from parkade.domain import rollout
from parkade.domain.alarm import State
from parkade.domain.blueprint import Retained
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlarmNotFound,
    AlreadyExists,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InUse,
)
from parkade.domain.event import Event
from parkade.domain.eventbridge import CHANGE, state_change
from parkade.domain.rollout import Strategy
from parkade.ports.provisioner import Present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.aftercare import Aftercare
    from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
    from parkade.adapters.aws.sagemaker.sights import Sights
    from parkade.adapters.aws.sagemaker.tags import Tags
    from parkade.domain.catalog import EndpointConfig, Model
    from parkade.domain.event import Json
    from parkade.ports.clock import Clock
    from parkade.ports.events import History

#: What an update that keeps counts does not keep.
_CHANGED = [{"VariantPropertyType": each.value} for each in (Retained.WEIGHTS, Retained.CAPTURE)]


class SageMakerProvisioner:
    """The provisioner port. Safe to use from several threads."""

    def __init__(
        self,
        account: Account,
        *,
        sights: Sights,
        hosting: SageMakerHosting,
        tags: Tags,
        history: History,
        clock: Clock,
        aftercare: Aftercare | None = None,
    ) -> None:
        """Take what creates and deletes endpoints, so that both do it in one way.

        Without `aftercare` what is scaled changes its machines only once it is scaled no more.
        """
        self._account = account
        self._sights = sights
        self._shelf = sights.shelf
        self._hosting = hosting
        self._tags = tags
        self._history = history
        self._clock = clock
        self._aftercare = aftercare

    def look(self, endpoint_name: str) -> Present | None:
        """Return the endpoint, if there is one. Raises Unreadable where its config is gone."""
        seen = self._sights.look(endpoint_name)
        if seen is None:
            return None
        blueprint = running(self._shelf.blueprint_of(endpoint_name, seen.config_name), seen)
        return Present(observed=seen.observed, blueprint=blueprint, rollout=seen.rollout)

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._shelf.model(name)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._shelf.config(name)

    def rehearse(self, endpoint_name: str, config: EndpointConfig, strategy: Strategy) -> None:
        """Raise what bringing up the endpoint would be refused with, as far as it can be known.

        SageMaker rehearses nothing: whether there is quota and room for its instances is not known.
        """
        config.require_initial()
        wanted = self._shelf.blueprint(config)
        strategy.course([variant.instance_count for variant in config.variants])
        self._require_well(strategy)
        there = self.look(endpoint_name)
        if there is None or there.observed.status is EndpointStatus.FAILED:
            return
        _require_rest(endpoint_name, there.observed.status)
        if not strategy.plain:
            rollout.check(strategy, there.blueprint.config, wanted.config)

    def make_config(self, config: EndpointConfig, tags: Mapping[str, str], actor: str) -> None:
        """Make the endpoint config, with its tags."""
        config.require_initial()
        # SageMaker takes a config whose models go together as little as they do anywhere.
        self._shelf.blueprint(config)
        try:
            with calling(f"endpoint config {config.name!r} cannot be made", meaning):
                self._account.client("sagemaker").create_endpoint_config(
                    **configs.asked(config), Tags=listed(tags)
                )
        except AlreadyExists as error:
            if not (repeated(error) and self._is(config)):
                raise
        reason = f"endpoint config {config.name} was created"
        self._tell("config.created", actor, reason, data={"name": config.name})

    def remove_config(self, name: str, actor: str) -> None:
        """Remove the endpoint config; its tags go with it. SageMaker itself takes one in use."""
        for seen in self._sights.all().values():
            if name in {seen.config_name, seen.target_config_name}:
                raise InUse(
                    f"endpoint config {name!r} is in use by endpoint {seen.name!r}",
                    hint=f"remove the endpoint first: parkade remove {seen.name}",
                )
            if not seen.config_name:
                raise InUse(
                    f"endpoint config {name!r} may be in use by endpoint {seen.name!r}, which "
                    "cannot be described just now",
                    hint="repeat it",
                )
        try:
            with calling(f"endpoint config {name!r} cannot be removed", meaning):
                self._account.client("sagemaker").delete_endpoint_config(EndpointConfigName=name)
        except ConfigNotFound:
            return
        reason = f"endpoint config {name} was deleted"
        self._tell("config.deleted", actor, reason, data={"name": name})

    def tags(self, endpoint_name: str) -> Mapping[str, str]:
        """Return the tags of the endpoint, or those that one of its name left."""
        return self._tags.of(ENDPOINT, endpoint_name)

    def tag(self, endpoint_name: str, tags: Mapping[str, str], actor: str) -> None:
        """Give the endpoint, or the one that is about to be created, these tags and no others."""
        self._tags.put(ENDPOINT, endpoint_name, tags)
        self._tell(
            "tags.changed",
            actor,
            f"the tags of endpoint {endpoint_name} were changed",
            endpoint_name,
            {"kind": ENDPOINT, "name": endpoint_name, "tags": dict(tags)},
        )

    def create(self, endpoint_name: str, config_name: str, actor: str) -> None:
        """Begin to create the endpoint."""
        self._hosting.create(endpoint_name, config_name)
        reason = f"{actor} creates it from {config_name}"
        data: dict[str, Json] = {"config_name": config_name}
        self._tell("endpoint.creating", actor, reason, endpoint_name, data)

    def update(
        self,
        endpoint_name: str,
        config_name: str,
        actor: str,
        *,
        strategy: Strategy,
        keeps_counts: bool,
    ) -> None:
        """Begin to update the endpoint to the config."""
        there = self._at_rest(endpoint_name)
        wanted = self._shelf.blueprint(self._shelf.config(config_name))
        self._require_well(strategy)
        if self._aftercare is not None:
            self._aftercare.release(
                endpoint_name,
                there.observed.created_at,
                _moved(there.blueprint.config, wanted.config),
            )
        kept = {"ExcludeRetainedVariantProperties": _CHANGED} if keeps_counts else {}
        with calling(f"endpoint {endpoint_name!r} cannot be updated to {config_name!r}", meaning):
            self._account.client("sagemaker").update_endpoint(
                EndpointName=endpoint_name,
                EndpointConfigName=config_name,
                RetainAllVariantProperties=keeps_counts,
                **kept,
                **present(
                    DeploymentConfig=None if strategy.plain else deployments.described(strategy)
                ),
            )
        reason = f"{actor} updates it to {config_name}, {strategy}"
        change = state_change(
            status=EndpointStatus.UPDATING,
            before=there.observed.status,
            created_at=there.observed.created_at,
            changed_at=self._clock.now(),
            blueprint=there.blueprint,
            target=wanted,
            tags={},
        )
        self._tell("endpoint.updating", actor, reason, endpoint_name, {CHANGE: change})

    def reweigh(
        self, endpoint_name: str, config_name: str, actor: str, *, keeps_counts: bool
    ) -> None:
        """Begin to update the endpoint to a config of other weights and counts.

        SageMaker's call for weights leaves the endpoint under the config that it had, and so under
        the weights that it begins with when it is created again: an update is what makes the config
        what it runs from then on, at the price of a fleet that takes over.
        """
        there = self._at_rest(endpoint_name)
        wanted = self._shelf.blueprint(self._shelf.config(config_name))
        if not there.blueprint.same_fleet(wanted):
            raise Conflict(
                f"endpoint config {config_name!r} differs from {there.observed.config_name!r} in "
                "more than weights and counts",
                hint="update the endpoint to it",
            )
        self.update(
            endpoint_name, config_name, actor, strategy=Strategy(), keeps_counts=keeps_counts
        )

    def promote(self, endpoint_name: str, actor: str) -> None:  # noqa: ARG002  nobody can
        """Raise Conflict: SageMaker takes an update to its end by its own times alone."""
        self._require_update(endpoint_name)
        raise Conflict(
            f"SageMaker takes the update of {endpoint_name!r} to its end by itself; it has no call "
            "to hasten one",
            hint="wait for it; give the next one shorter waits",
        )

    def roll_back(self, endpoint_name: str, actor: str, reason: str) -> None:  # noqa: ARG002  as above
        """Raise Conflict: only an alarm of its own turns an update of SageMaker's back."""
        self._require_update(endpoint_name)
        raise Conflict(
            f"SageMaker calls off no update by hand, and {endpoint_name!r} is being updated",
            hint="it turns back by an alarm of its DeploymentConfig; else update it to its former "
            "endpoint config once it is InService",
        )

    def remove(self, endpoint_name: str, actor: str) -> None:
        """Begin to delete the endpoint."""
        self._hosting.delete(endpoint_name)
        self._tell("endpoint.deleting", actor, f"{actor} deletes it", endpoint_name)

    def _at_rest(self, endpoint_name: str) -> Present:
        """Return the endpoint. Raises EndpointNotFound, EndpointBusy, and Conflict where it failed."""
        there = self.look(endpoint_name)
        if there is None:
            raise EndpointNotFound(
                f"no endpoint has the name {endpoint_name!r}", hint="see: parkade ls"
            )
        _require_rest(endpoint_name, there.observed.status)
        return there

    def _require_update(self, endpoint_name: str) -> None:
        seen = self._sights.look(endpoint_name)
        if seen is None or not seen.target_config_name:
            raise Conflict(f"no update of endpoint {endpoint_name!r} is under way")

    def _require_well(self, strategy: Strategy) -> None:
        """Raise AlarmNotFound or Conflict for an alarm that would turn the update back at once."""
        if not strategy.alarms:
            return
        with calling("the alarms of the update cannot be looked at"):
            told = self._account.client("cloudwatch").describe_alarms(
                AlarmNames=list(strategy.alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        kinds = ("MetricAlarms", "CompositeAlarms")
        states = {
            each["AlarmName"]: each["StateValue"] for kind in kinds for each in told.get(kind, ())
        }
        for name in strategy.alarms:
            if name not in states:
                raise AlarmNotFound(f"there is no alarm {name!r}", hint="see: parkade alarm ls")
            if states[name] == State.ALARM.value:
                raise Conflict(
                    f"alarm {name!r} is in ALARM, and would turn the update back at once",
                    hint="see to it first, or leave it out",
                )

    def _is(self, config: EndpointConfig) -> bool:
        held = self._shelf.config(config.name)
        return replace(held, created_at=config.created_at) == config

    def _tell(
        self,
        kind: str,
        actor: str,
        reason: str,
        endpoint_name: str = "",
        data: Mapping[str, Json] | None = None,
    ) -> None:
        self._history.append(
            Event(
                at=self._clock.now(),
                kind=kind,
                actor=actor,
                reason=reason,
                endpoint_name=endpoint_name,
                data=data or {},
            )
        )


def _moved(before: EndpointConfig, after: EndpointConfig) -> list[str]:
    """Return the variants that go, or are to run on other machines."""
    stay = {(each.name, each.instance_type) for each in after.every}
    return [each.name for each in before.every if (each.name, each.instance_type) not in stay]


def _require_rest(endpoint_name: str, status: EndpointStatus) -> None:
    if status is EndpointStatus.FAILED:
        raise Conflict(f"endpoint {endpoint_name!r} is Failed", hint="delete it")
    if status is not EndpointStatus.IN_SERVICE:
        raise EndpointBusy(
            f"endpoint {endpoint_name!r} is {status}", hint="wait until it is InService"
        )
