"""The stores of one process, which go with it."""

from __future__ import annotations

from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.budgets import MemoryBudgetStore
from parkade.adapters.memory.deployments import MemoryDeploymentStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.spend import MemorySpendStore
from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.adapters.memory.watches import MemoryWatchStore


class MemoryStores:
    """One store of each kind that every cloud has, on one history."""

    def __init__(self) -> None:
        purses = MemoryPurses()
        self.history = history = MemoryHistory()
        self.book = MemoryLeaseBook(history, purses)
        self.terms = MemoryTermsStore(history, self.book)
        self.bookings = MemoryBookingStore(history, purses)
        self.budgets = MemoryBudgetStore(history, purses)
        self.watches = MemoryWatchStore(history)
        self.remains = MemoryRemainsStore()
        self.deployments = MemoryDeploymentStore(history)
        self.spend = MemorySpendStore()

    def close(self) -> None:
        """Do nothing: nothing is held open."""
