"""SQLite's errors in our own words; no other module of this folder translates."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError, ResourceLimitExceeded, Unavailable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Result codes without their extension (https://sqlite.org/rescode.html).
_PRIMARY = 0xFF
#: The last is what a crowd gets that reads a WAL while it is begun, or read again after a crash.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_RETRY = timedelta(seconds=1)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise what the environment is to blame for as ParkadeError; let bugs be bugs."""
    try:
        yield
    except UnicodeDecodeError as error:
        # SQLite's own words quote what is damaged.
        raise unreadable(path, "its tables are damaged") from error
    except sqlite3.Error as error:
        known = _translate(path, error)
        if known is None:
            raise
        raise known from error


def busy(error: sqlite3.Error) -> bool:
    """Tell whether another process was in the way."""
    return _code(error) in _BUSY


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


def _translate(path: Path, error: sqlite3.Error) -> ParkadeError | None:
    match _code(error):
        case code if code in _BUSY:
            return Unavailable(
                f"the database {path} is in use by another process ({error})",
                retry_after=_RETRY,
                hint="try again; if it goes on, look for a process that keeps it locked",
            )
        case sqlite3.SQLITE_FULL:
            return ResourceLimitExceeded(
                f"the disk of the database {path} is full ({error})",
                hint="make room; nothing was changed",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return unreadable(path, str(error))
        case (
            sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_PERM
        ):
            return Unavailable(
                f"the database {path} cannot be used ({error})",
                retry_after=_RETRY,
                hint="check that its folder exists, is yours to write, and that the disk works",
            )
        case _:
            return None


def unreadable(path: Path, why: str) -> Unreadable:
    """Say that the file is no database of ours, and what to do."""
    return Unreadable(
        f"{path} is not a readable Parkade database: {why}",
        hint=f"nothing was changed; move {path.name}, {path.name}-wal and {path.name}-shm away "
        "together and put a good copy there, or start on another state folder",
    )
