"""What the parts keep their records in, whichever cloud they run on.

Each cloud has one object of this shape: the stores of one database, which write each change and its
event in one transaction. Who builds the parts takes the object, and never the database behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.ports.bookings import BookingStore
    from parkade.ports.budgets import BudgetStore
    from parkade.ports.deployments import DeploymentStore
    from parkade.ports.events import History
    from parkade.ports.executions import ExecutionStore
    from parkade.ports.leases import LeaseBook
    from parkade.ports.letters import LetterStore
    from parkade.ports.projects import ProjectStore
    from parkade.ports.remains import RemainsStore
    from parkade.ports.routes import RouteStore
    from parkade.ports.spend import SpendStore
    from parkade.ports.subscribers import SubscriberStore
    from parkade.ports.targets import TargetStore
    from parkade.ports.terms import TermsStore
    from parkade.ports.testers import TesterStore
    from parkade.ports.watches import WatchStore


class Stores(Protocol):
    """The stores of one database. Safe to use from several threads, as each of them is."""

    @property
    def history(self) -> History:
        """What happened."""
        ...

    @property
    def book(self) -> LeaseBook:
        """Leases."""
        ...

    @property
    def terms(self) -> TermsStore:
        """What is settled about leased endpoints."""
        ...

    @property
    def bookings(self) -> BookingStore:
        """Bookings."""
        ...

    @property
    def budgets(self) -> BudgetStore:
        """Budgets and purses."""
        ...

    @property
    def watches(self) -> WatchStore:
        """What the maintainer remembers."""
        ...

    @property
    def remains(self) -> RemainsStore:
        """What is left of endpoints that went."""
        ...

    @property
    def deployments(self) -> DeploymentStore:
        """Deployments."""
        ...

    @property
    def spend(self) -> SpendStore:
        """What was spent."""
        ...

    def close(self) -> None:
        """Let go of what the stores hold open; the last thing a process does with them."""
        ...


class OwnStores(Stores, Protocol):
    """What a server of its own keeps beside; an account has stacks, SNS and SageMaker for it."""

    @property
    def subscribers(self) -> SubscriberStore:
        """Subscribers that were added at run time."""
        ...

    @property
    def letters(self) -> LetterStore:
        """How far subscribers have got, and what could not be delivered."""
        ...

    @property
    def executions(self) -> ExecutionStore:
        """Executions."""
        ...

    @property
    def routes(self) -> RouteStore:
        """Routes."""
        ...

    @property
    def targets(self) -> TargetStore:
        """Settings of target models."""
        ...

    @property
    def testers(self) -> TesterStore:
        """Testers."""
        ...

    @property
    def projects(self) -> ProjectStore:
        """Projects and their applications."""
        ...
