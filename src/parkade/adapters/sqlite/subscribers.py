"""Subscribers: one document each."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import AlreadyExists, SubscriberNotFound
from parkade.domain.subscriber import Subscriber

if TYPE_CHECKING:
    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class SqliteSubscriberStore:
    """The subscriber store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Subscriber, "subscriber")

    def add(self, subscriber: Subscriber, event: Event) -> None:
        """Store a new subscriber."""
        row = (subscriber.name, self._documents.write(subscriber))
        with self._database.writing() as connection:
            try:
                connection.execute("INSERT INTO subscribers VALUES (?, ?)", row)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"there is already a subscriber {subscriber.name!r}") from error
            record(connection, event)

    def replace(self, subscriber: Subscriber, event: Event) -> None:
        """Store the subscriber over the one of its name."""
        row = (self._documents.write(subscriber), subscriber.name)
        with self._database.writing() as connection:
            statement = "UPDATE subscribers SET content = ? WHERE name = ?"
            if not connection.execute(statement, row).rowcount:
                raise _unknown(subscriber.name)
            record(connection, event)

    def remove(self, name: str, event: Event) -> None:
        """Remove the subscriber."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM subscribers WHERE name = ?", (name,)).rowcount:
                raise _unknown(name)
            record(connection, event)

    def all(self) -> Listing[Subscriber]:
        """Return every subscriber in the order of names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM subscribers ORDER BY name").fetchall()
        return self._documents.listing(rows)


def _unknown(name: str) -> SubscriberNotFound:
    return SubscriberNotFound(f"no subscriber has the name {name!r}")
