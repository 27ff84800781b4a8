"""All stores of one table."""

# ruff: noqa: PLC0415  a function that starts imports the stores alone that it uses

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.events import DynamoHistory

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.bookings import DynamoBookingStore
    from parkade.adapters.aws.dynamodb.budgets import DynamoBudgetStore
    from parkade.adapters.aws.dynamodb.deployments import DynamoDeploymentStore
    from parkade.adapters.aws.dynamodb.kept import DynamoKeptStore
    from parkade.adapters.aws.dynamodb.leases import DynamoLeaseBook
    from parkade.adapters.aws.dynamodb.remains import DynamoRemainsStore
    from parkade.adapters.aws.dynamodb.sights import DynamoSightStore
    from parkade.adapters.aws.dynamodb.spend import DynamoSpendStore
    from parkade.adapters.aws.dynamodb.table import Table
    from parkade.adapters.aws.dynamodb.tags import DynamoTagStore
    from parkade.adapters.aws.dynamodb.terms import DynamoTermsStore
    from parkade.adapters.aws.dynamodb.watches import DynamoWatchStore
    from parkade.ports.clock import Clock


class DynamoStores:
    """One store of each kind, made when it is first asked for; they write to one history.

    Making one calls nobody: it asks the table when it is asked.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        """Take the main table, and the clock of real time that numbers events."""
        self.history = DynamoHistory(table, clock)

    @cached_property
    def book(self) -> DynamoLeaseBook:
        """Leases."""
        from parkade.adapters.aws.dynamodb.leases import DynamoLeaseBook

        return DynamoLeaseBook(self.history)

    @cached_property
    def terms(self) -> DynamoTermsStore:
        """What is settled about leased endpoints."""
        from parkade.adapters.aws.dynamodb.terms import DynamoTermsStore

        return DynamoTermsStore(self.history)

    @cached_property
    def bookings(self) -> DynamoBookingStore:
        """Bookings."""
        from parkade.adapters.aws.dynamodb.bookings import DynamoBookingStore

        return DynamoBookingStore(self.history)

    @cached_property
    def budgets(self) -> DynamoBudgetStore:
        """Budgets and purses."""
        from parkade.adapters.aws.dynamodb.budgets import DynamoBudgetStore

        return DynamoBudgetStore(self.history)

    @cached_property
    def watches(self) -> DynamoWatchStore:
        """What the maintainer remembers."""
        from parkade.adapters.aws.dynamodb.watches import DynamoWatchStore

        return DynamoWatchStore(self.history)

    @cached_property
    def remains(self) -> DynamoRemainsStore:
        """What is left of endpoints that went; hosting keeps it here."""
        from parkade.adapters.aws.dynamodb.remains import DynamoRemainsStore

        return DynamoRemainsStore(self.history)

    @cached_property
    def deployments(self) -> DynamoDeploymentStore:
        """Deployments."""
        from parkade.adapters.aws.dynamodb.deployments import DynamoDeploymentStore

        return DynamoDeploymentStore(self.history)

    @cached_property
    def spend(self) -> DynamoSpendStore:
        """What was spent."""
        from parkade.adapters.aws.dynamodb.spend import DynamoSpendStore

        return DynamoSpendStore(self.history.table)

    @cached_property
    def tags(self) -> DynamoTagStore:
        """Tags of endpoints, whether they are there or not."""
        from parkade.adapters.aws.dynamodb.tags import DynamoTagStore

        return DynamoTagStore(self.history.table)

    @cached_property
    def kept(self) -> DynamoKeptStore:
        """What goes with endpoints that are not there."""
        from parkade.adapters.aws.dynamodb.kept import DynamoKeptStore

        return DynamoKeptStore(self.history)

    @cached_property
    def sights(self) -> DynamoSightStore:
        """How endpoints were last seen."""
        from parkade.adapters.aws.dynamodb.sights import DynamoSightStore

        return DynamoSightStore(self.history)

    def close(self) -> None:
        """Let go of nothing: clients are the account's."""
