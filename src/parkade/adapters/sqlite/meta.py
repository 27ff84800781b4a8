"""Facts about the state folder itself: its id, the origin of its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents import columns

if TYPE_CHECKING:
    from parkade.adapters.sqlite.database import Database


class SqliteMeta:
    """Texts by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """Return the text, or None where nothing was put."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        with columns.reading(f"meta {key!r}"):
            return columns.read_text(row, "value")

    def put(self, key: str, value: str) -> None:
        """Store the text over the one of this key."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def setdefault(self, key: str, proposal: str) -> str:
        """Return the text of this key, the proposal where there was none.

        Of several processes that propose at once, all get the same.
        """
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (key, proposal),
            )
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        with columns.reading(f"meta {key!r}"):
            return columns.read_text(row, "value")
