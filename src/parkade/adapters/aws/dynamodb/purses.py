"""Purses: what owners pay from, compared and set in the transaction of what is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import absent, equal
from parkade.adapters.documents import columns
from parkade.domain.errors import VersionConflict
from parkade.ports.budgets import Purse

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.table import Table

KIND = "purse"
#: The version of a purse that nothing was paid from yet.
_NEW = 0


def read(table: Table, owner: str) -> Purse:
    """Return the owner's purse. Raises Unreadable."""
    item = table.get(KIND, owner)
    if item is None:
        return Purse(owner=owner, version=_NEW)
    with columns.reading(f"the purse of {owner!r}"):
        return Purse(owner=owner, version=columns.read_number(item, "version"))


def spend(table: Table, purse: Purse) -> Change:
    """Pay from the purse, in a transaction with what is paid.

    It fails with VersionConflict where something else was paid from it since it was read.
    """

    def lost(_: Item | None) -> VersionConflict:
        return VersionConflict(
            f"something else was paid for {purse.owner!r} meanwhile",
            hint="look again at what is left, then decide again",
        )

    unpaid = absent(table.shape.partition)
    return table.change.put(
        (KIND, purse.owner),
        {"version": purse.version + 1},
        where=unpaid if purse.version == _NEW else equal(version=purse.version),
        lost=lost,
    )


def empty(table: Table, owner: str) -> Change:
    """Make every decision that rests on the purse as it was be taken again."""
    return table.change.add((KIND, owner), "version", 1)
