"""What has to hold between the sections of a file, beside each section's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import Place, Problem
from parkade.domain.names import NAME_LIMIT, RESERVED_ROUTES, suggestion
from parkade.domain.project.project import PROJECT_TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from parkade.apps.projectfile.content import Content
    from parkade.apps.projectfile.endpoints import EndpointSetting
    from parkade.apps.projectfile.variants import VariantSetting


def problems(content: Content) -> list[Problem]:
    """Tell all that is wrong between sections."""
    return [
        *_names(content),
        *_endpoints(content),
        *_routes(content),
        *_alarms(content),
        *_subscribers(content),
        *_others(content),
    ]


def _names(content: Content) -> Iterator[Problem]:
    """Names that are too long with the prefix before them."""
    places: list[tuple[Place, str]] = [(("project",), content.prefix)]
    places += [(("endpoints", key), f"{content.prefix}-{key}") for key in content.endpoints]
    for place, name in places:
        if len(name) > NAME_LIMIT:
            yield Problem(
                place=place,
                message=f"the name {name!r} has {len(name)} characters with the project's prefix; "
                f"{NAME_LIMIT} are allowed",
                hint="give a shorter one",
            )
    for place, tags in (
        (("tags",), content.tags),
        *((("endpoints", key, "tags"), each.tags) for key, each in content.endpoints.items()),
    ):
        if PROJECT_TAG in tags:
            yield Problem(
                place=(*place, PROJECT_TAG),
                message=f"the tag {PROJECT_TAG} is the project's own",
                hint="leave it out; it is set by itself",
            )


def _endpoints(content: Content) -> Iterator[Problem]:
    for key, endpoint in content.endpoints.items():
        seen: set[str] = set()
        for place, variant in _variants(("endpoints", key), endpoint):
            yield from _variant(content, key, endpoint, place, variant)
            if variant.name in seen:
                yield Problem(
                    place=(*place, "name"),
                    message=f"endpoint {key!r} has two variants named {variant.name!r}",
                    hint="give each variant a name of its own",
                )
            seen.add(variant.name)


def _variant(
    content: Content, key: str, endpoint: EndpointSetting, place: Place, variant: VariantSetting
) -> Iterator[Problem]:
    model = content.models.get(variant.model)
    if model is None:
        yield _missing((*place, "model"), "model", variant.model, content.models)
    elif model.multi_model and (endpoint.shadows or endpoint.asynchronous):
        what = "shadows" if endpoint.shadows else "async"
        yield Problem(
            place=(*place, "model"),
            message=f"endpoint {key!r} has {what}, which does not go with a multi-model one",
            hint=f"leave out {what}, or serve a single model",
        )
    scaling = variant.scaling
    if scaling is not None and scaling.least < 1 and endpoint.asynchronous is None:
        yield Problem(
            place=(*place, "scaling", "least"),
            message="least 0 is for asynchronous endpoints alone",
            hint="give 1 or more; sleep: takes all workers away from others",
        )


def _variants(place: Place, endpoint: EndpointSetting) -> Iterator[tuple[Place, VariantSetting]]:
    for name in ("variants", "shadows"):
        for number, variant in enumerate(getattr(endpoint, name)):
            yield (*place, name, number), variant


def _routes(content: Content) -> Iterator[Problem]:
    for path, route in content.routes.items():
        if path[1:] in RESERVED_ROUTES:
            yield Problem(
                place=("routes", path),
                message=f"route {path!r} is reserved for Parkade itself",
                hint="reserved are " + ", ".join("/" + name for name in sorted(RESERVED_ROUTES)),
            )
        if route.endpoint not in content.endpoints:
            place = ("routes", path, "endpoint")
            yield _missing(place, "endpoint", route.endpoint, content.endpoints)


def _alarms(content: Content) -> Iterator[Problem]:
    for key, alarm in content.monitor.alarms.items():
        place = ("monitor", "alarms", key)
        if alarm.route is not None and alarm.route not in content.routes:
            yield _missing((*place, "route"), "route", alarm.route, content.routes)
        if alarm.endpoint is None:
            continue
        endpoint = content.endpoints.get(alarm.endpoint)
        if endpoint is None:
            yield _missing((*place, "endpoint"), "endpoint", alarm.endpoint, content.endpoints)
        elif alarm.variant is not None:
            variants = [each.name for _, each in _variants((), endpoint)]
            if alarm.variant not in variants:
                yield _missing((*place, "variant"), "variant", alarm.variant, variants)


def _subscribers(content: Content) -> Iterator[Problem]:
    names = set()
    for number, each in enumerate(content.monitor.subscribers):
        place = ("monitor", "subscribers", number)
        name = each if isinstance(each, str) else each.name
        if name in names:
            yield Problem(
                place=place,
                message=f"subscriber {name!r} is there twice",
                hint="give each subscriber once",
            )
        names.add(name)
        for index, key in enumerate(() if isinstance(each, str) else each.endpoints):
            if key not in content.endpoints:
                yield _missing((*place, "endpoints", index), "endpoint", key, content.endpoints)


def _others(content: Content) -> Iterator[Problem]:
    tester = content.tester
    if tester is not None:
        if tester.route is not None and tester.route not in content.routes:
            yield _missing(("tester", "route"), "route", tester.route, content.routes)
        if tester.endpoint is not None and tester.endpoint not in content.endpoints:
            place = ("tester", "endpoint")
            yield _missing(place, "endpoint", tester.endpoint, content.endpoints)
    for number, key in enumerate(content.pipeline.test or ()):
        if key not in content.models:
            yield _missing(("pipeline", "test", number), "model", key, content.models)


def _missing(place: Place, noun: str, key: str, known: Collection[str]) -> Problem:
    there = "there are " + ", ".join(sorted(known)) if known else f"the file has no {noun}s"
    return Problem(
        place=place,
        message=f"the file has no {noun} {key!r}",
        hint=suggestion(key, known) or there,
    )
