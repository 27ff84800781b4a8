"""The file of measurements: its tables, and its connections.

It is a file of its own, so that a damaged or full one never touches leases, and it is opened when
it is first used, so that Parkade starts without it. One connection writes; each reader has one
beside it, since in WAL mode neither waits for the other.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.errors import translated
from parkade.adapters.sqlite.reopening import Reopening
from parkade.adapters.sqlite.schema import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Marks the file as Parkade's own: "PRKM".
APPLICATION_ID = 0x50524B4D

LAYOUT = Layout(
    application_id=APPLICATION_ID,
    migrations=(
        (
            f"PRAGMA application_id = {APPLICATION_ID}",
            # AUTOINCREMENT: what was stored of a series that is forgotten is never another one's.
            """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                namespace TEXT NOT NULL,
                name TEXT NOT NULL,
                dimensions TEXT NOT NULL,
                unit TEXT NOT NULL,
                newest INTEGER NOT NULL,
                UNIQUE (namespace, name, dimensions)
            )
            """,
            # Both in the order of time before that of series: a minute's points of all series are
            # written side by side, and what is too old is cut off at one end.
            """
            CREATE TABLE points (
                seconds INTEGER NOT NULL,
                at INTEGER NOT NULL,
                series INTEGER NOT NULL,
                count REAL NOT NULL,
                total REAL NOT NULL,
                least REAL NOT NULL,
                most REAL NOT NULL,
                buckets BLOB,
                PRIMARY KEY (seconds, at, series)
            ) WITHOUT ROWID
            """,
            """
            CREATE TABLE packs (
                level INTEGER NOT NULL,
                at INTEGER NOT NULL,
                series INTEGER NOT NULL,
                content BLOB NOT NULL,
                PRIMARY KEY (level, at, series)
            ) WITHOUT ROWID
            """,
        ),
    ),
    # The last seconds before a power cut are not worth a wait for the disk each second.
    synchronous="NORMAL",
)


class MetricsFile:
    """Opens the file when it is used; as long as that fails, each use tries again and tells why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = Reopening(path, LAYOUT)
        self._lock = threading.Lock()
        #: Connections that nobody reads by at present, and which opening of the file they are of.
        self._idle: list[tuple[int, sqlite3.Connection]] = []

    @contextmanager
    def adding(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes, in a transaction.

        Raises Unavailable, once, where the file that was in use was taken away.
        """
        with self._file.to_write().writing() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes, in a transaction, for what is no addition."""
        with self._file.to_read().writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees the file as it is now, whatever is written meanwhile."""
        self._file.to_read()
        times = self._file.times
        with translated(self._path):
            connection = self._taken_up(times) or self._connected()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._idle.append((times, connection))

    def close(self) -> None:
        """Close the file; the next use would open it again."""
        with self._lock:
            idle, self._idle = self._idle, []
        with translated(self._path):
            for _, connection in idle:
                connection.close()
        self._file.close()

    def _taken_up(self, times: int) -> sqlite3.Connection | None:
        """Return an idle connection to the file that is there now; those to others are closed."""
        with self._lock:
            while self._idle:
                opened, connection = self._idle.pop()
                if opened == times:
                    return connection
                connection.close()
        return None

    def _connected(self) -> sqlite3.Connection:
        # It must not make a file: that has no tables.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        # Broken text must not hide the rows beside it.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA query_only = ON")
        return connection
