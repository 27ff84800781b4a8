"""All stores of one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.bookings import DynamoBookingStore
from parkade.adapters.aws.dynamodb.budgets import DynamoBudgetStore
from parkade.adapters.aws.dynamodb.deployments import DynamoDeploymentStore
from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.executions import DynamoExecutionStore
from parkade.adapters.aws.dynamodb.leases import DynamoLeaseBook
from parkade.adapters.aws.dynamodb.letters import DynamoLetterStore
from parkade.adapters.aws.dynamodb.projects import DynamoProjectStore
from parkade.adapters.aws.dynamodb.remains import DynamoRemainsStore
from parkade.adapters.aws.dynamodb.routes import DynamoRouteStore
from parkade.adapters.aws.dynamodb.sights import DynamoSightStore
from parkade.adapters.aws.dynamodb.spend import DynamoSpendStore
from parkade.adapters.aws.dynamodb.subscribers import DynamoSubscriberStore
from parkade.adapters.aws.dynamodb.tags import DynamoTagStore
from parkade.adapters.aws.dynamodb.targets import DynamoTargetStore
from parkade.adapters.aws.dynamodb.terms import DynamoTermsStore
from parkade.adapters.aws.dynamodb.testers import DynamoTesterStore
from parkade.adapters.aws.dynamodb.watches import DynamoWatchStore

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.table import Table
    from parkade.ports.clock import Clock


class DynamoStores:
    """One store of each kind; together they write to one table and one history.

    Making them calls nobody: each asks the table when it is asked.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        """Take the main table, and the clock of real time that numbers events."""
        self.history = DynamoHistory(table, clock)
        self.book = DynamoLeaseBook(self.history)
        self.terms = DynamoTermsStore(self.history)
        self.bookings = DynamoBookingStore(self.history)
        self.budgets = DynamoBudgetStore(self.history)
        self.watches = DynamoWatchStore(self.history)
        self.remains = DynamoRemainsStore(self.history)
        self.deployments = DynamoDeploymentStore(self.history)
        self.spend = DynamoSpendStore(table)
        self.subscribers = DynamoSubscriberStore(self.history)
        self.letters = DynamoLetterStore(self.history)
        self.executions = DynamoExecutionStore(self.history)
        self.routes = DynamoRouteStore(self.history)
        self.targets = DynamoTargetStore(self.history)
        self.testers = DynamoTesterStore(self.history)
        self.projects = DynamoProjectStore(self.history)
        #: Tags of endpoints that are not there, or not any more.
        self.tags = DynamoTagStore(table)
        #: How endpoints were last seen.
        self.sights = DynamoSightStore(self.history)

    def close(self) -> None:
        """Let go of nothing: clients are the account's."""
