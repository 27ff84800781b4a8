"""Money: prices, what is spent, budgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.apps.control.spending import Spending
from parkade.services.bookkeeping import Bookkeeper
from parkade.services.budgets import Budgets
from parkade.services.commitments import Commitments
from parkade.services.costs import CostReport
from parkade.services.fleets import Fleets
from parkade.services.prices import Prices
from parkade.services.quotes import Quotes
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from parkade.apps.parts.stores import Stores
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.budget import Budget
    from parkade.domain.lease import LeaseRules
    from parkade.domain.terms import Booking
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.leases import LeaseBook
    from parkade.ports.machines import Machines
    from parkade.ports.notices import Notices
    from parkade.ports.prices import PriceLists


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What money works with."""

    stores: Stores
    book: LeaseBook
    history: History
    notices: Notices
    #: What endpoints run on.
    machines: Machines
    #: The price lists that there are.
    lists: PriceLists
    clock: Clock
    file: Callable[[], ServerFile]
    rules: Callable[[], LeaseRules]
    #: Bookings that are not paid for yet are reserved like leases.
    bookings: Callable[[datetime], Iterable[Booking]]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The services of this area."""

    prices: Prices
    #: What endpoints run on.
    machines: Machines
    #: Meters instances; its totals are those since this process began.
    bookkeeper: Bookkeeper
    #: Brings each second to the bookkeeper.
    spending: Spending
    costs: CostReport
    budgets: Budgets
    quotes: Quotes
    #: What runs of each endpoint now, and its price.
    fleets: Fleets


def build(ports: Ports) -> Money:
    """Build the services of this area."""

    def own_prices() -> Mapping[str, Decimal]:
        return ports.file().money.own_prices()

    def default(owner: str) -> Budget | None:
        return ports.file().money.budget_of(owner)

    prices = Prices(
        ports.lists,
        region=lambda: ports.file().region,
        own=own_prices,
    )
    machines, spend = ports.machines, ports.stores.spend
    budgets = Budgets(
        ports.stores.budgets,
        Commitments(
            book=ports.book,
            spend=spend,
            machines=machines,
            prices=prices,
            bookings=ports.bookings,
        ),
        clock=ports.clock,
        default=default,
        changed=ports.changed,
    )
    bookkeeper = Bookkeeper(spend, ports.book, prices, borders=budgets.borders)
    return Money(
        prices=prices,
        machines=machines,
        bookkeeper=bookkeeper,
        spending=Spending(
            bookkeeper,
            machines,
            budgets,
            Teller(ports.history, ports.notices),
            ports.clock,
            kept=lambda: timedelta(days=ports.file().money.keep_days),
        ),
        costs=CostReport(spend, ports.clock),
        budgets=budgets,
        quotes=Quotes(
            book=ports.book,
            machines=machines,
            prices=prices,
            budgets=budgets,
            clock=ports.clock,
            rules=ports.rules,
        ),
        fleets=Fleets(machines, prices),
    )
