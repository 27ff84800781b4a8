"""Projects and applications: one document each; the tables hold to what must be the only one."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record as write_event
from parkade.adapters.sqlite.projectdocuments import ProjectDocuments
from parkade.domain.errors import (
    ApplicationNotFound,
    InUse,
    ParkadeError,
    ProjectNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.project.application import Application, Status
from parkade.domain.project.part import Kind, Ref
from parkade.domain.project.record import Record
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event

logger = logging.getLogger(__name__)

_SELECT = "SELECT id, prefix, project, content FROM applications"
_PROJECTS = "SELECT prefix, wanted, applied, former, content FROM projects"
_Record = TypeVar("_Record")
_AGAIN = "read it again, then decide again"


class SqliteProjectStore:
    """The project store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records = Documents(Record, "project")
        self._projects = ProjectDocuments()
        self._applications = Documents(Application, "application")
        #: By prefix, what was read last: planning asks for each part of a project again.
        self._read: dict[str, tuple[str, Record]] = {}

    def get(self, prefix: str) -> Record:
        """Return the project."""
        with self._database.reading() as connection:
            found = self._record(connection, prefix)
        if found is None:
            raise ProjectNotFound(f"there is no project {prefix!r}")
        return found

    def all(self) -> Listing[Record]:
        """Return projects by their prefix, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_PROJECTS} ORDER BY prefix").fetchall()
            return _listing(rows, lambda row: self._as_record(connection, row))

    def owners(self) -> Mapping[Ref, str]:
        """Return which project made which part."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT kind, name, prefix FROM project_parts").fetchall()
        return {Ref(kind=Kind(row["kind"]), name=row["name"]): row["prefix"] for row in rows}

    def application(self, application_id: str) -> Application:
        """Return the application."""
        with self._database.reading() as connection:
            found = self._application(connection, application_id)
        if found is None:
            raise ApplicationNotFound(f"there is no application {application_id!r}")
        return found

    def applications(self, prefix: str | None = None) -> Listing[Application]:
        """Return applications, oldest first, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE ? IN ('', prefix) ORDER BY number", (prefix or "",)
            ).fetchall()
            return _listing(rows, lambda row: self._as_application(connection, row))

    def running(self) -> Listing[Application]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE status = ? ORDER BY number", (Status.RUNNING,)
            ).fetchall()
            return _listing(rows, lambda row: self._as_application(connection, row))

    def put(
        self, application: Application, record: Record | None = None, event: Event | None = None
    ) -> Application:
        """Store all of it in one transaction, unless another write came first."""
        with self._database.writing() as connection:
            stored = self._put(connection, application)
            if record is not None:
                self._put_record(connection, record)
            if application.over:
                self._projects.tidy(connection)
            if event is not None:
                write_event(connection, event)
        return stored

    def close(self, application: Application, event: Event) -> Application:
        """Store the application and forget its project, in one transaction."""
        with self._database.writing() as connection:
            stored = self._put(connection, application)
            connection.execute("DELETE FROM project_parts WHERE prefix = ?", (stored.prefix,))
            connection.execute("DELETE FROM projects WHERE prefix = ?", (stored.prefix,))
            self._projects.tidy(connection)
            write_event(connection, event)
        self._read.pop(stored.prefix, None)
        self._forget(stored.prefix)
        return stored

    def remove(self, application_id: str, event: Event) -> None:
        """Remove the application and write the event, in one transaction."""
        with self._database.writing() as connection:
            removed = connection.execute("DELETE FROM applications WHERE id = ?", (application_id,))
            if not removed.rowcount:
                raise ApplicationNotFound(f"there is no application {application_id!r}")
            self._projects.tidy(connection)
            write_event(connection, event)

    def _forget(self, prefix: str) -> None:
        """Leave nothing of a project's secrets in the files; it is forgotten in any case."""
        try:
            self._database.forget()
        except ParkadeError as error:
            logger.warning("secrets of project %s are in the log for a while: %s", prefix, error)

    def _put(self, connection: sqlite3.Connection, application: Application) -> Application:
        stored = replace(application, version=application.version + 1)
        content = self._applications.write(replace(stored, project=None))
        project = self._projects.write(connection, stored.project)
        held = self._application(connection, application.id)
        if (held.version if held else 0) != application.version:
            raise VersionConflict(
                f"application {application.id!r} was changed by somebody else", hint=_AGAIN
            )
        if held is None:
            _require_alone(connection, application.prefix)
            connection.execute(
                "INSERT INTO applications (id, prefix, status, project, content)"
                " VALUES (?, ?, ?, ?, ?)",
                (stored.id, stored.prefix, stored.status, project, content),
            )
        else:
            connection.execute(
                "UPDATE applications SET status = ?, project = ?, content = ? WHERE id = ?",
                (stored.status, project, content, stored.id),
            )
        return stored

    def _put_record(self, connection: sqlite3.Connection, record: Record) -> None:
        held = self._record(connection, record.prefix)
        if (held.version if held else 0) != record.version:
            raise VersionConflict(
                f"project {record.prefix!r} was changed by somebody else", hint=_AGAIN
            )
        version = record.version + 1
        bare = replace(record, wanted=None, applied=None, former=None, version=version)
        connection.execute(
            "INSERT OR REPLACE INTO projects (prefix, wanted, applied, former, content)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                record.prefix,
                self._projects.write(connection, record.wanted),
                self._projects.write(connection, record.applied),
                self._projects.write(connection, record.former),
                self._records.write(bare),
            ),
        )
        connection.execute("DELETE FROM project_parts WHERE prefix = ?", (record.prefix,))
        for made in record.made:
            _require_free(connection, made.ref)
            connection.execute(
                "INSERT INTO project_parts (kind, name, prefix) VALUES (?, ?, ?)",
                (made.ref.kind, made.ref.name, record.prefix),
            )

    def _record(self, connection: sqlite3.Connection, prefix: str) -> Record | None:
        row = connection.execute(f"{_PROJECTS} WHERE prefix = ?", (prefix,)).fetchone()
        return None if row is None else self._as_record(connection, row)

    def _as_record(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Record:
        prefix = row["prefix"]
        return replace(
            self._bare(prefix, row["content"]),
            wanted=self._projects.read(connection, row["wanted"], prefix),
            applied=self._projects.read(connection, row["applied"], prefix),
            former=self._projects.read(connection, row["former"], prefix),
        )

    def _bare(self, prefix: str, content: str) -> Record:
        """Return what a row says, without the projects that it names."""
        known = self._read.get(prefix)
        if known is not None and known[0] == content:
            return known[1]
        bare = self._records.read(prefix, content)
        self._read[prefix] = content, bare
        return bare

    def _application(
        self, connection: sqlite3.Connection, application_id: str
    ) -> Application | None:
        row = connection.execute(f"{_SELECT} WHERE id = ?", (application_id,)).fetchone()
        return None if row is None else self._as_application(connection, row)

    def _as_application(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Application:
        application = self._applications.read(row["id"], row["content"])
        project = self._projects.read(connection, row["project"], row["prefix"])
        return replace(application, project=project)


def _listing(
    rows: Iterable[sqlite3.Row], read: Callable[[sqlite3.Row], _Record]
) -> Listing[_Record]:
    """Return what rows hold, and apart why others cannot be read, by their first column."""
    records: list[_Record] = []
    unreadable: dict[str, str] = {}
    for row in rows:
        try:
            records.append(read(row))
        except Unreadable as error:
            unreadable[str(row[0])] = error.message
    return Listing(tuple(records), unreadable)


def _require_alone(connection: sqlite3.Connection, prefix: str) -> None:
    row = connection.execute(
        "SELECT id FROM applications WHERE prefix = ? AND status = ?", (prefix, Status.RUNNING)
    ).fetchone()
    if row is not None:
        raise InUse(
            f"project {prefix!r} is being applied by {row['id']}",
            hint="wait until it is over, or call it off",
        )


def _require_free(connection: sqlite3.Connection, ref: Ref) -> None:
    row = connection.execute(
        "SELECT prefix FROM project_parts WHERE kind = ? AND name = ?", (ref.kind, ref.name)
    ).fetchone()
    if row is not None:
        raise InUse(
            f"{ref} is of the project {row['prefix']!r}",
            hint="give the part another name, or take it out of that project",
        )
