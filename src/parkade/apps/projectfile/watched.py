"""What of a project's file is watched by its dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile.alarmlayout import alarm_names
from parkade.domain.dashboard.subject import Subject, Watched

if TYPE_CHECKING:
    from parkade.apps.projectfile.content import Content
    from parkade.apps.projectfile.endpoints import EndpointSetting


def subject_of(content: Content) -> Subject:
    """Return what a dashboard of the project shows; no secret is needed for it."""
    tester, budget = content.tester, content.limits.budget
    return Subject(
        prefix=content.prefix,
        project=content.project,
        stage=content.stage or "",
        routes=tuple(content.routes),
        endpoints=tuple(_endpoint(content, key, each) for key, each in content.endpoints.items()),
        alarms=tuple(alarm_names(content).values()),
        tested="" if tester is None else "Route" if tester.route is not None else "Endpoint",
        owners=() if budget is None else (budget.owner or content.prefix,),
    )


def _endpoint(content: Content, key: str, endpoint: EndpointSetting) -> Watched:
    variants = [*endpoint.variants, *endpoint.shadows]
    many = {name for name, model in content.models.items() if model.multi_model}
    return Watched(
        name=f"{content.prefix}-{key}",
        variants=tuple(each.name for each in variants),
        asynchronous=endpoint.asynchronous is not None,
        multi_model=tuple(each.name for each in variants if each.model in many),
    )
