"""Checks of scaling: what is scaled and gone, what stays suspended, what cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.audit.finding import Finding, Kind, Mending
from parkade.domain.scaling.target import Suspended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.audit.survey import Survey
    from parkade.domain.scaling.target import Resource

_EXISTENCE = ("endpoints", "leases", "booked", "remains")


def orphaned(survey: Survey) -> Iterator[Finding]:
    """Find scalable targets whose endpoint, variant or component is gone."""
    if not survey.known(*_EXISTENCE, "blueprints", "components"):
        return
    for resource_id, target in survey.scaled.items():
        gone = _gone(survey, target.resource)
        if not gone:
            continue
        restorable = not target.resource.component and target.resource.name in survey.remains
        yield Finding(
            kind=Kind.ORPHANED_SCALING,
            name=resource_id,
            text=f"{resource_id} is scaled between {target.least} and {target.most}, and {gone} is "
            "gone",
            hint="parkade undo could bring it back; to scale it no more, use "
            "DeregisterScalableTarget"
            if restorable
            else "parkade audit --fix deregisters it, with its policies and scheduled actions",
            mending=Mending.BY_HAND if restorable else Mending.FIX,
            mends="" if restorable else "deregister it",
            since=target.created_at,
        )


def _gone(survey: Survey, resource: Resource) -> str:
    """Name what is gone of a resource; empty where it is there, or not known."""
    if resource.component:
        there = resource.name in survey.components
        return "" if there else f"inference component {resource.name}"
    if not survey.exists(resource.name):
        return f"endpoint {resource.name}"
    variants = survey.variants(resource.name)
    if variants is None or resource.variant_name in variants:
        return ""
    return f"variant {resource.variant_name} of {resource.name}"


def suspended(survey: Survey) -> Iterator[Finding]:
    """Find scaling that a deployment has suspended which came to no good end."""
    if not survey.known("deployments"):
        return
    for resource_id, target in survey.scaled.items():
        deployment = survey.suspended_by.get(resource_id)
        if deployment and target.suspended == Suspended(
            scale_in=True, scale_out=True, scheduled=True
        ):
            yield Finding(
                kind=Kind.SUSPENDED_SCALING,
                name=resource_id,
                text=f"{resource_id} is not scaled: all of it is suspended, as by deployment "
                f"{deployment}, which is over",
                hint=f"parkade scale resume {target.resource.name}, or suspend a part of it alone",
            )


def policies_without_alarm(survey: Survey) -> Iterator[Finding]:
    """Find policies of steps that no alarm names, so that they never do anything."""
    if not survey.known("alarms", "policies"):
        return
    named = frozenset[str]().union(*survey.leading.values())
    for key, policy in survey.policies.items():
        if policy.steps is not None and key not in named:
            yield Finding(
                kind=Kind.UNHEARD_POLICY,
                name=key,
                text=f"step scaling policy {policy.name} of {policy.resource.id} does nothing: no "
                "alarm has its ARN among its actions",
                hint="put_metric_alarm with AlarmActions that name the PolicyARN, or "
                "delete_scaling_policy",
                since=policy.created_at,
            )


def alarms_without_policy(survey: Survey) -> Iterator[Finding]:
    """Find alarms that are to lead to a scaling policy which is gone."""
    if not survey.known("alarms", "policies"):
        return
    for name, keys in survey.leading.items():
        gone = sorted(keys - survey.policies.keys())
        if not gone:
            continue
        own = name in survey.own_alarms
        yield Finding(
            kind=Kind.ALARM_WITHOUT_POLICY,
            name=name,
            text=f"alarm {name} is to lead to scaling policy {', '.join(gone)}, which is gone",
            hint="parkade audit --fix removes it"
            if own
            else "put the policy again, or change the alarm's actions; DeleteAlarms removes it",
            mending=Mending.FIX if own else Mending.BY_HAND,
            mends="remove it" if own else "",
        )
