"""A file that is opened at its first use, and anew where somebody took it away.

A connection goes on with a file that was removed or replaced: what it writes is stored nowhere that
anybody will find. So each use looks whether the file of this name is still the one that was opened.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.database import Database
from parkade.domain.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.adapters.sqlite.schema import Layout

logger = logging.getLogger(__name__)


class Reopening:
    """Opens the file when it is used; as long as that fails, each use tries again and tells why."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._database: Database | None = None
        self._identity: tuple[int, int] | None = None
        #: Whether a file was taken away, and nobody who writes has heard of it.
        self._taken = False
        self._lock = threading.Lock()
        #: How often it was opened: connections of another time are of another file.
        self.times = 0

    def to_read(self) -> Database:
        """Return the file that is there now. Raises what opening it raises."""
        with self._lock:
            if self._database is not None and _identity(self._path) != self._identity:
                logger.error("%s was taken away while it was in use", self._path)
                self._taken = True
                self._let_go()
            if self._database is None:
                self._database = Database(self._path, layout=self._layout)
                self._identity = _identity(self._path)
                self.times += 1
            return self._database

    def to_write(self) -> Database:
        """Return the file that is there now.

        Raises Unavailable, once, where the one that was in use was taken away: whoever writes
        tells people.
        """
        database = self.to_read()
        with self._lock:
            taken, self._taken = self._taken, False
        if taken:
            raise Unavailable(
                f"{self._path} was removed or replaced while it was in use: what it held is not "
                "there any more, and the file that is there now is gone on with",
                hint=f"to go on with a copy: stop Parkade, put {self._path.name} there, start it",
            )
        return database

    def close(self) -> None:
        """Close the file; the next use would open it again."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        # Before another one is opened: two that share a WAL by its name spoil it for each other.
        database, self._database, self._identity = self._database, None, None
        if database is not None:
            database.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another one of its name; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
