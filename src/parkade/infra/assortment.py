"""Which stack has which of a project's endpoints, and the models of them.

    MultiModelStack        many models in one container serve
    FoundationModelsStack  a JumpStart model, a model package, an image that brings its model along;
                           and what answers later: asynchronous endpoints
    ModelServingStack      all others

Models go with the first endpoint that serves them, in this order of stacks; what several serve is
made by a stack that all of them can wait for, and what nobody serves by the serving stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.names import s3_prefix
from parkade.domain.project.part import Kind
from parkade.infra.naming import Title
from parkade.infra.properties.endpoints import Described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.infra.estate import Estate

#: The stacks with endpoints, in the order in which they are deployed.
STACKS = (Title.SERVING, Title.FOUNDATION_MODELS, Title.MULTI_MODEL)


def endpoints(estate: Estate, title: Title) -> tuple[Described, ...]:
    """Return the endpoints of a stack, in the order of the file."""
    return tuple(each for each in described(estate) if title_of(estate, each) is title)


def models(estate: Estate, title: Title) -> tuple[Part, ...]:
    """Return the models that a stack makes, in the order of the file."""
    owners: dict[str, Title] = {}
    for stack in STACKS:
        for endpoint in endpoints(estate, stack):
            for name in endpoint.model_names:
                owners.setdefault(name, stack)
    return tuple(
        part for part in estate.parts(Kind.MODEL) if owners.get(part.name, Title.SERVING) is title
    )


def described(estate: Estate) -> tuple[Described, ...]:
    """Return all endpoints of the project."""
    return tuple(Described(part) for part in estate.parts(Kind.ENDPOINT))


def title_of(estate: Estate, endpoint: Described) -> Title:
    """Return which stack an endpoint is of."""
    contents = {part.name: part.content for part in estate.parts(Kind.MODEL)}
    served = [contents[name] for name in endpoint.model_names if name in contents]
    if any(each.get("multi_model") for each in served):
        return Title.MULTI_MODEL
    if endpoint.asynchronous or any(_of_others(each) for each in served):
        return Title.FOUNDATION_MODELS
    return Title.SERVING


def _of_others(content: Mapping[str, Json]) -> bool:
    """Tell whether a model is not of the project's own files."""
    if content.get("jumpstart") or content.get("package"):
        return True
    return "containers" not in content and not content.get("data_url")


def own_buckets(estate: Estate) -> tuple[str, ...]:
    """Return the buckets that the project makes: those it names that begin with its prefix."""
    beginning = f"{estate.prefix.lower()}-"
    named = [each.place.bucket for each in estate.archives]
    for part in estate.parts(Kind.MODEL):
        named += [bucket for bucket in map(_bucket, _urls(part.content)) if bucket]
    for endpoint in described(estate):
        named += [bucket for bucket, _ in endpoint.written_to()]
    stored = {each.place.bucket for each in estate.archives}
    return tuple(
        name for name in dict.fromkeys(named) if name in stored or name.startswith(beginning)
    )


def guards(estate: Estate) -> dict[str, Title]:
    """Return the alarms that call updates off, each with the stack that needs it first."""
    found: dict[str, Title] = {}
    for title in STACKS:
        for endpoint in endpoints(estate, title):
            if endpoint.stands:
                for name in endpoint.wanted.order.strategy.alarms:
                    found.setdefault(name, title)
    return found


def alarms(estate: Estate, title: Title) -> tuple[Part, ...]:
    """Return the alarms that a stack makes: guards with their endpoints, others with the monitor."""
    guarding = guards(estate)
    return tuple(
        part for part in estate.parts(Kind.ALARM) if guarding.get(part.name, Title.MONITOR) is title
    )


def _urls(content: Mapping[str, Json]) -> list[str]:
    listed = content.get("containers")
    each = listed if isinstance(listed, list) else [content]
    return [str(one.get("data_url") or "") for one in each if isinstance(one, dict)]


def _bucket(url: str) -> str:
    return s3_prefix(url)[0] if url else ""
