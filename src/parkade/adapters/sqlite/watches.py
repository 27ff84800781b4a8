"""Watches: one document an endpoint, compared whole before it is written over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import VersionConflict
from parkade.domain.ladder import Watch

if TYPE_CHECKING:
    import sqlite3

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_SELECT = "SELECT endpoint_name, content FROM watches"


class SqliteWatchStore:
    """The watch store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Watch, "the watch of")

    def all(self) -> Listing[Watch]:
        """Return every watch in the order of endpoint names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY endpoint_name").fetchall()
        return self._documents.listing(rows)

    def get(self, endpoint_name: str) -> Watch | None:
        """Return the watch, if there is one."""
        with self._database.reading() as connection:
            return self._held(connection, endpoint_name)

    def put(self, watch: Watch, event: Event | None, *, before: Watch | None) -> None:
        """Store watch and event in one transaction, unless another write came first."""
        with self._database.writing() as connection:
            self._require(connection, watch.endpoint_name, before)
            connection.execute(
                "INSERT OR REPLACE INTO watches VALUES (?, ?)",
                (watch.endpoint_name, self._documents.write(watch)),
            )
            if event is not None:
                record(connection, event)

    def remove(self, before: Watch, event: Event | None) -> None:
        """Remove the watch, unless another write came first."""
        with self._database.writing() as connection:
            self._require(connection, before.endpoint_name, before)
            connection.execute(
                "DELETE FROM watches WHERE endpoint_name = ?", (before.endpoint_name,)
            )
            if event is not None:
                record(connection, event)

    def _held(self, connection: sqlite3.Connection, endpoint_name: str) -> Watch | None:
        row = connection.execute(f"{_SELECT} WHERE endpoint_name = ?", (endpoint_name,)).fetchone()
        return None if row is None else self._documents.read(endpoint_name, row["content"])

    def _require(
        self, connection: sqlite3.Connection, endpoint_name: str, before: Watch | None
    ) -> None:
        if self._held(connection, endpoint_name) != before:
            raise VersionConflict(f"the watch of {endpoint_name!r} was changed by somebody else")
