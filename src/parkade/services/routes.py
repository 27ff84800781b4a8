"""Routes: short public paths to endpoints, set by operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.event import Event
from parkade.ports.routes import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.route import Rate, Sticky
    from parkade.ports.clock import Clock
    from parkade.ports.routes import RouteStore


class Routes:
    """Sets and removes routes. An endpoint need not exist yet to be routed to."""

    def __init__(self, store: RouteStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put(
        self,
        path: str,
        endpoint_name: str,
        *,
        public: bool,
        actor: str,
        rate: Rate | None = None,
        timeout_seconds: float | None = None,
        sticky: Sticky | None = None,
        project: str | None = None,
    ) -> Route:
        """Store the route over the one of its path. Raises InvalidInput for a reserved path.

        Without a `project` it stays the one's that it was: who changes a route by hand does not
        take it away from its project.
        """
        path = names.route_path(path)
        former = self.get(path)
        route = Route(
            path=path,
            endpoint_name=names.endpoint_name(endpoint_name),
            public=public,
            rate=rate,
            timeout_seconds=timeout_seconds,
            sticky=sticky,
            project=(former.project if former else "") if project is None else project,
        )
        self._store.put(route, self._event("route.set", path, _told(route), actor, endpoint_name))
        return route

    def get(self, path: str) -> Route | None:
        """Return the route of a path; None: there is none."""
        return next((each for each in self._store.all() if each.path == path), None)

    def remove(self, path: str, *, actor: str) -> None:
        """Remove the route. Raises RouteNotFound."""
        path = names.route_path(path)
        self._store.remove(path, self._event("route.removed", path, f"{path} is gone", actor))

    def all(self) -> Sequence[Route]:
        """Return every route in the order of paths."""
        return self._store.all()

    def _event(
        self, kind: str, path: str, reason: str, actor: str, endpoint_name: str = ""
    ) -> Event:
        return Event(
            at=self._clock.now(),
            kind=kind,
            actor=actor,
            reason=reason,
            endpoint_name=endpoint_name,
            data={"path": path},
        )


def _told(route: Route) -> str:
    """Return what a route is, for the history."""
    asks = "without a token" if route.public else "with a token"
    more = [f"{route.rate}"] if route.rate else []
    if route.timeout_seconds is not None:
        more.append(f"{route.timeout_seconds:g} s for an answer")
    if route.sticky is not None:
        more.append(f"variants by {route.sticky}")
    return ", ".join([f"{route.path} leads to {route.endpoint_name}", asks, *more])
