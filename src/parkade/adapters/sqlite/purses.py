"""Purses: what owners pay from, compared and set within the transaction of what is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.domain.errors import VersionConflict
from parkade.ports.budgets import Purse

if TYPE_CHECKING:
    import sqlite3

#: The version of a purse that nothing was paid from yet.
_NEW = 0


def read(connection: sqlite3.Connection, owner: str) -> Purse:
    """Return the owner's purse. Raises Unreadable."""
    row = connection.execute("SELECT version FROM purses WHERE owner = ?", (owner,)).fetchone()
    if row is None:
        return Purse(owner=owner, version=_NEW)
    with columns.reading(f"the purse of {owner!r}"):
        return Purse(owner=owner, version=columns.read_number(row, "version"))


def spend(connection: sqlite3.Connection, purse: Purse) -> None:
    """Pay from the purse within the caller's transaction.

    Raises VersionConflict where something else was paid from it since it was read.
    """
    if read(connection, purse.owner) != purse:
        raise VersionConflict(
            f"something else was paid for {purse.owner!r} meanwhile",
            hint="look again at what is left, then decide again",
        )
    empty(connection, purse.owner)


def empty(connection: sqlite3.Connection, owner: str) -> None:
    """Make every decision that rests on the purse as it was be taken again."""
    connection.execute(
        "INSERT INTO purses VALUES (?, ?) ON CONFLICT DO UPDATE SET version = version + 1",
        (owner, _NEW + 1),
    )
