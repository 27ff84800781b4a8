"""Executions: an item each, deleted some time after they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import Condition, equal
from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.adapters.aws.dynamodb.table import MOST_CHANGES
from parkade.adapters.documents import columns
from parkade.domain.errors import ExecutionNotFound
from parkade.ports.executions import Execution, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.adapters.aws.dynamodb.events import DynamoHistory


class DynamoExecutionStore:
    """The execution store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "execution", Execution, "execution")

    def put(self, execution: Execution) -> None:
        """Store the execution over the one of its ARN."""
        written = self._kind.put(
            execution.arn,
            execution,
            status=str(execution.status),
            stopped_at=columns.instant_or_none(execution.stopped_at),
        )
        self._kind.store([written], None)

    def get(self, arn: str) -> Execution:
        """Return the execution."""
        found = self._kind.find(arn)
        if found is None:
            raise ExecutionNotFound(f"there is no execution {arn!r}")
        return found

    def running(self) -> Sequence[Execution]:
        """Return the running ones, oldest first."""
        running = equal(status=str(ExecutionStatus.RUNNING))
        found = map(self._kind.read, self._kind.table.query(self._kind.name, where=running))
        return sorted(found, key=lambda each: (each.started_at, each.arn))

    def forget(self, stopped_before: datetime) -> int:
        """Delete those that stopped before the instant."""
        stopped = Condition(
            "#stopped_at < :before",
            {"#stopped_at": "stopped_at"},
            {":before": columns.instant(stopped_before)},
        )
        gone = [
            self._kind.delete(str(item["sk"]))
            for item in self._kind.table.query(self._kind.name, where=stopped)
        ]
        for begin in range(0, len(gone), MOST_CHANGES):
            self._kind.store(gone[begin : begin + MOST_CHANGES], None)
        return len(gone)
