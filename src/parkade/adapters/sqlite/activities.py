"""Scaling activities, the newest first, and how far each target has come."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.scaling.activity import Activity, Status
from parkade.domain.scaling.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.domain.scaling.target import Resource

logger = logging.getLogger(__name__)


class SqliteActivityLog:
    """The activity log of the scaling store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._activities = Documents(Activity, "scaling activity")
        self._progress = Documents(Progress, "the scaling of")

    def put(self, activity: Activity, event: Event | None = None) -> None:
        """Store activity and event in one transaction."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO scaling_activities (id, resource, started_at, content)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                (
                    activity.id,
                    activity.resource.id,
                    columns.instant(activity.started_at),
                    self._activities.write(activity),
                ),
            )
            if event is not None:
                record(connection, event)

    def newest(
        self, resource: Resource | None = None, *, limit: int, before: str = ""
    ) -> tuple[Activity, ...]:
        """Return activities, those begun last first."""
        where, values = ["1"], []
        if resource is not None:
            where.append("resource = ?")
            values.append(resource.id)
        if before:
            where.append("number < (SELECT number FROM scaling_activities WHERE id = ?)")
            values.append(before)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, content FROM scaling_activities"  # noqa: S608  of the parts above
                f" WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?",
                (*values, max(0, limit)),
            ).fetchall()
        return self._activities.listing(rows).records

    def progress(self, resource_ids: Collection[str] | None = None) -> Mapping[str, Progress]:
        """Return how far targets have come."""
        select = "SELECT key, content FROM scaling_progress"
        with self._database.reading() as connection:
            if resource_ids is None:
                rows = connection.execute(select).fetchall()
            else:
                rows = [
                    row
                    for each in resource_ids
                    for row in connection.execute(f"{select} WHERE key = ?", (each,))
                ]
        found = self._progress.listing(rows)
        for why in found.unreadable.values():
            # It is begun anew, as that of a target that has just been registered.
            logger.warning("%s", why)
        return {each.resource.id: each for each in found.records}

    def note(self, progress: Progress) -> None:
        """Store how far a target has come, if it is still there."""
        key = progress.resource.id
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO scaling_progress (key, resource, content)"
                " SELECT key, key, ? FROM scalable_targets WHERE key = ?"
                " ON CONFLICT (key) DO UPDATE SET content = excluded.content",
                (self._progress.write(progress), key),
            )

    def forget(self, before: datetime) -> None:
        """Remove activities that began before this, but not those in progress."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM scaling_activities WHERE started_at < ?"
                " AND NOT (json_valid(content) AND json_extract(content, '$.status') = ?)",
                (columns.instant(before), Status.IN_PROGRESS.value),
            )
