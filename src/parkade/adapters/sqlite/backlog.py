"""The backlog: one row a request, its body beside its document."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.documents.records import Documents
from parkade.domain.errors import AlreadyExists, NotFound, Unreadable
from parkade.ports.backlog import AsyncRequest, RequestStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.adapters.sqlite.database import Database

_logger = logging.getLogger(__name__)

_OPEN = {RequestStatus.PENDING, RequestStatus.RUNNING}


class SqliteBacklogStore:
    """The backlog store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(AsyncRequest, "asynchronous request")

    def add(self, request: AsyncRequest, body: bytes) -> None:
        """Store a new request with its body."""
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO backlog VALUES (:id, :received_at, :open, :finished_at, "
                    ":content, :body)",
                    {**self._columns(request), "body": body},
                )
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"there is already a request {request.id!r}") from error

    def put(self, request: AsyncRequest) -> None:
        """Store the request over the one of its id."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE backlog SET open = :open, finished_at = :finished_at, content = :content "
                "WHERE id = :id",
                self._columns(request),
            )

    def get(self, request_id: str) -> AsyncRequest:
        """Return the request."""
        return self._documents.read(request_id, self._row(request_id)["content"])

    def body(self, request_id: str) -> bytes:
        """Return the body that came with the request."""
        return bytes(self._row(request_id)["body"])

    def open(self) -> Sequence[AsyncRequest]:
        """Return those that have not ended or are not told yet, in the order they came."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, content FROM backlog WHERE open ORDER BY received_at, id"
            ).fetchall()
        found = []
        for row in rows:
            try:
                found.append(self._documents.read(str(row["id"]), row["content"]))
            except Unreadable as error:
                _logger.error("%s", error.message)  # noqa: TRY400  no bug of ours
        return found

    def forget(self, finished_before: datetime) -> int:
        """Delete those that were told and finished before the instant."""
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM backlog WHERE NOT open AND finished_at < ?",
                (columns.instant(finished_before),),
            ).rowcount

    def _row(self, request_id: str) -> sqlite3.Row:
        with self._database.reading() as connection:
            row: sqlite3.Row | None = connection.execute(
                "SELECT content, body FROM backlog WHERE id = ?", (request_id,)
            ).fetchone()
        if row is None:
            raise NotFound(f"there is no request {request_id!r}")
        return row

    def _columns(self, request: AsyncRequest) -> dict[str, columns.Column]:
        return {
            "id": request.id,
            "received_at": columns.instant(request.received_at),
            "open": int(request.status in _OPEN or not request.told),
            "finished_at": columns.instant_or_none(request.finished_at),
            "content": self._documents.write(request),
        }
