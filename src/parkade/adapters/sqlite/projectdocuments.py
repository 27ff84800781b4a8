"""What projects are to be: large documents that many rows name, each stored once, by its content.

Those that no row names any more are deleted with the write that ends it: there may be secrets in
them. What was read or written last is kept in memory, since every step of an application names it.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.domain.errors import Unreadable
from parkade.domain.project.project import Project

if TYPE_CHECKING:
    import sqlite3

#: So many are kept in memory.
_KEPT = 8


class ProjectDocuments:
    """Stores projects by their content."""

    def __init__(self) -> None:
        self._documents = Documents(Project, "what is to be of project")
        #: By digest, the latest last.
        self._known: dict[str, Project] = {}
        self._lock = threading.Lock()

    def write(self, connection: sqlite3.Connection, project: Project | None) -> str | None:
        """Store a project, unless it is; return what it is named by."""
        if project is None:
            return None
        digest = self._digest_of(project)
        content = None
        if digest is None:
            content = self._documents.write(project)
            digest = hashlib.sha256(content.encode()).hexdigest()
            self._keep(digest, project)
        if not _stored(connection, digest):
            connection.execute(
                "INSERT INTO project_documents (digest, content) VALUES (?, ?)",
                (digest, content or self._documents.write(project)),
            )
        return digest

    def read(
        self, connection: sqlite3.Connection, digest: str | None, prefix: str
    ) -> Project | None:
        """Return a project by what it is named by. Raises Unreadable."""
        if digest is None:
            return None
        with self._lock:
            known = self._known.get(digest)
        if known is not None:
            return known
        row = connection.execute(
            "SELECT content FROM project_documents WHERE digest = ?", (digest,)
        ).fetchone()
        if row is None:
            raise Unreadable(f"what is to be of project {prefix!r} is not there: {digest}")
        project = self._documents.read(prefix, row["content"])
        self._keep(digest, project)
        return project

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Delete what no row names."""
        connection.execute(
            "DELETE FROM project_documents WHERE digest NOT IN ("
            "SELECT project FROM applications WHERE project IS NOT NULL"
            " UNION SELECT wanted FROM projects WHERE wanted IS NOT NULL"
            " UNION SELECT applied FROM projects WHERE applied IS NOT NULL"
            " UNION SELECT former FROM projects WHERE former IS NOT NULL)"
        )

    def _digest_of(self, project: Project) -> str | None:
        with self._lock:
            return next((each for each, known in self._known.items() if known is project), None)

    def _keep(self, digest: str, project: Project) -> None:
        with self._lock:
            self._known.pop(digest, None)
            self._known[digest] = project
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]


def _stored(connection: sqlite3.Connection, digest: str) -> bool:
    found = connection.execute("SELECT 1 FROM project_documents WHERE digest = ?", (digest,))
    return found.fetchone() is not None
