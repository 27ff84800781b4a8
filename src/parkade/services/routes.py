"""Routes: short public paths to endpoints, set by operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.event import Event
from parkade.ports.routes import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.ports.clock import Clock
    from parkade.ports.routes import RouteStore


class Routes:
    """Sets and removes routes. An endpoint need not exist yet to be routed to."""

    def __init__(self, store: RouteStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put(self, path: str, endpoint_name: str, *, public: bool, actor: str) -> Route:
        """Store the route over the one of its path. Raises InvalidInput for a reserved path."""
        route = Route(
            path=names.route_path(path),
            endpoint_name=names.endpoint_name(endpoint_name),
            public=public,
        )
        asks = "without a token" if public else "with a token"
        reason = f"{route.path} leads to {endpoint_name}, {asks}"
        self._store.put(route, self._event("route.set", route.path, reason, actor, endpoint_name))
        return route

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
