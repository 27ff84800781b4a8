"""Settings of target models: one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import Unreadable
from parkade.domain.targets import TargetSetting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event


class SqliteTargetStore:
    """The target store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, setting: TargetSetting, event: Event) -> None:
        """Store the setting over the one of its target."""
        key = (setting.endpoint_name, setting.target)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM targets WHERE endpoint_name = ? AND target = ?", key)
            if not setting.says_nothing:
                connection.execute(
                    "INSERT INTO targets (endpoint_name, target, pinned, ttl_minutes)"
                    " VALUES (?, ?, ?, ?)",
                    (*key, int(setting.pinned), setting.ttl_minutes),
                )
            record(connection, event)

    def all(self) -> Sequence[TargetSetting]:
        """Return every setting in the order of endpoints and targets."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM targets ORDER BY endpoint_name, target"
            ).fetchall()
        return [_setting(row) for row in rows]


def _setting(row: sqlite3.Row) -> TargetSetting:
    with columns.reading(f"target {row['target']!r} of endpoint {row['endpoint_name']!r}"):
        ttl = row["ttl_minutes"]
        if ttl is not None and not isinstance(ttl, float):
            raise Unreadable(f"its ttl_minutes {ttl!r} is not a number")
        return TargetSetting(
            endpoint_name=columns.read_text(row, "endpoint_name"),
            target=columns.read_text(row, "target"),
            pinned=columns.read_flag(row, "pinned"),
            ttl_minutes=ttl,
        )
