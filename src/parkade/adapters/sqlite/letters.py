"""How far subscribers have got, and their letters: one document each."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import LetterNotFound, Unreadable
from parkade.domain.subscriber import Letter, Progress

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event

logger = logging.getLogger(__name__)


class SqliteLetterStore:
    """The letter store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._progress = Documents(Progress, "the progress of subscriber")
        self._letters = Documents(Letter, "letter")

    def begin(self, subscriber: str, number: int) -> Progress:
        """Return its progress, made here where there is none that can be read."""
        fresh = Progress(subscriber=subscriber, number=number)
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT * FROM progress WHERE subscriber = ?", (subscriber,)
            ).fetchone()
            if row is not None:
                try:
                    return self._progress.read(subscriber, row["content"])
                except Unreadable as error:
                    logger.error("%s; it begins at event %d", error.message, number)  # noqa: TRY400
            connection.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?)",
                (subscriber, self._progress.write(fresh)),
            )
        return fresh

    def progress(self) -> Mapping[str, Progress]:
        """Return all progress that can be read."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM progress").fetchall()
        found: dict[str, Progress] = {}
        for row in rows:
            name = str(row["subscriber"])
            try:
                found[name] = self._progress.read(name, row["content"])
            except Unreadable as error:
                logger.error("%s", error.message)  # noqa: TRY400  no fault of ours
        return found

    def note(self, progress: Progress) -> None:
        """Store it where the subscriber is not forgotten."""
        with self._database.writing() as connection:
            self._note(connection, progress)

    def bury(self, letter: Letter, progress: Progress, event: Event | None = None) -> None:
        """Keep the letter where the subscriber is not forgotten."""
        with self._database.writing() as connection:
            if not self._note(connection, progress):
                return
            connection.execute(
                "INSERT INTO letters (subscriber, content) VALUES (?, ?)",
                (letter.subscriber, self._letters.write(letter)),
            )
            if event is not None:
                record(connection, event)

    def forget(self, subscriber: str) -> int:
        """Forget progress and letters."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM progress WHERE subscriber = ?", (subscriber,))
            return connection.execute(
                "DELETE FROM letters WHERE subscriber = ?", (subscriber,)
            ).rowcount

    def letters(
        self, *, subscriber: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Letter]:
        """Return the oldest, without those that cannot be read."""
        statement = "SELECT * FROM letters WHERE id > ? ORDER BY id LIMIT ?"
        values: tuple[str | int, ...] = (after, max(0, limit))
        if subscriber is not None:
            statement = statement.replace("id > ?", "subscriber = ? AND id > ?")
            values = (subscriber, *values)
        with self._database.reading() as connection:
            rows = connection.execute(statement, values).fetchall()
        found = []
        for row in rows:
            try:
                found.append(self._letter(row))
            except Unreadable as error:
                logger.error("%s", error.message)  # noqa: TRY400  no fault of ours
        return found

    def letter(self, letter_id: int) -> Letter:
        """Return the letter."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM letters WHERE id = ?", (letter_id,)).fetchone()
        if row is None:
            raise _unknown(letter_id)
        return self._letter(row)

    def counts(self) -> Mapping[str, int]:
        """Count the letters of each subscriber."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT subscriber, count(*) AS letters FROM letters GROUP BY subscriber"
            ).fetchall()
        return {str(row["subscriber"]): int(row["letters"]) for row in rows}

    def drop(self, letter_id: int, event: Event) -> None:
        """Remove the letter."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM letters WHERE id = ?", (letter_id,)).rowcount:
                raise _unknown(letter_id)
            record(connection, event)

    def _note(self, connection: sqlite3.Connection, progress: Progress) -> bool:
        statement = "UPDATE progress SET content = ? WHERE subscriber = ?"
        values = (self._progress.write(progress), progress.subscriber)
        return connection.execute(statement, values).rowcount == 1

    def _letter(self, row: sqlite3.Row) -> Letter:
        return replace(self._letters.read(str(row["id"]), row["content"]), id=int(row["id"]))


def _unknown(letter_id: int) -> LetterNotFound:
    return LetterNotFound(f"no letter has the id {letter_id}", hint="see: parkade letters ls")
