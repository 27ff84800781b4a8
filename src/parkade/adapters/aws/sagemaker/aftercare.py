"""Keeps what SageMaker forgets with an endpoint, and makes it again once one of its name serves.

Before an endpoint is deleted its scalable targets, policies and scheduled actions are read, and its
inference components, which go first: SageMaker deletes no endpoint that has any. Each request that
was made again is taken off what is kept, so that a crash in between repeats at most one, which
changes nothing: all of them set what they name.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.forms import targets as forms
from parkade.adapters.aws.sagemaker.forms.components import SPECIFICATION, asked
from parkade.adapters.aws.sagemaker.forms.texts import texts
from parkade.adapters.aws.sagemaker.kept import Kept
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    EndpointBusy,
    InvalidInput,
    ParkadeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.kept import KeptStore
    from parkade.adapters.aws.sagemaker.sight import Sight
    from parkade.domain.event import Json
    from parkade.ports.clock import Clock

logger = logging.getLogger(__name__)

_SAGEMAKER = "sagemaker"
#: The status of a component that goes already.
_GOES = "Deleting"
#: A stop is tried again every minute.
_ABANDONED = timedelta(minutes=5)
#: What belongs to a target.
_OF_TARGETS = frozenset({"policies", "actions"})
#: So many targets can be named in one call.
_NAMED = 50
#: What a description has beside what makes it again. The role of a target is Application Auto
#: Scaling's own, which it takes by itself: naming it would ask for the right to pass it.
_TOLD = frozenset({
    "PolicyARN", "Alarms", "CreationTime", "ScheduledActionARN", "ScalableTargetARN",
    "PredictedCapacity", "RoleARN",
})  # fmt: skip


class Aftercare:
    """Keeps and restores; safe to repeat."""

    def __init__(self, account: Account, kept: KeptStore, clock: Clock) -> None:
        self._account = account
        self._kept = kept
        self._clock = clock

    def keep(self, seen: Sight) -> None:
        """Keep what goes with an endpoint. Raises EndpointBusy while components of it go."""
        name = seen.name
        listed = self._listed(name) if _may_host(seen) else []
        names = [each["InferenceComponentName"] for each in listed]
        components = [form for each in names if (form := self._component(each)) is not None]
        found = Kept(
            endpoint_name=name,
            since=self._clock.now(),
            leaving=seen.created_at,
            components=components,
            **self._scaled(seen, names),
        )
        self._kept.change(name, lambda kept: found if kept is None else _joined(kept, found))
        for each in listed:
            self._delete(each)
        if listed:
            raise EndpointBusy(
                f"endpoint {name!r} goes once its inference components have gone",
                hint="wait until they are gone",
            )

    def abandon(self, endpoint_name: str) -> None:
        """Forget what was kept for a deletion that was refused, unless something has gone already."""
        nothing = Kept(endpoint_name=endpoint_name, since=self._clock.now())

        def left(kept: Kept | None) -> Kept:
            if kept is None or kept.leaving is None or kept.components:
                return kept or nothing
            return nothing

        self._kept.change(endpoint_name, left)

    def restore(self, sights: Mapping[str, Sight]) -> None:
        """Make again what is kept of endpoints that serve now. What fails is tried again later."""
        waiting = self._kept.all()
        for name in sorted(waiting.keys() & sights.keys()):
            if self._is_back(sights[name], waiting[name]):
                self._restore(waiting[name])

    def _is_back(self, seen: Sight, kept: Kept) -> bool:
        """Tell whether an endpoint serves that is not about to go.

        One that was to go is told by its creation. Where nobody has tried to delete it for a while,
        it is to stay after all.
        """
        if seen.status is not EndpointStatus.IN_SERVICE:
            return False
        return seen.created_at != kept.leaving or self._clock.now() - kept.since > _ABANDONED

    def _restore(self, kept: Kept) -> None:
        name, scaling = kept.endpoint_name, self._account.client(forms.SERVICE)
        for part, call in (
            ("components", self._account.client(_SAGEMAKER).create_inference_component),
            ("targets", scaling.register_scalable_target),
            ("policies", scaling.put_scaling_policy),
            ("actions", scaling.put_scheduled_action),
        ):
            for form in getattr(kept, part):
                held = self._kept.get(name)
                if held is None or form not in getattr(held, part):
                    continue  # somebody has changed it meanwhile
                if part in _OF_TARGETS and any(_same(form, each) for each in held.targets):
                    continue  # its target comes first
                if self._made(name, call, form, final=part in _OF_TARGETS):
                    self._kept.change(name, partial(self._without, name, part, form))

    def _without(self, name: str, part: str, form: Mapping[str, Json], kept: Kept | None) -> Kept:
        """Return what is kept beside one request."""
        if kept is None:
            return Kept(endpoint_name=name, since=self._clock.now())
        others: dict[str, Any] = {part: [each for each in getattr(kept, part) if each != form]}
        return replace(kept, **others)

    def _made(
        self, name: str, call: Callable[..., Any], form: Mapping[str, Json], *, final: bool
    ) -> bool:
        """Make something again; return whether there is no more to be done about it.

        What is not valid for a target that is there will not be later: a time that has passed.
        """
        try:
            with calling(f"something of {name!r} cannot be made again", meaning):
                call(**form)
        except AlreadyExists:
            return True
        except InvalidInput as error:
            done = "and goes without it" if final else "and is tried again"
            logger.warning("%s serves without all that it had, %s: %s", name, done, error.message)
            return final
        except ParkadeError as error:
            logger.warning("%s serves without all that it had: %s", name, error.message)
            return False
        return True

    def _scaled(self, seen: Sight, components: Sequence[str]) -> dict[str, Any]:
        """Return the requests that put the scaling of an endpoint on again."""
        ids = [f"endpoint/{seen.name}/variant/{part.name}" for part in seen.parts]
        ids += [f"inference-component/{name}" for name in components]
        targets: list[Mapping[str, Json]] = []
        for begin in range(0, len(ids), _NAMED):
            targets += self._told(
                "describe_scalable_targets",
                "ScalableTargets",
                ResourceIds=ids[begin : begin + _NAMED],
            )
        policies: list[Mapping[str, Json]] = []
        actions: list[Mapping[str, Json]] = []
        for target in targets:
            one = {"ResourceId": target["ResourceId"]}
            policies += self._told("describe_scaling_policies", "ScalingPolicies", **one)
            actions += self._told("describe_scheduled_actions", "ScheduledActions", **one)
        return {"targets": targets, "policies": policies, "actions": actions}

    def _told(self, operation: str, member: str, **named: Any) -> list[Mapping[str, Json]]:
        with calling("what is scaled cannot be listed"):
            pages = self._account.pages(
                forms.SERVICE, operation, ServiceNamespace=forms.NAMESPACE, **named
            )
            return [
                texts({name: value for name, value in each.items() if name not in _TOLD})
                for page in pages
                for each in page[member]
            ]

    def _listed(self, endpoint_name: str) -> list[Mapping[str, Any]]:
        """Return the summaries of the inference components of an endpoint."""
        with calling(f"the inference components of {endpoint_name!r} cannot be listed"):
            pages = self._account.pages(
                _SAGEMAKER, "list_inference_components", EndpointNameEquals=endpoint_name
            )
            return [each for page in pages for each in page["InferenceComponents"]]

    def _component(self, name: str) -> Mapping[str, Json] | None:
        """Return the request that makes a component again; None: it is gone, or goes."""
        try:
            with calling(f"inference component {name!r} cannot be described", meaning):
                told = self._account.client(_SAGEMAKER).describe_inference_component(
                    InferenceComponentName=name
                )
        except ComponentNotFound:
            return None
        form: Mapping[str, Json] = texts(_asked(told))
        return None if told["InferenceComponentStatus"] == _GOES else form

    def _delete(self, listed: Mapping[str, Any]) -> None:
        name = listed["InferenceComponentName"]
        if listed.get("InferenceComponentStatus") == _GOES:
            return
        try:
            with calling(f"inference component {name!r} cannot be deleted", meaning):
                self._account.client(_SAGEMAKER).delete_inference_component(
                    InferenceComponentName=name
                )
        except (ComponentNotFound, InvalidInput, EndpointBusy) as error:
            # It is on its way somewhere: the next attempt finds it elsewhere, or gone.
            logger.info("%s is not deleted yet: %s", name, error.message)


def _may_host(seen: Sight) -> bool:
    """Tell whether there may be inference components: what runs is not known without its config."""
    return any(each.hosts or not (each.instance_type or each.serverless) for each in seen.parts)


def _same(form: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Tell whether both are about one resource."""
    return form["ResourceId"] == other["ResourceId"]


def _asked(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that makes a component again, with the copies that it was to have."""
    copies = told.get("RuntimeConfig", {}).get("DesiredCopyCount", 1)
    return {
        "InferenceComponentName": told["InferenceComponentName"],
        "EndpointName": told["EndpointName"],
        "VariantName": told["VariantName"],
        SPECIFICATION: asked(told[SPECIFICATION]),
        # SageMaker makes none without a copy; scaling takes it to none again.
        "RuntimeConfig": {"CopyCount": max(1, copies)},
    }


def _joined(before: Kept, found: Kept) -> Kept:
    """Return what was found, and of what was kept before that which is not found any more."""

    def joined(part: str, *keys: str) -> list[Mapping[str, Json]]:
        new: Sequence[Mapping[str, Json]] = getattr(found, part)
        old: Sequence[Mapping[str, Json]] = getattr(before, part)
        known = {tuple(each[key] for key in keys) for each in new}
        return [*new, *(each for each in old if tuple(each[key] for key in keys) not in known)]

    return Kept(
        endpoint_name=found.endpoint_name,
        since=found.since,
        leaving=found.leaving,
        components=joined("components", "InferenceComponentName"),
        targets=joined("targets", "ResourceId"),
        policies=joined("policies", "ResourceId", "PolicyName"),
        actions=joined("actions", "ResourceId", "ScheduledActionName"),
    )
