"""Alarms: one document each, compared and set by its version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.alarm import Alarm
from parkade.domain.errors import AlarmNotFound, Unreadable, VersionConflict

if TYPE_CHECKING:
    import sqlite3

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_SELECT = "SELECT name, content FROM alarms"


class SqliteAlarmStore:
    """The alarm store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Alarm, "alarm")

    def get(self, name: str) -> Alarm:
        """Return the alarm."""
        with self._database.reading() as connection:
            row = _find(connection, name)
        if row is None:
            raise AlarmNotFound(f"there is no alarm {name!r}")
        return self._documents.read(name, row["content"])

    def all(self) -> Listing[Alarm]:
        """Return all alarms in the order of names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY name").fetchall()
        return self._documents.listing(rows)

    def put(self, alarm: Alarm, event: Event | None = None) -> Alarm:
        """Store alarm and event in one transaction, unless another write came first."""
        stored = replace(alarm, version=alarm.version + 1)
        with self._database.writing() as connection:
            if self._version(connection, alarm.name) != alarm.version:
                raise VersionConflict(
                    f"alarm {alarm.name!r} was changed by somebody else",
                    hint="read it again, then decide again",
                )
            connection.execute(
                "INSERT INTO alarms VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET content = excluded.content",
                (alarm.name, self._documents.write(stored)),
            )
            if event is not None:
                record(connection, event)
        return stored

    def remove(self, name: str, event: Event) -> None:
        """Remove the alarm and write the event, in one transaction."""
        with self._database.writing() as connection:
            removed = connection.execute("DELETE FROM alarms WHERE name = ?", (name,)).rowcount
            if not removed:
                raise AlarmNotFound(f"there is no alarm {name!r}")
            record(connection, event)

    def _version(self, connection: sqlite3.Connection, name: str) -> int:
        row = _find(connection, name)
        try:
            return 0 if row is None else self._documents.read(name, row["content"]).version
        except Unreadable:
            return 0  # what is put anew takes the place of what nobody can read


def _find(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return row
