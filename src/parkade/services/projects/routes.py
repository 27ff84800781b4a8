"""Keeps the routes of projects: the paths of their APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from parkade.domain import names
from parkade.domain.errors import InvalidInput, NotFound
from parkade.domain.event import PROJECT
from parkade.domain.project.part import Kind
from parkade.domain.route import Mark, Rate, Sticky, rate
from parkade.ports.routes import Route
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.services.projects.keeper import Errand
    from parkade.services.routes import Routes

_MEMBERS = frozenset({"endpoint_name", "public", "rate", "timeout_seconds", "sticky", PROJECT})


class RouteKeeper(AtOnce):
    """The keeper of routes."""

    kind = Kind.ROUTE

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def check(self, part: Part, project: Project) -> None:
        """Raise InvalidInput for a path that is Parkade's own, and for what no route can promise."""
        route = _route(part)
        if route.project != project.prefix:
            raise InvalidInput(
                f"project {route.project!r} of {part.name} is not {project.prefix}, whose it is",
                field=PROJECT,
            )

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return what the path leads to, and how."""
        route = self._routes.get(name)
        return None if route is None else _content(route)

    def settled(self, part: Part, found: Mapping[str, Json] | None) -> Mapping[str, Json]:  # noqa: ARG002  the protocol's
        """Return it with what holds where nothing is said."""
        return _content(_route(part))

    def put(self, part: Part, errand: Errand) -> None:
        """Set the route, which holds with the next request."""
        wanted = _route(part)
        there = self._routes.get(wanted.path)
        if there is None or _content(there) != _content(wanted):
            self._routes.put(
                wanted.path,
                wanted.endpoint_name,
                public=wanted.public,
                actor=errand.actor,
                rate=wanted.rate,
                timeout_seconds=wanted.timeout_seconds,
                sticky=wanted.sticky,
                project=wanted.project,
            )

    def remove(self, name: str, errand: Errand) -> None:
        """Remove the route; its endpoint stays."""
        try:
            self._routes.remove(name, actor=errand.actor)
        except NotFound:
            return  # it is not there, as was asked

    def condition(self, part: Part) -> Condition:
        """Tell where it leads, and who may come by it."""
        route = self._routes.get(part.name)
        if route is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        if not route.project:
            text = "it was set anew by hand, and its calls are not counted for the project"
            return Condition(state="there", text=text, troubled=True)
        open_to = "anybody" if route.public else "tokens"
        return Condition(state="there", text=f"leads to {route.endpoint_name}, open to {open_to}")


def _route(part: Part) -> Route:
    """Return the route that a part describes. Raises InvalidInput for what is none."""
    given = cast("Mapping[str, Any]", part.content)
    if unknown := sorted(given.keys() - _MEMBERS):
        raise InvalidInput(f"a route has no {unknown[0][:80]!r}", field=unknown[0][:80])
    project = given.get(PROJECT, "")
    public = given.get("public", False)
    if not isinstance(public, bool):
        raise InvalidInput(
            f"public {public!r} of {part.name} is neither true nor false", field="public"
        )
    return Route(
        path=names.route_path(part.name),
        endpoint_name=names.endpoint_name(given.get("endpoint_name"), field="endpoint_name"),
        public=public,
        rate=_rate(given.get("rate")),
        timeout_seconds=_number(given.get("timeout_seconds"), "timeout_seconds"),
        sticky=_sticky(given.get("sticky")),
        project=names.endpoint_name(project, field=PROJECT) if project else "",
    )


def _rate(given: Any) -> Rate | None:
    if given is None:
        return None
    members = _members(given, "rate", {"per_second", "burst"})
    per_second = _number(members.get("per_second"), "rate.per_second")
    if per_second is None:
        raise InvalidInput(
            "rate has no per_second", field="rate.per_second", hint="give requests a second"
        )
    return rate(per_second, members.get("burst"))


def _sticky(given: Any) -> Sticky | None:
    if given is None:
        return None
    members = _members(given, "sticky", {*Mark})
    named = {mark: name for mark, name in members.items() if name is not None}
    if len(named) != 1 or not all(isinstance(name, str) for name in named.values()):
        raise InvalidInput(
            "sticky does not name one header or one cookie",
            field="sticky",
            hint='give {"header": NAME} or {"cookie": NAME}',
        )
    ((mark, name),) = named.items()
    return Sticky(mark=Mark(mark), name=name)


def _members(given: Any, field: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict) or not given.keys() <= known:
        raise InvalidInput(
            f"{field} {str(given)[:80]} is not made of {' and '.join(sorted(known))}", field=field
        )
    return given


def _number(given: Any, field: str) -> float | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
        raise InvalidInput(f"{field} {str(given)[:80]!r} is not a number", field=field)
    return given


def _content(route: Route) -> dict[str, Json]:
    limit, sticky = route.rate, route.sticky
    return {
        "endpoint_name": route.endpoint_name,
        "public": route.public,
        "rate": None
        if limit is None
        # As floats, so that 10 and 10.0 have the same fingerprint.
        else {"per_second": float(limit.per_second), "burst": limit.burst},
        "timeout_seconds": None if route.timeout_seconds is None else float(route.timeout_seconds),
        "sticky": None if sticky is None else {sticky.mark.value: sticky.name},
        # Whose calls they are counted as; set anew by hand, it is nobody's.
        PROJECT: route.project,
    }
