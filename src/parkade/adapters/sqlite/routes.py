"""Routes: one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import RouteNotFound
from parkade.domain.route import Mark, Rate, Sticky
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
                "INSERT OR REPLACE INTO routes (path, endpoint_name, public, per_second, burst,"
                " timeout_seconds, sticky_mark, sticky_name, project)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _row(route),
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


def _row(route: Route) -> tuple[columns.Column, ...]:
    rate, sticky = route.rate, route.sticky
    return (
        route.path,
        route.endpoint_name,
        int(route.public),
        None if rate is None else rate.per_second,
        None if rate is None else rate.burst,
        route.timeout_seconds,
        None if sticky is None else str(sticky.mark),
        None if sticky is None else sticky.name,
        route.project,
    )


def _route(row: sqlite3.Row) -> Route:
    with columns.reading(f"route {row['path']!r}"):
        return Route(
            path=columns.read_text(row, "path"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            public=columns.read_flag(row, "public"),
            rate=_rate(row),
            timeout_seconds=columns.read_amount_or_none(row, "timeout_seconds"),
            sticky=_sticky(row),
            project=columns.read_text(row, "project"),
        )


def _rate(row: sqlite3.Row) -> Rate | None:
    per_second = columns.read_amount_or_none(row, "per_second")
    if per_second is None:
        return None
    return Rate(per_second=per_second, burst=columns.read_number(row, "burst"))


def _sticky(row: sqlite3.Row) -> Sticky | None:
    if row["sticky_mark"] is None:
        return None
    mark = columns.read_word(row, "sticky_mark", Mark)
    return Sticky(mark=mark, name=columns.read_text(row, "sticky_name"))
