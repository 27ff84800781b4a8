"""What a tester's content says: JSON, as projects and the API have it.

{"endpoint_name": "text"}                      or  {"route": "/text"}
"variant": "Model-A"                           of an endpoint; else by weight
"cases": [{"id", "input", "expected"}, ...]    or  "s3://bucket/key" of a file of them
"clients": 5, "interval_seconds": 1, "duration_seconds": 60, "timeout_seconds": 120
"schedule": "rate(5 minutes)", "timezone": "Europe/Berlin"
"project": "TextClassification", "stage": "Demo"
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain import cases, names
from parkade.domain.errors import InvalidInput
from parkade.domain.tester.course import Course
from parkade.domain.tester.measures import NO_PROJECT, NO_STAGE, Labels
from parkade.domain.timing import require_schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json

_COURSE = {
    "interval_seconds": "interval",
    "duration_seconds": "duration",
    "timeout_seconds": "timeout",
}
#: Every member, with what it is where it is left out.
_MEMBERS: Mapping[str, Json] = {
    "endpoint_name": None,
    "route": None,
    "variant": None,
    "cases": None,
    "clients": Course().clients,
    **{member: getattr(Course(), name) for member, name in _COURSE.items()},
    "schedule": None,
    "timezone": None,
    "project": None,
    "stage": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a tester asks, and when."""

    #: One of the two.
    endpoint_name: str
    route: str
    #: Of the endpoint; empty: by weight.
    variant: str
    #: The text of its cases, or the s3:// address of a file of them.
    cases: str
    cases_url: str
    course: Course
    #: Empty: it runs when it is asked to.
    schedule: str
    zone: str
    labels: Labels

    @property
    def path(self) -> str:
        """Where it asks, at the gateway."""
        return self.route or f"/endpoints/{self.endpoint_name}/invocations"


def settled(content: Mapping[str, Json]) -> dict[str, Json]:
    """Return the content with every member, those that were left out among them."""
    return {**_MEMBERS, **content}


def read(content: Mapping[str, Any]) -> Order:
    """Return what the content says. Raises InvalidInput that names the member."""
    for name in content:
        if name not in _MEMBERS:
            raise InvalidInput(
                f"unknown member {name[:80]!r} of a tester",
                field=name[:80],
                hint=names.suggestion(name, _MEMBERS) or "known are " + ", ".join(_MEMBERS),
            )
    given = settled(content)
    endpoint, route = given["endpoint_name"], given["route"]
    if (endpoint is None) == (route is None):
        raise InvalidInput(
            "a tester asks either an endpoint or a route",
            field="endpoint_name",
            hint="give one of endpoint_name and route",
        )
    if given["variant"] is not None and endpoint is None:
        raise InvalidInput(
            "a variant is one of an endpoint; a route chooses by weight",
            field="variant",
            hint="give endpoint_name, or leave variant out",
        )
    found, url = _cases(given["cases"])
    schedule, zone = _text(given, "schedule"), _text(given, "timezone")
    if schedule or zone:
        _require_schedule(schedule, zone)
    clients = given["clients"]
    if not isinstance(clients, int) or isinstance(clients, bool):
        raise InvalidInput(f"clients {clients!r} is no whole number", field="clients")
    return Order(
        endpoint_name=""
        if endpoint is None
        else names.endpoint_name(endpoint, field="endpoint_name"),
        route="" if route is None else names.route_path(route, field="route"),
        variant=""
        if given["variant"] is None
        else names.endpoint_name(given["variant"], field="variant"),
        cases=found,
        cases_url=url,
        course=Course(
            clients=clients,
            **{name: _seconds(given, member) for member, name in _COURSE.items()},
        ),
        schedule=schedule,
        zone=zone,
        labels=Labels(
            project=_text(given, "project") or NO_PROJECT,
            stage=_text(given, "stage") or NO_STAGE,
            by_route=route is not None,
        ),
    )


def _cases(given: Any) -> tuple[str, str]:
    if isinstance(given, str):
        names.s3_address(given, field="cases")
        return "", given
    text = json.dumps(given)
    cases.read(text, name="cases")
    return text, ""


def _require_schedule(schedule: str, zone: str) -> None:
    try:
        require_schedule(schedule, zone)
    except InvalidInput as error:
        # As it is spelt here; others spell it as Application Auto Scaling does.
        raise InvalidInput(
            error.message.replace(error.field, error.field.lower(), 1),
            field=error.field.lower(),
            hint=error.hint,
        ) from error


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given[name]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} {value!r} is not a text", field=name)
    return value


def _seconds(given: Mapping[str, Any], name: str) -> float:
    value = given[name]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidInput(f"{name} {value!r} is not a number", field=name)
    return float(value)
