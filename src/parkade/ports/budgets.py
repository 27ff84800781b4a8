"""Budgets, stored; and the purses that keep parallel payments apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.budget import Budget
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What an owner pays from: its version counts the times that something was paid.

    Whoever decides on what is left reads the version first, and stores the decision only where it
    is still the same: of two that decide at once, one is told to decide again.
    """

    owner: str
    version: int


class BudgetStore(Protocol):
    """Stores one budget an owner; each write appends its event and spends the owner's purse."""

    def get(self, owner: str) -> Budget | None:
        """Return the budget; None: there is none. Raises Unreadable where it is damaged."""
        ...

    def all(self) -> Listing[Budget]:
        """Return every budget in the order of owners; a damaged one never hides the others."""
        ...

    def put(self, budget: Budget, event: Event) -> Budget:
        """Store the budget over the one of its owner, damaged or not; return it as stored."""
        ...

    def remove(self, owner: str, event: Event) -> None:
        """Remove the budget, damaged or not. Raises NotFound where there is none."""
        ...

    def purse(self, owner: str) -> Purse:
        """Return the owner's purse as it is now. It is spent by the store of what is paid."""
        ...
