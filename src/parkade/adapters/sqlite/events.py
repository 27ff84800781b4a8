"""The history: a table that triggers keep append-only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.sqlite import columns
from parkade.domain.event import Event

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.ports.events import EventQuery


def record(connection: sqlite3.Connection, event: Event) -> Event:
    """Append the event within the caller's transaction; return it with its number."""
    owner = event.owner or _owner(connection, event.endpoint_name)
    cursor = connection.execute(
        "INSERT INTO events (at, kind, actor, reason, endpoint_name, owner, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            columns.instant(event.at),
            event.kind,
            event.actor,
            event.reason,
            event.endpoint_name,
            owner,
            json.dumps(event.data),
        ),
    )
    return replace(event, owner=owner, number=cursor.lastrowid or 0)


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
        return [_event(row) for row in rows]


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


def _event(row: sqlite3.Row) -> Event:
    with columns.reading(f"event {row['number']}"):
        return Event(
            number=columns.read_number(row, "number", least=1),
            at=columns.read_instant(row, "at"),
            kind=columns.read_text(row, "kind"),
            actor=columns.read_text(row, "actor"),
            reason=columns.read_text(row, "reason"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            owner=columns.read_text(row, "owner"),
            data=columns.read_object(row, "data"),
        )
