"""How a project stands: its parts with their states, its endpoints with what they cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from parkade.apps.api import fleetviews
from parkade.apps.api.endpoints import Look
from parkade.apps.api.route import Served
from parkade.apps.api.schemas.endpoints import EndpointView
from parkade.apps.api.schemas.money import SumView
from parkade.apps.api.schemas.projects import Facts, PartView, ProjectView, StatusView
from parkade.domain.price import Sum, total
from parkade.domain.project.part import Kind

if TYPE_CHECKING:
    from parkade.domain.project.part import Part

#: Where an endpoint's content names models.
_VARIANTS = ("productionVariants", "ShadowProductionVariants")


def view(services: Served, facts: Facts) -> StatusView:
    """Tell how every part of a project stands."""
    told = services.projecting.projects.conditions(facts.record.prefix)
    endpoints = _endpoints(services, [part for part, _ in told])
    users = _users(part for part, _ in told)
    return StatusView(
        project=ProjectView.of(facts, services.clock.now()),
        parts=[
            PartView.of(
                part,
                condition,
                used_by=sorted(users[part.name]) if part.kind is Kind.MODEL else [],
                endpoint=endpoints.get(part.name) if part.kind is Kind.ENDPOINT else None,
            )
            for part, condition in told
        ],
        hourly=SumView.of(total(_hourly(each) for each in endpoints.values())),
    )


def _endpoints(services: Served, parts: Iterable["Part"]) -> dict[str, EndpointView]:
    """Return those of its endpoints that are leased, or there, each with what runs of it."""
    look = Look(services)
    known = look.names()
    return {
        part.name: look.at(part.name).model_copy(
            update={"fleets": fleetviews.look(services, part.name)}
        )
        for part in parts
        if part.kind is Kind.ENDPOINT and part.name in known
    }


def _users(parts: Iterable["Part"]) -> Mapping[str, set[str]]:
    """Return the keys of the endpoints that serve a model, by the model's name."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        if part.kind is not Kind.ENDPOINT:
            continue
        for name in _VARIANTS:
            variants = part.content.get(name)
            for variant in variants if isinstance(variants, list | tuple) else ():
                if isinstance(variant, Mapping):
                    users[str(variant.get("ModelName"))].add(part.key)
    return users


def _hourly(endpoint: EndpointView) -> Sum:
    """Return what an hour of an endpoint costs; what cannot be told is not taken for nothing."""
    if endpoint.fleets is None:
        return Sum(unpriced=frozenset({endpoint.name}))
    told = endpoint.fleets.hourly
    return Sum(usd=Decimal(told.usd), unpriced=frozenset(told.unpriced))
