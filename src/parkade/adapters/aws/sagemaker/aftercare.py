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
from parkade.adapters.aws.sagemaker.forms.policies import STEPS
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
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

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
            **self._scaled(
                [
                    *_ids(name, (each.name for each in seen.parts)),
                    *(f"inference-component/{each}" for each in names),
                ]
            ),
        )
        self._kept.change(name, lambda kept: found if kept is None else _joined(kept, found))
        for each in listed:
            self._delete(each)
        if listed:
            raise EndpointBusy(
                f"endpoint {name!r} goes once its inference components have gone",
                hint="wait until they are gone",
            )

    def release(
        self, endpoint_name: str, created_at: datetime, variant_names: Iterable[str]
    ) -> None:
        """Keep the scaling of variants that are about to change their machines, or to go; take it off.

        SageMaker refuses such an update for as long as they are scalable targets. They come back with
        their registration, or once nobody has done anything about it for a while.
        """
        scaled = self._scaled(_ids(endpoint_name, variant_names))
        found = Kept(
            endpoint_name=endpoint_name, since=self._clock.now(), leaving=created_at, **scaled
        )
        if found.empty:
            return
        self._kept.change(
            endpoint_name, lambda kept: found if kept is None else _joined(kept, found)
        )
        for target in found.targets:
            with calling(f"{target['ResourceId']} cannot be deregistered"):
                self._account.client(forms.SERVICE).deregister_scalable_target(
                    **{member: target[member] for member in forms.NAMING}
                )

    def abandon(self, endpoint_name: str) -> None:
        """Forget what was kept for a deletion that was refused, where nothing has gone already."""
        kept = self._kept.get(endpoint_name)
        if kept is None or kept.leaving is None or kept.components:
            return
        there = {each["ResourceId"] for each in self._targets([*map(_resource, kept.targets)])}

        def gone(now: Kept | None) -> Kept:
            now = now or kept
            left: dict[str, Any] = {
                part: [each for each in getattr(now, part) if each["ResourceId"] not in there]
                for part in ("targets", *_OF_TARGETS)
            }
            return replace(now, **left)

        self._kept.change(endpoint_name, gone)

    def restore(self, sights: Mapping[str, Sight]) -> None:
        """Make again what is kept of endpoints that serve now. What fails is tried again later."""
        waiting = self._kept.all()
        for name in sorted(waiting.keys() & sights.keys()):
            if self._is_back(sights[name], waiting[name]):
                self._restore(waiting[name], sights[name])

    def _is_back(self, seen: Sight, kept: Kept) -> bool:
        """Tell whether an endpoint serves that is not about to go.

        One that was to go is told by its creation. Where nobody has tried to delete it for a while,
        it is to stay after all.
        """
        if seen.status is not EndpointStatus.IN_SERVICE:
            return False
        return seen.created_at != kept.leaving or self._clock.now() - kept.since > _ABANDONED

    def _restore(self, kept: Kept, seen: Sight) -> None:
        name, scaling = seen.name, self._account.client(forms.SERVICE)
        gone = _gone(kept, seen)
        for part, call in (
            ("components", self._account.client(_SAGEMAKER).create_inference_component),
            ("targets", scaling.register_scalable_target),
            ("policies", partial(policy_again, scaling)),
            ("actions", scaling.put_scheduled_action),
        ):
            for form in getattr(kept, part):
                held = self._kept.get(name)
                if held is None or form not in getattr(held, part):
                    continue  # somebody has changed it meanwhile
                if part in _OF_TARGETS and any(_same(form, each) for each in held.targets):
                    continue  # its target comes first
                final = part in _OF_TARGETS or form.get("ResourceId") in gone
                if self._made(name, call, form, final=final):
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

        What is not valid for a target that is there will not be later, a time that has passed, nor
        is the target of a variant that is gone.
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

    def _scaled(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return the requests that put the scaling of these resources on again."""
        targets = self._targets(ids)
        policies: list[Mapping[str, Json]] = []
        actions: list[Mapping[str, Json]] = []
        for target in targets:
            one = {"ResourceId": target["ResourceId"]}
            policies += self._told("describe_scaling_policies", "ScalingPolicies", **one)
            actions += self._told("describe_scheduled_actions", "ScheduledActions", **one)
        return {"targets": targets, "policies": policies, "actions": actions}

    def _targets(self, ids: Sequence[str]) -> list[Mapping[str, Json]]:
        return [
            each
            for begin in range(0, len(ids), _NAMED)
            for each in self._told(
                "describe_scalable_targets",
                "ScalableTargets",
                ResourceIds=ids[begin : begin + _NAMED],
            )
        ]

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


def policy_again(client: Any, **form: Any) -> None:
    """Put a policy on again, by Application Auto Scaling's client."""
    told = client.put_scaling_policy(**form)
    if form["PolicyType"] == STEPS:
        # Alarms that lead to steps are people's own, and may be called anything.
        logger.warning(
            "the steps %s of %s have another ARN now: give it to the alarms that led to them: %s",
            form["PolicyName"],
            form["ResourceId"],
            told["PolicyARN"],
        )


def _may_host(seen: Sight) -> bool:
    """Tell whether there may be inference components: what runs is not known without its config."""
    return any(each.hosts or not (each.instance_type or each.serverless) for each in seen.parts)


def _ids(endpoint_name: str, variant_names: Iterable[str]) -> list[str]:
    return [f"endpoint/{endpoint_name}/variant/{each}" for each in variant_names]


def _gone(kept: Kept, seen: Sight) -> set[str]:
    """Return the resource ids of kept targets of variants that the endpoint does not have."""
    there = set(_ids(seen.name, (each.name for each in seen.parts)))
    (beginning,) = _ids(seen.name, [""])
    return {each for each in {*map(_resource, kept.targets)} - there if each.startswith(beginning)}


def _resource(form: Mapping[str, Json]) -> str:
    return str(form["ResourceId"])


def _same(form: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Tell whether both are about one resource."""
    return _resource(form) == _resource(other)


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
