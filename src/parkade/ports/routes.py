"""Routes: short public paths to endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`POST {path}` invokes the endpoint; a public one asks for no token."""

    path: str
    endpoint_name: str
    public: bool = False


class RouteStore(Protocol):
    """Stores routes by path."""

    def put(self, route: Route, event: Event) -> None:
        """Store the route over the one of its path, if any."""
        ...

    def remove(self, path: str, event: Event) -> None:
        """Remove the route. Raises RouteNotFound."""
        ...

    def all(self) -> Sequence[Route]:
        """Return every route in the order of paths."""
        ...
