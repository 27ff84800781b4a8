"""Budgets: an item an owner, written together with the owner's purse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb import purses
from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.kind import THERE, Kind
from parkade.domain.budget import Budget
from parkade.domain.errors import NotFound

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.budgets import Purse
    from parkade.ports.catalog import Listing


class DynamoBudgetStore:
    """The budget store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "budget", Budget, "the budget of")
        self._table = history.table

    def get(self, owner: str) -> Budget | None:
        """Return the budget, if there is one."""
        return self._kind.find(owner)

    def all(self) -> Listing[Budget]:
        """Return every budget in the order of owners, those apart that cannot be read."""
        return self._kind.listing()

    def put(self, budget: Budget, event: Event) -> Budget:
        """Store budget and event in one transaction, and have what is decided decided again."""
        for attempt in contended():
            with attempt:
                purse = self.purse(budget.owner)
                stored = replace(budget, version=purse.version + 1)
                written = self._kind.put(budget.owner, stored)
                self._kind.store([purses.spend(self._table, purse), written], event)
        return stored

    def remove(self, owner: str, event: Event) -> None:
        """Remove the budget."""
        gone = self._kind.delete(owner, where=THERE, lost=lambda _: _none_of(owner))
        self._kind.store([gone, purses.empty(self._table, owner)], event)

    def purse(self, owner: str) -> Purse:
        """Return the owner's purse."""
        return purses.read(self._table, owner)


def _none_of(owner: str) -> ParkadeError:
    return NotFound(
        f"{owner!r} has no budget", hint=f"make one: parkade budget set {owner} 50 --per week"
    )
