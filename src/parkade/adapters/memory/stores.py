"""All stores of one process, which go with it."""

from __future__ import annotations

from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.budgets import MemoryBudgetStore
from parkade.adapters.memory.deployments import MemoryDeploymentStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.executions import MemoryExecutionStore
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.letters import MemoryLetterStore
from parkade.adapters.memory.projects import MemoryProjectStore
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.routes import MemoryRouteStore
from parkade.adapters.memory.spend import MemorySpendStore
from parkade.adapters.memory.subscribers import MemorySubscriberStore
from parkade.adapters.memory.targets import MemoryTargetStore
from parkade.adapters.memory.terms import MemoryTermsStore
from parkade.adapters.memory.testers import MemoryTesterStore
from parkade.adapters.memory.watches import MemoryWatchStore


class MemoryStores:
    """One store of each kind, on one history."""

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
        self.subscribers = MemorySubscriberStore(history)
        self.letters = MemoryLetterStore(history)
        self.executions = MemoryExecutionStore()
        self.routes = MemoryRouteStore(history)
        self.targets = MemoryTargetStore(history)
        self.testers = MemoryTesterStore(history)
        self.projects = MemoryProjectStore(history)

    def close(self) -> None:
        """Do nothing: nothing is held open."""
