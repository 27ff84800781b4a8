"""Routes in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import RouteNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Event
    from parkade.ports.events import History
    from parkade.ports.routes import Route


class MemoryRouteStore:
    """The route store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._routes: dict[str, Route] = {}
        self._lock = threading.Lock()

    def put(self, route: Route, event: Event) -> None:
        """Store the route over the one of its path."""
        with self._lock:
            self._history.append(event)
            self._routes[route.path] = route

    def remove(self, path: str, event: Event) -> None:
        """Remove the route."""
        with self._lock:
            if path not in self._routes:
                raise RouteNotFound(f"no route has the path {path!r}")
            self._history.append(event)
            del self._routes[path]

    def all(self) -> Sequence[Route]:
        """Return every route in the order of paths."""
        with self._lock:
            return [self._routes[path] for path in sorted(self._routes)]
