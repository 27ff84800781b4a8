"""Testers: one document each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import TesterNotFound, VersionConflict
from parkade.domain.tester.tester import Tester

if TYPE_CHECKING:
    import sqlite3

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_SELECT = "SELECT name, content FROM testers"


class SqliteTesterStore:
    """The tester store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Tester, "tester")

    def get(self, name: str) -> Tester:
        """Return the tester."""
        with self._database.reading() as connection:
            found = self._find(connection, name)
        if found is None:
            raise _unknown(name)
        return found

    def all(self) -> Listing[Tester]:
        """Return every tester in the order of names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY name").fetchall()
        return self._documents.listing(rows)

    def put(self, tester: Tester, event: Event | None = None) -> Tester:
        """Store tester and event in one transaction, unless another write came first."""
        stored = replace(tester, version=tester.version + 1)
        content = self._documents.write(stored)
        with self._database.writing() as connection:
            held = self._find(connection, tester.name)
            if (held.version if held else 0) != tester.version:
                raise VersionConflict(
                    f"tester {tester.name!r} was changed by somebody else",
                    hint="read it again, then decide again",
                )
            connection.execute(
                "INSERT OR REPLACE INTO testers (name, content) VALUES (?, ?)",
                (stored.name, content),
            )
            if event is not None:
                record(connection, event)
        return stored

    def remove(self, name: str, event: Event) -> None:
        """Remove the tester and write the event, in one transaction."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM testers WHERE name = ?", (name,)).rowcount:
                raise _unknown(name)
            record(connection, event)

    def _find(self, connection: sqlite3.Connection, name: str) -> Tester | None:
        row = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._documents.read(name, row["content"])


def _unknown(name: str) -> TesterNotFound:
    return TesterNotFound(f"there is no tester {name!r}", hint="see: parkade tester ls")
