"""Deployments: one document each; the table itself holds each endpoint to one that is running."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.deploy.deployment import Deployment, Status
from parkade.domain.errors import DeploymentNotFound, InUse, VersionConflict

if TYPE_CHECKING:
    import sqlite3

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_SELECT = "SELECT id, content FROM deployments"


class SqliteDeploymentStore:
    """The deployment store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Deployment, "deployment")

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment."""
        with self._database.reading() as connection:
            found = self._find(connection, deployment_id)
        if found is None:
            raise DeploymentNotFound(f"there is no deployment {deployment_id!r}")
        return found

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return deployments, oldest first, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE ? IN ('', endpoint_name) ORDER BY number", (endpoint_name or "",)
            ).fetchall()
        return self._documents.listing(rows)

    def running(self) -> Listing[Deployment]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE status = ? ORDER BY number", (Status.RUNNING,)
            ).fetchall()
        return self._documents.listing(rows)

    def put(self, deployment: Deployment, event: Event | None = None) -> Deployment:
        """Store deployment and event in one transaction, unless another write came first."""
        stored = replace(deployment, version=deployment.version + 1)
        content = self._documents.write(stored)
        with self._database.writing() as connection:
            held = self._find(connection, deployment.id)
            if (held.version if held else 0) != deployment.version:
                raise VersionConflict(
                    f"deployment {deployment.id!r} was changed by somebody else",
                    hint="read it again, then decide again",
                )
            if held is None:
                _require_alone(connection, deployment.endpoint_name)
                connection.execute(
                    "INSERT INTO deployments (id, endpoint_name, status, content)"
                    " VALUES (?, ?, ?, ?)",
                    (stored.id, stored.endpoint_name, stored.status, content),
                )
            else:
                connection.execute(
                    "UPDATE deployments SET status = ?, content = ? WHERE id = ?",
                    (stored.status, content, stored.id),
                )
            if event is not None:
                record(connection, event)
        return stored

    def remove(self, deployment_id: str, event: Event) -> None:
        """Remove the deployment and write the event, in one transaction."""
        with self._database.writing() as connection:
            removed = connection.execute("DELETE FROM deployments WHERE id = ?", (deployment_id,))
            if not removed.rowcount:
                raise DeploymentNotFound(f"there is no deployment {deployment_id!r}")
            record(connection, event)

    def _find(self, connection: sqlite3.Connection, deployment_id: str) -> Deployment | None:
        row = connection.execute(f"{_SELECT} WHERE id = ?", (deployment_id,)).fetchone()
        return None if row is None else self._documents.read(deployment_id, row["content"])


def _require_alone(connection: sqlite3.Connection, endpoint_name: str) -> None:
    row = connection.execute(
        "SELECT id FROM deployments WHERE endpoint_name = ? AND status = ?",
        (endpoint_name, Status.RUNNING),
    ).fetchone()
    if row is not None:
        raise InUse(
            f"endpoint {endpoint_name!r} is being deployed to by {row['id']}",
            hint=f"wait until it is over, or call it off: parkade deployments cancel {row['id']}",
        )
