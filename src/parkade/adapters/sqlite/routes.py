"""Routes: one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.sqlite import columns
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import RouteNotFound
from parkade.ports.routes import Route

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event


class SqliteRouteStore:
    """The route store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, route: Route, event: Event) -> None:
        """Store the route over the one of its path."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO routes (path, endpoint_name, public) VALUES (?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET endpoint_name = excluded.endpoint_name,"
                " public = excluded.public",
                (route.path, route.endpoint_name, int(route.public)),
            )
            record(connection, event)

    def remove(self, path: str, event: Event) -> None:
        """Remove the route."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM routes WHERE path = ?", (path,)).rowcount:
                raise RouteNotFound(f"no route has the path {path!r}")
            record(connection, event)

    def all(self) -> Sequence[Route]:
        """Return every route in the order of paths."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM routes ORDER BY path").fetchall()
        return [_route(row) for row in rows]


def _route(row: sqlite3.Row) -> Route:
    with columns.reading(f"route {row['path']!r}"):
        return Route(
            path=columns.read_text(row, "path"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            public=columns.read_flag(row, "public"),
        )
