"""Executions in a dictionary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from parkade.domain.errors import ExecutionNotFound
from parkade.ports.executions import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.ports.executions import Execution


class MemoryExecutionStore:
    """The execution store port."""

    def __init__(self) -> None:
        self._executions: dict[str, Execution] = {}
        self._lock = threading.Lock()

    def put(self, execution: Execution) -> None:
        """Store the execution over the one of its ARN."""
        with self._lock:
            self._executions[execution.arn] = execution

    def get(self, arn: str) -> Execution:
        """Return the execution."""
        with self._lock:
            found = self._executions.get(arn)
        if found is None:
            raise ExecutionNotFound(f"there is no execution {arn!r}")
        return found

    def running(self) -> Sequence[Execution]:
        """Return the running ones, oldest first."""
        with self._lock:
            running = [e for e in self._executions.values() if e.status is ExecutionStatus.RUNNING]
        return sorted(running, key=lambda execution: (execution.started_at, execution.arn))

    def forget(self, stopped_before: datetime) -> int:
        """Delete those that stopped before the instant."""
        with self._lock:
            old = [
                execution.arn
                for execution in self._executions.values()
                if execution.stopped_at is not None and execution.stopped_at < stopped_before
            ]
            for arn in old:
                del self._executions[arn]
        return len(old)
