"""The history: a table that triggers keep append-only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns, events

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.events import EventQuery


def record(connection: sqlite3.Connection, event: Event) -> Event:
    """Append the event within the caller's transaction; return it with its number."""
    owner = event.owner or _owner(connection, event.endpoint_name)
    owned = replace(event, owner=owner)
    cursor = connection.execute(
        "INSERT INTO events (at, kind, actor, reason, endpoint_name, owner, data)"
        " VALUES (:at, :kind, :actor, :reason, :endpoint_name, :owner, :data)",
        events.written(owned),
    )
    return replace(owned, number=cursor.lastrowid or 0)


def _owner(connection: sqlite3.Connection, endpoint_name: str) -> str:
    """Return whose lease the endpoint has; a damaged one is nobody's."""
    row = connection.execute(
        "SELECT owner FROM leases WHERE endpoint_name = ?", (endpoint_name,)
    ).fetchone()
    return row["owner"] if row is not None and isinstance(row["owner"], str) else ""


class SqliteHistory:
    """The history port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, event: Event) -> Event:
        """Store the event in a transaction of its own."""
        with self._database.writing() as connection:
            return record(connection, event)

    def read(self, query: EventQuery) -> Sequence[Event]:
        """Return the oldest matches."""
        return self._select(query, "ASC")

    def latest(self, query: EventQuery) -> Sequence[Event]:
        """Return the newest matches."""
        return self._select(query, "DESC")[::-1]

    def watch(self, listener: Callable[[], None]) -> None:
        """Have it called after every transaction of this process."""
        self._database.watch(listener)

    def _select(self, query: EventQuery, order: str) -> list[Event]:
        where, values = _conditions(query)
        statement = f"SELECT * FROM events WHERE {where} ORDER BY number {order} LIMIT ?"  # noqa: S608
        with self._database.reading() as connection:
            rows = connection.execute(statement, (*values, max(0, query.limit))).fetchall()
        return [events.read(row) for row in rows]


def _conditions(query: EventQuery) -> tuple[str, list[columns.Column]]:
    where = ["number > ?"]
    values: list[columns.Column] = [query.after]
    if query.endpoint_name is not None:
        where.append("endpoint_name = ?")
        values.append(query.endpoint_name)
    if query.owners:
        where.append(f"owner IN ({', '.join('?' for _ in query.owners)})")
        values += query.owners
    if query.since is not None:
        where.append("at >= ?")
        values.append(columns.instant(query.since))
    if query.kinds:
        # A prefix as a range ("/" follows "."), which the index by kind can serve.
        ranges = [(kind, kind[:-1] + "/" if kind.endswith(".") else None) for kind in query.kinds]
        where.append(
            "("
            + " OR ".join(
                "kind = ?" if end is None else "kind >= ? AND kind < ?" for _, end in ranges
            )
            + ")"
        )
        values += [bound for pair in ranges for bound in pair if bound is not None]
    return " AND ".join(where), values
