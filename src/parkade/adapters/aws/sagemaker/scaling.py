"""The scaling book over Application Auto Scaling.

Deleting an endpoint takes its targets with it, so that what is registered for one that is not there
is kept, and registered when it serves (see `aftercare`).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.aftercare import policy_again
from parkade.adapters.aws.sagemaker.forms import targets as forms
from parkade.adapters.aws.sagemaker.kept import Kept
from parkade.domain.errors import (
    EndpointNotFound,
    InvalidInput,
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
)
from parkade.domain.event import Event
from parkade.domain.scaling.policy import Policy, key_of
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.kept import KeptStore
    from parkade.adapters.aws.sagemaker.sights import Sights
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Json
    from parkade.domain.scaling.policy import Tracking
    from parkade.domain.scaling.steps import Steps
    from parkade.domain.scaling.target import Resource, ScalableTarget, Suspending
    from parkade.ports.clock import Clock
    from parkade.ports.events import History

logger = logging.getLogger(__name__)

_MISSING = "ObjectNotFoundException"
_ADVICE = "register it as a scalable target first"


class SageMakerScaling:
    """The scaling book. Safe to use from several threads."""

    def __init__(
        self,
        account: Account,
        *,
        sights: Sights,
        kept: KeptStore,
        history: History,
        clock: Clock,
    ) -> None:
        """`kept` has what is registered for endpoints that are not there."""
        self._account = account
        self._sights = sights
        self._kept = kept
        self._history = history
        self._clock = clock

    def targets(self) -> Listing[ScalableTarget]:
        """Return all scalable targets; their tags are told of each alone."""
        told = self._told("describe_scalable_targets", "ScalableTargets")
        waiting = ((each, kept.since) for kept in self._waiting() for each in kept.targets)
        return _listing(
            [*((each, self._clock.now()) for each in told), *waiting],
            forms.target,
            lambda given: str(given["ResourceId"]),
        )

    def target(self, resource: Resource) -> ScalableTarget:
        """Return a scalable target, with its tags."""
        told = self._find(resource)
        if told is None:
            waiting = self._waiting_target(resource)
            if waiting is None:
                raise ScalableTargetNotFound(f"{resource.id} is not registered", hint=_ADVICE)
            return waiting
        found = forms.target(told, self._clock.now())
        arn = told.get("ScalableTargetARN")
        if not arn:
            return found
        with calling(f"the tags of {resource} cannot be listed"):
            tags = self._client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        return replace(found, tags=dict(sorted(tags.items())))

    def register(
        self,
        resource: Resource,
        actor: str,
        *,
        least: int | None = None,
        most: int | None = None,
        suspended: Suspending | None = None,
        role_arn: str | None = None,
        tags: Mapping[str, str] | None = None,
        ahead: bool = False,
    ) -> ScalableTarget:
        """Register a target, or change what is given of one; tags are added to those it has."""
        former = self._find(resource)
        given = {
            name: value
            for name, value in (("MinCapacity", least), ("MaxCapacity", most))
            if value is not None
        }
        form = {**forms.named(resource), **given, **forms.suspending(suspended)}
        if role_arn:
            form["RoleARN"] = role_arn
        if former is None and self._absent(resource):
            return self._register_ahead(resource, form, ahead=ahead)
        if former is None and tags:
            form["Tags"] = dict(tags)
        with calling(f"{resource} cannot be registered", _invalid):
            self._client.register_scalable_target(**form)
        self._give_back(resource)
        if former is not None and tags and former.get("ScalableTargetARN"):
            with calling(f"the tags of {resource} cannot be changed"):
                self._client.tag_resource(ResourceARN=former["ScalableTargetARN"], Tags=dict(tags))
        self._tell("scaling.registered", resource, f"{resource} is scaled", actor)
        return self.target(resource)

    def deregister(self, resource: Resource, actor: str) -> None:
        """Deregister a target, with its policies, their alarms and its scheduled actions."""
        waiting = self._waiting_target(resource) is not None
        self._change(resource, lambda kept: _without(kept, resource))
        try:
            with calling(f"{resource} cannot be deregistered", _missing_target):
                self._client.deregister_scalable_target(**forms.named(resource))
        except ScalableTargetNotFound:
            if not waiting:
                raise
        self._tell("scaling.deregistered", resource, f"{resource} is no longer scaled", actor)

    def policies(self, resource: Resource | None = None) -> Listing[Policy]:
        """Return all policies, or those of one target."""
        asked = forms.named(resource) if resource is not None else {}
        told = self._told("describe_scaling_policies", "ScalingPolicies", **asked)
        waiting = (
            (each, kept.since)
            for kept in self._waiting()
            for each in kept.policies
            if resource is None or each["ResourceId"] == resource.id
        )
        return _listing(
            [*((each, self._clock.now()) for each in told), *waiting],
            forms.policy,
            lambda given: f"{given['ResourceId']}:{given['PolicyName']}",
        )

    def put_policy(
        self,
        resource: Resource,
        name: str,
        actor: str,
        *,
        tracking: Tracking | None = None,
        steps: Steps | None = None,
    ) -> Policy:
        """Store a policy over the one of its name; Application Auto Scaling makes its alarms."""
        now = self._clock.now()
        # What is no policy for this resource is told before it is sent.
        policy = Policy(
            name=name, resource=resource, created_at=now, id=name, tracking=tracking, steps=steps
        )
        form = forms.asked_policy(resource, name, tracking, steps)
        try:
            with calling(f"the policy {name!r} of {resource} cannot be put", _missing_target):
                self._client.put_scaling_policy(**form)
        except ScalableTargetNotFound:
            if self._waiting_target(resource) is None:
                raise
            self._change(resource, lambda kept: _with_policy(kept, form))
        else:
            self._change(resource, lambda kept: _without_policy(kept, resource, name))
        self._tell(
            "scaling.policy_put", resource, f"scaling policy {name} of {resource} was put", actor
        )
        listing = self.policies(resource)
        return next((each for each in listing.records if each.name == name), policy)

    def delete_policy(self, resource: Resource, name: str, actor: str) -> None:
        """Delete a policy and its alarms."""
        waiting = any(each.name == name for each in self._policies_waiting(resource))
        self._change(resource, lambda kept: _without_policy(kept, resource, name))
        try:
            with calling(f"the policy {name!r} of {resource} cannot be deleted", _missing_policy):
                self._client.delete_scaling_policy(**forms.named(resource), PolicyName=name)
        except ScalingPolicyNotFound:
            if not waiting:
                raise
        reason = f"scaling policy {name} of {resource} was deleted"
        self._tell("scaling.policy_deleted", resource, reason, actor)

    @property
    def _client(self) -> Any:
        return self._account.client(forms.SERVICE)

    def _told(self, operation: str, member: str, **asked: Any) -> list[Mapping[str, Any]]:
        asked = {"ServiceNamespace": forms.NAMESPACE, **asked}
        with calling("what is scaled cannot be listed"):
            pages = self._account.pages(forms.SERVICE, operation, **asked)
            return [each for page in pages for each in page[member]]

    def _find(self, resource: Resource) -> Mapping[str, Any] | None:
        told = self._told(
            "describe_scalable_targets",
            "ScalableTargets",
            ResourceIds=[resource.id],
            ScalableDimension=resource.dimension.value,
        )
        return told[0] if told else None

    def _absent(self, resource: Resource) -> bool:
        return not resource.component and self._sights.look(resource.name) is None

    def _register_ahead(
        self, resource: Resource, form: Mapping[str, Any], *, ahead: bool
    ) -> ScalableTarget:
        """Keep a registration until its endpoint serves. Raises EndpointNotFound unless it may."""
        if not ahead and self._waiting_target(resource) is None:
            raise EndpointNotFound(
                f"no endpoint has the name {resource.name!r}", hint="see: parkade ls"
            )
        now = self._clock.now()

        def joined(kept: Kept | None) -> Kept:
            kept = kept or Kept(endpoint_name=resource.name, since=now)
            former = next((each for each in kept.targets if _of(each, resource)), {})
            others = [each for each in kept.targets if not _of(each, resource)]
            wanted = _bounded({**former, **form}, resource)
            forms.target(wanted, now)  # what is no target is told before it is kept
            return replace(kept, targets=[*others, wanted])

        self._kept.change(resource.name, joined)
        return self.target(resource)

    def _waiting(self) -> Iterable[Kept]:
        return self._kept.all().values()

    def _waiting_target(self, resource: Resource) -> ScalableTarget | None:
        kept = self._kept.get(resource.name)
        if kept is None:
            return None
        told = next((each for each in kept.targets if _of(each, resource)), None)
        return forms.target(told, kept.since) if told is not None else None

    def _policies_waiting(self, resource: Resource) -> list[Policy]:
        kept = self._kept.get(resource.name)
        if kept is None:
            return []
        return [forms.policy(each, kept.since) for each in kept.policies if _of(each, resource)]

    def _give_back(self, resource: Resource) -> None:
        """Put on what was kept beside a target that is registered now, which replaces the one kept."""
        kept = self._kept.get(resource.name)
        if kept is None:
            return
        # Once it is there nothing that is kept comes before it, whoever puts it on.
        self._change(resource, lambda kept: _without_target(kept, resource))
        for forms_kept, call in (
            (kept.policies, partial(policy_again, self._client)),
            (kept.actions, self._client.put_scheduled_action),
        ):
            for form in forms_kept:
                if not _of(form, resource):
                    continue
                try:
                    with calling(f"something of {resource} cannot be put on again", _invalid):
                        call(**form)
                except InvalidInput as error:
                    logger.warning("%s goes without all that it had: %s", resource, error.message)
        self._change(resource, lambda kept: _without(kept, resource))

    def _change(self, resource: Resource, decide: Callable[[Kept], Kept]) -> None:
        """Change what is kept with what a resource is of, if anything is."""
        name = resource.name
        if self._kept.get(name) is not None:
            nothing = Kept(endpoint_name=name, since=self._clock.now())
            self._kept.change(name, lambda kept: decide(kept or nothing))

    def _tell(self, kind: str, resource: Resource, reason: str, actor: str) -> None:
        data: dict[str, Json] = {"resource": resource.id}
        named = "" if resource.component else resource.name
        at = self._clock.now()
        self._history.append(
            Event(at=at, kind=kind, actor=actor, reason=reason, endpoint_name=named, data=data)
        )


def _listing(
    told: Iterable[tuple[Mapping[str, Any], Any]],
    read: Callable[[Mapping[str, Any], Any], Any],
    key: Callable[[Mapping[str, Any]], str],
) -> Listing[Any]:
    """Return what is understood, in the order of keys, and apart why other things are not."""
    records: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for given, since in told:
        try:
            records.setdefault(key(given), read(given, since))
        except (InvalidInput, KeyError, TypeError, ValueError) as error:
            why = error.message if isinstance(error, InvalidInput) else repr(error)
            unreadable[key(given)] = f"it has a form that is not known here: {why}"
    return Listing(
        tuple(records[each] for each in sorted(records)), dict(sorted(unreadable.items()))
    )


def _of(given: Mapping[str, Any], resource: Resource) -> bool:
    return bool(given["ResourceId"] == resource.id)


def _bounded(form: Mapping[str, Any], resource: Resource) -> Mapping[str, Any]:
    """Return the request of a target. Raises InvalidInput where it lacks a bound."""
    for name in ("MinCapacity", "MaxCapacity"):
        if name not in form:
            raise InvalidInput(
                f"{name} is missing, and {resource.id} is not registered yet",
                field=name,
                hint="give MinCapacity and MaxCapacity",
            )
    return form


def _without_target(kept: Kept, resource: Resource) -> Kept:
    return replace(kept, targets=[each for each in kept.targets if not _of(each, resource)])


def _without(kept: Kept, resource: Resource) -> Kept:
    def others(given: Iterable[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
        return [each for each in given if not _of(each, resource)]

    return replace(
        kept,
        targets=others(kept.targets),
        policies=others(kept.policies),
        actions=others(kept.actions),
    )


def _with_policy(kept: Kept, form: Mapping[str, Any]) -> Kept:
    others = [each for each in kept.policies if _key(each) != _key(form)]
    return replace(kept, policies=[*others, form])


def _without_policy(kept: Kept, resource: Resource, name: str) -> Kept:
    gone = key_of(resource, name)
    return replace(kept, policies=[each for each in kept.policies if _key(each) != gone])


def _key(given: Mapping[str, Any]) -> str:
    return f"{given['ResourceId']}:{given['PolicyName']}"


def _missing_target(code: str, text: str) -> ParkadeError | None:
    return ScalableTargetNotFound(text, hint=_ADVICE) if code == _MISSING else _invalid(code, text)


def _missing_policy(code: str, text: str) -> ParkadeError | None:
    return ScalingPolicyNotFound(text) if code == _MISSING else None


def _invalid(code: str, text: str) -> ParkadeError | None:
    if code != "ValidationException":
        return None
    return InvalidInput(f"Application Auto Scaling refuses this: {text}", field="request")
