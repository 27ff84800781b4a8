"""How every function begins: its log, its settings, and its services at the first call.

A module of this room has `handler`, which is a `Function`. Nothing is built on import, so that what
is wrong with the environment is told as the error of a call, by name, and in the log.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.collecting import uncollected
from parkade.apps.logs import JsonLines
from parkade.apps.settings import function_settings
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.settings import FunctionSettings

logger = logging.getLogger(__name__)

#: What log lines say of the invocation under way.
_TOLD: ContextVar[Mapping[str, str]] = ContextVar("told", default={})  # noqa: B039  it is never changed, only replaced


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation, as far as a function needs to know of it."""

    request_id: str
    #: How much time is left before Lambda ends it.
    left: Callable[[], timedelta]


class Function:
    """What Lambda calls. `build` gives what answers its calls, once in the life of a process."""

    def __init__(self, build: Callable[[FunctionSettings], Callable[[Any, Call], Any]]) -> None:
        self._build = build
        self._answer: Callable[[Any, Call], Any] | None = None

    def __call__(self, event: Any, context: Any) -> Any:
        """Answer one invocation; what goes wrong is logged, and raised for Lambda to count."""
        settings = function_settings()
        request_id = str(context.aws_request_id)
        token = _TOLD.set({"requestId": request_id, "traceId": settings.trace_id})
        try:
            if self._answer is None:
                to_lambda()
                with uncollected():
                    self._answer = self._build(settings)
            return self._answer(event, Call(request_id, _left(context)))
        except ParkadeError as error:
            # `raise` gives Lambda the message alone; the hint is in the log.
            logger.error("%s", error.message, extra={"hint": error.hint})  # noqa: TRY400  no bug
            raise
        finally:
            _TOLD.reset(token)


def _left(context: Any) -> Callable[[], timedelta]:
    def left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    return left


class _Lines(JsonLines):
    """Log lines with the names that Lambda's own JSON log format has, which it filters by."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        vars(record).update(_TOLD.get(), timestamp=at, level=record.levelname)
        return super().format(record)


def to_lambda(level: int = logging.INFO) -> None:
    """Send the log lines of this process where Lambda gathers them, in the place of its own."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It tells of each client where its credentials were found.
    logging.getLogger("botocore").setLevel(logging.WARNING)
