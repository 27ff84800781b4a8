"""A file, its connection and its transactions.

Each process has one connection to it, used by one thread at a time: calls are short, and SQLite
has one writer anyway. WAL lets other processes read meanwhile; what a commit outlives is the
layout's to say. A transaction takes the write lock at once (BEGIN IMMEDIATE), so that what it
reads cannot change before it writes.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from parkade.adapters.sqlite.errors import busy, translated, unreadable
from parkade.adapters.sqlite.schema import MAIN
from parkade.domain.errors import Unavailable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from parkade.adapters.sqlite.schema import Layout

#: Seconds to wait for another process's transaction.
BUSY_TIMEOUT = 10.0


class Database:
    """One SQLite file, created and migrated when opened.

    Raises Unreadable where the file is broken, another program's or from a newer Parkade;
    Unavailable where it cannot be opened or stays locked; ResourceLimitExceeded on a full disk.
    """

    def __init__(
        self, path: Path, *, layout: Layout = MAIN, busy_timeout: float = BUSY_TIMEOUT
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._closed = False
        self._listeners: list[Callable[[], None]] = []
        with translated(path):
            self._connection = _connect(path, busy_timeout)
        try:
            with translated(path):
                _prepare(self._connection, path, layout, busy_timeout)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one statement that reads."""
        with self._lock, translated(self.path):
            self._require_open()
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction: all is stored when the block ends, or nothing."""
        with self._lock, translated(self.path):
            self._require_open()
            with _transaction(self._connection):
                yield self._connection
        for listener in self._listeners:
            listener()

    def forget(self) -> None:
        """Empty the write-ahead log, in which what was deleted can still be read.

        Raises Unavailable where another process reads: what is there is then overwritten by later
        writes, and gone once the last process has closed the file.
        """
        with self._lock, translated(self.path):
            self._require_open()
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(f"the database {self.path} is being read by another process")

    def watch(self, listener: Callable[[], None]) -> None:
        """Have it called after every transaction of this process that was stored."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Close the file; nothing can be read or written any more."""
        with self._lock, translated(self.path):
            self._closed = True
            self._connection.close()

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable(f"the database {self.path} was closed meanwhile", hint="try again")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    try:
        # It holds digests of tokens: for this user's eyes. SQLite gives -wal and -shm the same mode.
        # A file that is there must not be opened and closed: with that, POSIX drops the locks of
        # all connections of this process, and the next process that closes its own would take
        # the WAL away from under them.
        if not path.is_file():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(
            f"the database {path} cannot be opened: {error.strerror}",
            hint="check that its folder exists and is yours to write",
        ) from error
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    # Broken text must not hide the rows beside it; columns.py finds and reports it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _prepare(
    connection: sqlite3.Connection, path: Path, layout: Layout, busy_timeout: float
) -> None:
    # First, so that nobody else's file is changed.
    _require_ours(connection, path, layout)
    # SQLite does not wait by itself where two processes switch a new file to WAL.
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, sqlite3.Error) and busy(error)),
        stop=stop_after_delay(busy_timeout),
        wait=wait_random(0.01, 0.05),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {layout.synchronous}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA secure_delete = {'ON' if layout.secrets else 'OFF'}")
    if _version(connection) < len(layout.migrations):
        with _transaction(connection):
            _migrate(connection, path, layout)


def _migrate(connection: sqlite3.Connection, path: Path, layout: Layout) -> None:
    _require_ours(connection, path, layout)  # another process may have been faster
    for migration in layout.migrations[_version(connection) :]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(layout.migrations)}")


def _require_ours(connection: sqlite3.Connection, path: Path, layout: Layout) -> None:
    # In this order: another process that makes the file commits both at once, and whoever has
    # seen its tables sees its name on them as well.
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    owner = _pragma(connection, "application_id")
    if owner != layout.application_id and (owner or tables):
        raise unreadable(path, "it belongs to another program")
    if (version := _version(connection)) > len(layout.migrations):
        raise Unreadable(
            f"{path} was written by a newer Parkade (schema {version}; this one knows "
            f"{len(layout.migrations)})",
            hint="use that version again, or start on another state folder",
        )


def _version(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "user_version")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
