"""Values as columns and back. What comes back is checked: a file can be damaged or edited.

Readers raise Unreadable that names the column; whoever reads the row adds its name.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from parkade.domain.errors import InvalidInput, Unreadable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

Column: TypeAlias = str | int | float | None
Row: TypeAlias = "sqlite3.Row | Mapping[str, Any]"
_MEND = "it is left alone; put it right in the database, or restore a copy"
_Word = TypeVar("_Word", bound=StrEnum)


def instant(value: datetime) -> str:
    """Write an instant: `2026-03-01T12:00:00.000000+00:00`."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def instant_or_none(value: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return None if value is None else instant(value)


def read_text(row: Row, column: str) -> str:
    """Read a text."""
    value = row[column]
    if not isinstance(value, str) or not (value.isascii() or _encodes(value)):
        raise Unreadable(f"its {column} {value!r} is not a text")
    return value


def read_number(row: Row, column: str, *, least: int = 0) -> int:
    """Read a whole number."""
    value = row[column]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Unreadable(f"its {column} {value!r} is not a whole number of {least} or more")
    return value


def read_amount_or_none(row: Row, column: str) -> float | None:
    """Read a number, maybe with a fraction, that may be missing."""
    value = row[column]
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise Unreadable(f"its {column} {value!r} is not a number")
    return value


def read_flag(row: Row, column: str) -> bool:
    """Read a truth value, stored as 0 or 1."""
    if row[column] not in {0, 1}:
        raise Unreadable(f"its {column} {row[column]!r} is neither 0 nor 1")
    return bool(row[column])


def read_instant(row: Row, column: str) -> datetime:
    """Read an instant."""
    text = read_text(row, column)
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"its {column} {text!r} is not an instant") from error
    if value.utcoffset() != timedelta(0):
        raise Unreadable(f"its {column} {text!r} is not an instant in UTC")
    return value.astimezone(UTC)


def read_instant_or_none(row: Row, column: str) -> datetime | None:
    """Read an instant that may be missing."""
    return None if row[column] is None else read_instant(row, column)


def read_word(row: Row, column: str, words: type[_Word]) -> _Word:
    """Read one of a set of words."""
    text = read_text(row, column)
    try:
        return words(text)
    except ValueError as error:
        raise Unreadable(f"its {column} {text!r} is not one of {', '.join(words)}") from error


def read_json(row: Row, column: str) -> Any:
    """Read a JSON document."""
    text = read_text(row, column)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreadable(f"its {column} {text[:80]!r} is not JSON") from error


def read_object(row: Row, column: str) -> dict[str, Any]:
    """Read a JSON object."""
    value = read_json(row, column)
    if not isinstance(value, dict):
        raise Unreadable(f"its {column} {value!r} is not an object")
    return value


def read_texts(row: Row, column: str) -> list[str]:
    """Read a JSON list of texts."""
    value = read_json(row, column)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Unreadable(f"its {column} {value!r} is not a list of texts")
    return value


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say of which row an Unreadable is, and count a value that no rule allows as one."""
    try:
        yield
    except (Unreadable, InvalidInput) as error:
        raise Unreadable(
            f"{what} cannot be read: {error.message}",
            hint=_MEND,
        ) from error
    except KeyError as error:
        raise Unreadable(f"{what} cannot be read: it has no {error}", hint=_MEND) from error


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
