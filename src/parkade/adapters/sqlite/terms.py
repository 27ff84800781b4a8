"""Terms: one document a lease, which goes with the lease's row."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import LeaseNotFound, Unreadable, VersionConflict
from parkade.domain.terms import Terms

if TYPE_CHECKING:
    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_SELECT = "SELECT endpoint_name, content FROM terms"


class SqliteTermsStore:
    """The terms store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Terms, "the terms of")

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms, if there are any."""
        with self._database.reading() as connection:
            return self._find(connection, endpoint_name)

    def all(self) -> Listing[Terms]:
        """Return all terms in the order of endpoint names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY endpoint_name").fetchall()
        return self._documents.listing(rows)

    def put(self, terms: Terms, event: Event) -> Terms:
        """Store terms and event in one transaction, unless another write came first."""
        name = terms.endpoint_name
        stored = replace(terms, version=terms.version + 1)
        with self._database.writing() as connection:
            if self._version(connection, name) != terms.version:
                raise VersionConflict(
                    f"the terms of {name!r} were changed by somebody else",
                    hint="read them again, then decide again",
                )
            try:
                connection.execute(
                    "INSERT INTO terms VALUES (?, ?)"
                    " ON CONFLICT DO UPDATE SET content = excluded.content",
                    (name, self._documents.write(stored)),
                )
            except sqlite3.IntegrityError as error:
                raise LeaseNotFound(
                    f"there is no lease for {name!r}, so nothing can be settled about it",
                    hint=f"make one: parkade add {name} --config CONFIG --minutes 30",
                ) from error
            record(connection, event)
        return stored

    def _version(self, connection: sqlite3.Connection, endpoint_name: str) -> int:
        try:
            found = self._find(connection, endpoint_name)
        except Unreadable:
            return 0  # what is set anew takes the place of what nobody can read
        return found.version if found else 0

    def _find(self, connection: sqlite3.Connection, endpoint_name: str) -> Terms | None:
        row = connection.execute(f"{_SELECT} WHERE endpoint_name = ?", (endpoint_name,)).fetchone()
        return None if row is None else self._documents.read(endpoint_name, row["content"])
