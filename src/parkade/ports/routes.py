"""Routes: short public paths to endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.domain import names
from parkade.domain.route import Rate, Sticky, timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`POST {path}` invokes the endpoint; a public one asks for no token."""

    path: str
    endpoint_name: str
    public: bool = False
    #: How often all its callers together may call; None: each as often as its token may.
    rate: Rate | None = None
    #: Seconds that the model has for one request; None: `limits.model_seconds`.
    timeout_seconds: float | None = None
    #: What tells callers apart who get the same variant each time; None: variants are drawn.
    sticky: Sticky | None = None
    #: The prefix of the project that it belongs to; empty: none.
    project: str = ""

    def __post_init__(self) -> None:
        if self.timeout_seconds is not None:
            timeout(self.timeout_seconds)
        if self.project:
            names.endpoint_name(self.project, field="project")


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
