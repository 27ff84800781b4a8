"""What is left of endpoints: one document a name, written by the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.documents.records import Documents
from parkade.domain.errors import Unreadable
from parkade.ports.remains import Remains

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.terms import Terms
    from parkade.ports.catalog import Listing

_DOCUMENTS = Documents(Remains, "what is left of")
_SELECT = "SELECT endpoint_name, content FROM remains"


def keep(connection: sqlite3.Connection, remains: Remains) -> None:
    """Write the remains over those of the name, in the transaction of whoever calls."""
    connection.execute(
        "INSERT OR REPLACE INTO remains VALUES (?, ?, ?)",
        (remains.endpoint_name, columns.instant(remains.removed_at), _DOCUMENTS.write(remains)),
    )


class SqliteRemainsStore:
    """The remains store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, endpoint_name: str) -> Remains | None:
        """Return the remains, if there are any."""
        with self._database.reading() as connection:
            return _find(connection, endpoint_name)

    def all(self) -> Listing[Remains]:
        """Return all remains in the order of endpoint names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY endpoint_name").fetchall()
        return _DOCUMENTS.listing(rows)

    def settle(self, endpoint_name: str, *, terms: Terms | None, tags: Mapping[str, str]) -> None:
        """Keep terms and tags with the remains, where there are any that can be read."""
        with self._database.writing() as connection:
            try:
                found = _find(connection, endpoint_name)
            except Unreadable:
                return  # they are of no use any more, whatever is kept with them
            if found is not None:
                keep(connection, replace(found, terms=terms, tags=dict(tags) or found.tags))

    def forget(self, before: datetime) -> None:
        """Forget what was removed before this instant, readable or not."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM remains WHERE removed_at < ?", (columns.instant(before),)
            )


def _find(connection: sqlite3.Connection, endpoint_name: str) -> Remains | None:
    row = connection.execute(f"{_SELECT} WHERE endpoint_name = ?", (endpoint_name,)).fetchone()
    return None if row is None else _DOCUMENTS.read(endpoint_name, row["content"])
