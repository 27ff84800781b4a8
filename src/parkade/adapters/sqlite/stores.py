"""All stores of one state folder: those of its database, and what was spent in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.sqlite.bookings import SqliteBookingStore
from parkade.adapters.sqlite.budgets import SqliteBudgetStore
from parkade.adapters.sqlite.deployments import SqliteDeploymentStore
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.executions import SqliteExecutionStore
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.letters import SqliteLetterStore
from parkade.adapters.sqlite.projects import SqliteProjectStore
from parkade.adapters.sqlite.remains import SqliteRemainsStore
from parkade.adapters.sqlite.routes import SqliteRouteStore
from parkade.adapters.sqlite.spend import SqliteSpendStore
from parkade.adapters.sqlite.subscribers import SqliteSubscriberStore
from parkade.adapters.sqlite.targets import SqliteTargetStore
from parkade.adapters.sqlite.terms import SqliteTermsStore
from parkade.adapters.sqlite.testers import SqliteTesterStore
from parkade.adapters.sqlite.watches import SqliteWatchStore

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.adapters.sqlite.database import Database


class SqliteStores:
    """One store of each kind; together they write to one database and one history."""

    def __init__(self, database: Database, *, spend: Path) -> None:
        """Take the database, and the file of what was spent, which is opened at first use."""
        self.history = SqliteHistory(database)
        self.book = SqliteLeaseBook(database)
        self.terms = SqliteTermsStore(database)
        self.bookings = SqliteBookingStore(database)
        self.budgets = SqliteBudgetStore(database)
        self.watches = SqliteWatchStore(database)
        self.remains = SqliteRemainsStore(database)
        self.deployments = SqliteDeploymentStore(database)
        self.spend = SqliteSpendStore(spend)
        self.subscribers = SqliteSubscriberStore(database)
        self.letters = SqliteLetterStore(database)
        self.executions = SqliteExecutionStore(database)
        self.routes = SqliteRouteStore(database)
        self.targets = SqliteTargetStore(database)
        self.testers = SqliteTesterStore(database)
        self.projects = SqliteProjectStore(database)

    def close(self) -> None:
        """Close the file of what was spent; the database is its opener's to close."""
        self.spend.close()
