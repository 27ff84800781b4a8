"""Scalable targets and what belongs to them: documents, compared and set by their version."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.activities import SqliteActivityLog
from parkade.adapters.sqlite.events import record as record_event
from parkade.domain.errors import (
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
    ScheduledActionNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.scaling.policy import Policy
from parkade.domain.scaling.target import ScalableTarget
from parkade.domain.scaling.timetable import ScheduledAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.errors import NotFound
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

#: The kinds of records that are kept.
_Record = TypeVar("_Record", ScalableTarget, Policy, ScheduledAction)


class SqliteScalingStore:
    """The scaling store port."""

    def __init__(self, database: Database) -> None:
        self.targets: _Kept[ScalableTarget] = _Kept(
            database,
            Documents(ScalableTarget, "scalable target"),
            "scalable_targets",
            ScalableTargetNotFound,
            key=lambda target: target.resource.id,
        )
        self.policies: _Kept[Policy] = _Kept(
            database,
            Documents(Policy, "scaling policy"),
            "scaling_policies",
            ScalingPolicyNotFound,
            key=lambda policy: policy.key,
            belongs=True,
        )
        self.scheduled: _Kept[ScheduledAction] = _Kept(
            database,
            Documents(ScheduledAction, "scheduled action"),
            "scheduled_actions",
            ScheduledActionNotFound,
            key=lambda action: action.key,
            belongs=True,
        )
        self.activities = SqliteActivityLog(database)


class _Kept(Generic[_Record]):
    """The records of one table; `belongs`: to a target, and they go with it."""

    def __init__(
        self,
        database: Database,
        documents: Documents[_Record],
        table: str,
        missing: type[NotFound],
        *,
        key: Callable[[_Record], str],
        belongs: bool = False,
    ) -> None:
        self._database = database
        self._documents: Documents[_Record] = documents
        self._table = table
        self._missing = missing
        self._key: Callable[[_Record], str] = key
        self._belongs = belongs

    def get(self, key: str) -> _Record:
        """Return the record."""
        with self._database.reading() as connection:
            row = self._row(connection, key)
        if row is None:
            raise self._absent(key)
        return self._documents.read(key, row["content"])

    def all(self) -> Listing[_Record]:
        """Return all records in the order of keys, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT key, content FROM {self._table} ORDER BY key"  # noqa: S608  of the store's own names
            ).fetchall()
        return self._documents.listing(rows)

    def put(self, record: _Record, event: Event | None = None) -> _Record:
        """Store record and event in one transaction, unless another write came first."""
        key = self._key(record)
        stored = replace(record, version=record.version + 1)
        values: tuple[str, ...] = (key, record.resource.id) if self._belongs else (key,)
        marks = ", ".join("?" for _ in (*values, "content"))
        with self._database.writing() as connection:
            if self._version(connection, key) != record.version:
                raise VersionConflict(
                    f"{key!r} was changed by somebody else",
                    hint="read it again, then decide again",
                )
            try:
                connection.execute(
                    f"INSERT INTO {self._table} VALUES ({marks})"  # noqa: S608
                    " ON CONFLICT DO UPDATE SET content = excluded.content",
                    (*values, self._documents.write(stored)),
                )
            except sqlite3.IntegrityError as error:
                raise ScalableTargetNotFound(
                    f"{record.resource.id} is not registered to be scaled",
                    hint="register it as a scalable target first",
                ) from error
            if event is not None:
                record_event(connection, event)
        return stored

    def remove(self, key: str, event: Event) -> None:
        """Remove the record and write the event, in one transaction."""
        with self._database.writing() as connection:
            removed = connection.execute(
                f"DELETE FROM {self._table} WHERE key = ?",  # noqa: S608
                (key,),
            ).rowcount
            if not removed:
                raise self._absent(key)
            record_event(connection, event)

    def _absent(self, key: str) -> NotFound:
        return self._missing(f"there is nothing of {key!r}")

    def _row(self, connection: sqlite3.Connection, key: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = connection.execute(
            f"SELECT key, content FROM {self._table} WHERE key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return row

    def _version(self, connection: sqlite3.Connection, key: str) -> int:
        row = self._row(connection, key)
        try:
            return 0 if row is None else self._documents.read(key, row["content"]).version
        except Unreadable:
            return 0  # what is put anew takes the place of what nobody can read
