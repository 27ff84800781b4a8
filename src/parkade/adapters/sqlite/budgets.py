"""Budgets: one document an owner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite import purses
from parkade.adapters.sqlite.events import record
from parkade.domain.budget import Budget
from parkade.domain.errors import NotFound

if TYPE_CHECKING:
    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.budgets import Purse
    from parkade.ports.catalog import Listing


class SqliteBudgetStore:
    """The budget store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Budget, "the budget of")

    def get(self, owner: str) -> Budget | None:
        """Return the budget, if there is one."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT content FROM budgets WHERE owner = ?", (owner,)
            ).fetchone()
        return None if row is None else self._documents.read(owner, row["content"])

    def all(self) -> Listing[Budget]:
        """Return every budget in the order of owners, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM budgets ORDER BY owner").fetchall()
        return self._documents.listing(rows)

    def put(self, budget: Budget, event: Event) -> Budget:
        """Store budget and event in one transaction, and have what is decided decided again."""
        with self._database.writing() as connection:
            purses.empty(connection, budget.owner)
            version = purses.read(connection, budget.owner).version
            stored = replace(budget, version=version)
            connection.execute(
                "INSERT INTO budgets VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET content = excluded.content",
                (budget.owner, self._documents.write(stored)),
            )
            record(connection, event)
        return stored

    def remove(self, owner: str, event: Event) -> None:
        """Remove the budget."""
        with self._database.writing() as connection:
            removed = connection.execute("DELETE FROM budgets WHERE owner = ?", (owner,))
            if removed.rowcount != 1:
                raise _none_of(owner)
            purses.empty(connection, owner)
            record(connection, event)

    def purse(self, owner: str) -> Purse:
        """Return the owner's purse."""
        with self._database.reading() as connection:
            return purses.read(connection, owner)


def _none_of(owner: str) -> NotFound:
    """Say that an owner has no budget."""
    return NotFound(
        f"{owner!r} has no budget", hint=f"make one: parkade budget set {owner} 50 --per week"
    )
