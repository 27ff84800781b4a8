"""Log lines of Parkade's own processes: one JSON object a line, on standard error.

The supervisor gives each process a file of its own for it.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

#: What every log record has; anything else was given with `extra=`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON with the instant in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback becomes the member `traceback`."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def to_standard_error(level: int = logging.INFO) -> None:
    """Send the log lines of this process to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # One line a request is the gateway's counters' business, not the log's.
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
