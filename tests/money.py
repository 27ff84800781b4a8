"""Money over stores in memory, for tests: what `apps/parts/money.py` builds over SQLite."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from parkade.adapters.memory.budgets import MemoryBudgetStore
from parkade.adapters.memory.machines import MemoryMachines
from parkade.adapters.memory.prices import MemoryPriceLists
from parkade.adapters.memory.spend import MemorySpendStore
from parkade.domain.budget import Budget, Per, WhenSpent
from parkade.domain.cost import Instance
from parkade.domain.price import Machine, PriceList
from parkade.services.bookkeeping import Bookkeeper
from parkade.services.budgets import Budgets
from parkade.services.commitments import Commitments
from parkade.services.costs import CostReport
from parkade.services.fleets import Fleets
from parkade.services.prices import Prices
from parkade.services.quotes import Quotes
from tests.builders import NOW, some_rules

#: USD an hour; a minute of `ml.g5.xlarge` is a cent.
HOURLY = {"ml.g5.xlarge": Decimal("0.60"), "ml.c5.xlarge": Decimal("0.204")}
UNPRICED = "ml.x9.large"


def a_price_list(region="us-east-1", dated=date(2026, 3, 1), **changes):
    defaults = {"origin": "a test", "quoted": dict(HOURLY), "unconfirmed": {}}
    return PriceList(region=region, dated=dated, **{**defaults, **changes})


def a_machine(instance_type="ml.g5.xlarge", count=1, **changes):
    return Machine(instance_type=instance_type, count=count, **{"variant_name": "blue", **changes})


def an_instance(instance_id="i-1", **changes):
    defaults = {
        "endpoint_name": "falcon",
        "variant_name": "blue",
        "instance_type": "ml.g5.xlarge",
        "started_at": NOW,
    }
    return Instance(id=instance_id, **{**defaults, **changes})


def a_budget(usd="1", owner="ann", per=Per.WEEK, **changes):
    then = WhenSpent(changes.pop("then", "refuse"))
    return Budget(owner=owner, usd=Decimal(usd), per=Per(per), then=then, **changes)


def a_money(
    *,
    book,
    history,
    clock,
    purses,
    rules=some_rules,
    default=lambda _: None,
    bookings=None,
    **stores,
):
    """The area; `stores` take the place of those in memory."""
    spend = stores.get("spend") or MemorySpendStore()
    store = stores.get("budgets") or MemoryBudgetStore(history, purses)
    lists = MemoryPriceLists([a_price_list()])
    own = {}
    prices = Prices(lists, region=lambda: "us-east-1", own=lambda: own)
    machines = MemoryMachines(
        {
            "falcon-config": [a_machine()],
            "flan-config": [a_machine(count=2)],
            "other-config": [a_machine(UNPRICED)],
        }
    )
    booked = [] if bookings is None else bookings
    commitments = Commitments(
        book=book, spend=spend, machines=machines, prices=prices, bookings=lambda _now: booked
    )
    budgets = Budgets(store, commitments, clock=clock, default=default)
    return SimpleNamespace(
        spend=spend,
        budget_store=store,
        lists=lists,
        own_prices=own,
        prices=prices,
        machines=machines,
        bookings=booked,
        commitments=commitments,
        budgets=budgets,
        bookkeeper=Bookkeeper(spend, book, prices, borders=budgets.borders),
        costs=CostReport(spend, clock),
        quotes=Quotes(
            book=book,
            machines=machines,
            prices=prices,
            budgets=budgets,
            clock=clock,
            rules=rules,
        ),
        fleets=Fleets(machines, prices),
    )
