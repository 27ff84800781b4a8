"""Routes: an item each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import THERE, Kind
from parkade.domain.errors import RouteNotFound
from parkade.ports.routes import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.event import Event


class DynamoRouteStore:
    """The route store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "route", Route, "route")

    def put(self, route: Route, event: Event) -> None:
        """Store the route over the one of its path."""
        self._kind.store([self._kind.put(route.path, route)], event)

    def remove(self, path: str, event: Event) -> None:
        """Remove the route."""
        gone = self._kind.delete(
            path, where=THERE, lost=lambda _: RouteNotFound(f"no route has the path {path!r}")
        )
        self._kind.store([gone], event)

    def all(self) -> Sequence[Route]:
        """Return every route in the order of paths."""
        return [self._kind.read(item) for item in self._kind.table.query(self._kind.name)]
