"""Executions: one row each, deleted some time after they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.domain.errors import ExecutionNotFound
from parkade.ports.executions import Execution, ExecutionStatus

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.adapters.sqlite.database import Database

_PUT = """
    INSERT INTO executions VALUES (:arn, :token_name, :endpoint_name, :body, :status,
        :started_at, :stopped_at, :output, :error, :cause, :attempts)
    ON CONFLICT (arn) DO UPDATE SET token_name = excluded.token_name,
        endpoint_name = excluded.endpoint_name, body = excluded.body, status = excluded.status,
        started_at = excluded.started_at, stopped_at = excluded.stopped_at,
        output = excluded.output, error = excluded.error, cause = excluded.cause,
        attempts = excluded.attempts
"""


class SqliteExecutionStore:
    """The execution store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, execution: Execution) -> None:
        """Store the execution over the one of its ARN."""
        with self._database.writing() as connection:
            connection.execute(_PUT, _columns(execution))

    def get(self, arn: str) -> Execution:
        """Return the execution."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM executions WHERE arn = ?", (arn,)).fetchone()
        if row is None:
            raise ExecutionNotFound(f"there is no execution {arn!r}")
        return _execution(row)

    def running(self) -> Sequence[Execution]:
        """Return the running ones, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM executions WHERE status = ? ORDER BY started_at, arn",
                (ExecutionStatus.RUNNING,),
            ).fetchall()
        return [_execution(row) for row in rows]

    def forget(self, stopped_before: datetime) -> int:
        """Delete those that stopped before the instant."""
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM executions WHERE stopped_at < ?", (columns.instant(stopped_before),)
            ).rowcount


def _columns(execution: Execution) -> dict[str, columns.Column]:
    return {
        "arn": execution.arn,
        "token_name": execution.token_name,
        "endpoint_name": execution.endpoint_name,
        "body": execution.body,
        "status": execution.status,
        "started_at": columns.instant(execution.started_at),
        "stopped_at": columns.instant_or_none(execution.stopped_at),
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "attempts": execution.attempts,
    }


def _execution(row: sqlite3.Row) -> Execution:
    with columns.reading(f"execution {row['arn']!r}"):
        return Execution(
            arn=columns.read_text(row, "arn"),
            token_name=columns.read_text(row, "token_name"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            body=columns.read_text(row, "body"),
            status=columns.read_word(row, "status", ExecutionStatus),
            started_at=columns.read_instant(row, "started_at"),
            stopped_at=columns.read_instant_or_none(row, "stopped_at"),
            output=columns.read_text(row, "output"),
            error=columns.read_text(row, "error"),
            cause=columns.read_text(row, "cause"),
            attempts=columns.read_number(row, "attempts"),
        )
