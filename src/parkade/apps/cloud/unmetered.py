"""An account without a Meter: everything is seen, and nothing can be leased.

What a command does goes by itself: its events and its deployment are kept for as long as its
process lives. What is to outlive it is refused, with what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from parkade.adapters.memory.bookings import MemoryBookingStore
from parkade.adapters.memory.budgets import MemoryBudgetStore
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.purses import MemoryPurses
from parkade.adapters.memory.sights import MemorySightStore
from parkade.adapters.memory.stores import MemoryStores
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.domain.errors import Conflict

if TYPE_CHECKING:
    from parkade.domain.budget import Budget
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.domain.terms import Booking
    from parkade.domain.token import Token
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin


class UnmeteredStores(MemoryStores):
    """Stores of one command; leases, bookings and budgets are refused."""

    def __init__(self, region: str) -> None:
        """Take the region, which messages name."""
        super().__init__()
        purses = MemoryPurses()
        self.book = _Book(self.history, purses, region)
        self.bookings = _Bookings(self.history, purses, region)
        self.budgets = _Budgets(self.history, purses, region)
        #: How endpoints were seen, and the tags that those will have which are not there.
        self.sights = MemorySightStore()
        self.kept = MemoryKeptStore()
        self.tags = MemoryCatalogStore(self.history, self.remains)


class _Book(MemoryLeaseBook):
    def __init__(self, history: MemoryHistory, purses: MemoryPurses, region: str) -> None:
        super().__init__(history, purses)
        self._region = region

    def put(
        self,
        lease: Lease,
        event: Event,  # noqa: ARG002
        *,
        coin: Coin | None = None,  # noqa: ARG002
        purse: Purse | None = None,  # noqa: ARG002
    ) -> Lease:
        """Refuse it."""
        raise _refused(
            f"{lease.endpoint_name!r} cannot be leased",
            self._region,
            '; or deploy it without a lease: "metered": false in the payload',
        )


class _Bookings(MemoryBookingStore):
    def __init__(self, history: MemoryHistory, purses: MemoryPurses, region: str) -> None:
        super().__init__(history, purses)
        self._region = region

    def add(
        self,
        booking: Booking,
        event: Event,  # noqa: ARG002
        *,
        beside: frozenset[str],  # noqa: ARG002
        purse: Purse | None = None,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse it."""
        raise _refused(f"{booking.endpoint_name!r} cannot be booked", self._region)


class _Budgets(MemoryBudgetStore):
    def __init__(self, history: MemoryHistory, purses: MemoryPurses, region: str) -> None:
        super().__init__(history, purses)
        self._region = region

    def put(self, budget: Budget, event: Event) -> Budget:  # noqa: ARG002
        """Refuse it."""
        raise _refused(f"{budget.owner!r} can have no budget", self._region)


def _refused(what: str, region: str, otherwise: str = "") -> Conflict:
    return Conflict(
        f"{what}: this account has no Meter in region {region}",
        hint=f"deploy one from a project file: parkade cloud deploy MeterStack{otherwise}",
    )


class NoTokens(MemoryTokenStore):
    """Tokens of an account whose API is not deployed: there are none, and none can be made."""

    def __init__(self, region: str) -> None:
        """Take the region, which messages name."""
        super().__init__(MemoryHistory())
        self._region = region

    def add(self, token: Token, event: Event) -> NoReturn:  # noqa: ARG002
        """Refuse it."""
        raise Conflict(
            f"token {token.name!r} cannot be made: this account has no API in region "
            f"{self._region}",
            hint="deploy one from a project file: parkade cloud deploy MeterStack APIStack",
        )
