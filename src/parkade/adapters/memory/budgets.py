"""Budgets in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import NotFound, Unreadable
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.adapters.memory.purses import MemoryPurses
    from parkade.domain.budget import Budget
    from parkade.domain.event import Event
    from parkade.ports.budgets import Purse
    from parkade.ports.events import History


class MemoryBudgetStore:
    """The budget store port. `damage` makes a budget unreadable, as a broken disk would."""

    def __init__(self, history: History, purses: MemoryPurses) -> None:
        self._history = history
        self._purses = purses
        self._budgets: dict[str, Budget] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, owner: str, why: str) -> None:
        """Make the budget of this owner unreadable until it is set anew."""
        with self._lock:
            self._budgets.pop(owner, None)
            self._damaged[owner] = why

    def get(self, owner: str) -> Budget | None:
        """Return the budget, if there is one."""
        with self._lock:
            if owner in self._damaged:
                raise Unreadable(f"the budget of {owner!r} cannot be read: {self._damaged[owner]}")
            return self._budgets.get(owner)

    def all(self) -> Listing[Budget]:
        """Return every budget in the order of owners."""
        with self._lock:
            records = tuple(self._budgets[owner] for owner in sorted(self._budgets))
            return Listing(records, dict(sorted(self._damaged.items())))

    def put(self, budget: Budget, event: Event) -> Budget:
        """Store the budget."""
        with self._lock:
            self._history.append(event)
            self._purses.empty(budget.owner)
            stored = replace(budget, version=self._purses.read(budget.owner).version)
            self._damaged.pop(budget.owner, None)
            self._budgets[budget.owner] = stored
        return stored

    def remove(self, owner: str, event: Event) -> None:
        """Remove the budget."""
        with self._lock:
            if owner not in self._budgets and owner not in self._damaged:
                raise NotFound(
                    f"{owner!r} has no budget",
                    hint=f"make one: parkade budget set {owner} 50 --per week",
                )
            self._history.append(event)
            self._purses.empty(owner)
            self._budgets.pop(owner, None)
            self._damaged.pop(owner, None)

    def purse(self, owner: str) -> Purse:
        """Return the owner's purse."""
        return self._purses.read(owner)
