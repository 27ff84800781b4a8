"""Executions: invocations that outlast an API gateway's patience."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExecutionStatus(StrEnum):
    """Step Functions' words, as the seed's API answers them."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One stored invocation. `output` is the endpoint's answer as text; `cause` why it failed."""

    arn: str
    #: Name of the token that started it; only it and operators may see it.
    token_name: str
    endpoint_name: str
    body: str
    status: ExecutionStatus
    started_at: datetime
    stopped_at: datetime | None = None
    output: str = ""
    error: str = ""
    cause: str = ""
    #: How often it was begun; more than once after a crash.
    attempts: int = 0


class ExecutionStore(Protocol):
    """Stores executions by ARN."""

    def put(self, execution: Execution) -> None:
        """Store the execution over the one of its ARN, if any."""
        ...

    def get(self, arn: str) -> Execution:
        """Return the execution. Raises ExecutionNotFound."""
        ...

    def running(self) -> Sequence[Execution]:
        """Return those whose status is RUNNING, oldest first."""
        ...

    def forget(self, stopped_before: datetime) -> int:
        """Delete those that stopped before the instant; return how many."""
        ...
