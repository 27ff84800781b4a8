"""Processes over one table, interleaved and killed: no lost minutes, one deployment, no overdraft."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import given, settings

from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.system.clock import SystemClock
from parkade.domain import lease as leases
from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import Conflict, DeploymentNotFound, InUse, VersionConflict
from parkade.domain.terms import Booking
from parkade.ports.events import EventQuery
from tests.adapters.aws.interleaving import Process, choices, interleave
from tests.aws_account import a_table
from tests.builders import NOW, a_coin, a_lease, an_event, minutes, some_rules
from tests.ports.test_deployments import a_deployment, over

RULES = some_rules(max_ahead=minutes(10**6))
#: What an owner may book in all, and what each booking is of.
LIMIT, PIECE = minutes(60), minutes(25)


def stores_of(table):
    return DynamoStores(table, SystemClock())


def settled(decide):
    """Decide again for as long as others come first, as services do."""
    while True:
        try:
            return decide()
        except VersionConflict:
            continue


def extend(name, table):
    """Add a minute twice; the coin tells whether one was added, whatever the answer."""
    stores = stores_of(table)
    for number in range(2):
        coin = a_coin(f"{name}-{number}")

        def decide(coin=coin):
            if stores.book.spent(coin) is None:
                longer = leases.extend(stores.book.get("falcon"), minutes(1), NOW, RULES)
                stores.book.put(longer, an_event("lease.extended"), coin=coin)

        settled(decide)


def deploy(name, table):
    """Begin a deployment and end it, unless another one is running."""
    store = stores_of(table).deployments
    try:
        begun = store.put(a_deployment(name), an_event("deployment.begun"))
        assert len(store.running().records) <= 1
        store.put(over(begun), an_event("deployment.succeeded"))
        store.remove(name, an_event("deployment.forgotten"))
    except (InUse, DeploymentNotFound):
        return


def clear(table):
    """End whatever runs, as whoever calls it off does."""
    store = stores_of(table).deployments
    for each in store.running().records:
        try:
            store.put(
                replace(over(each), status=Status.CANCELLED), an_event("deployment.cancelled")
            )
        except (Conflict, DeploymentNotFound):
            continue


def book(name, table):
    """Book a piece of time, if what is left pays for it."""
    stores = stores_of(table)

    def decide():
        purse = stores.budgets.purse("ann")
        held = stores.bookings.all().records
        if sum((each.ends_at - each.starts_at for each in held), PIECE) > LIMIT:
            return
        booking = Booking(
            id=name,
            endpoint_name=name,
            config_name="c",
            owner="ann",
            starts_at=NOW,
            ends_at=NOW + PIECE,
            made_at=NOW,
        )
        stores.bookings.add(booking, an_event("booking.added"), beside=frozenset(), purse=purse)

    settled(decide)


def events_of(stores, kind):
    return list(stores.history.read(EventQuery(kinds=(kind,), limit=1000)))


@given(turns=choices())
@settings(max_examples=10, deadline=None)
def test_no_minute_is_lost_and_none_is_added_twice(aws, turns):
    table = a_table(aws)
    stores = stores_of(table)
    stores.book.put(a_lease(), an_event("lease.added"))
    processes = [
        Process(partial(extend, "one"), aws, table),
        Process(partial(extend, "two"), aws, table),
        Process(partial(extend, "three"), aws, table, mortal=False),
    ]
    interleave(processes, turns)
    for name in ("one", "two"):
        extend(name, table)  # whoever heard no answer asks again
    held = stores.book.get("falcon")
    assert held.expires_at == a_lease().expires_at + minutes(6)
    assert len(events_of(stores, "lease.extended")) == 6


@given(turns=choices())
@settings(max_examples=10, deadline=None)
def test_one_deployment_is_running_and_its_end_frees_the_endpoint(aws, turns):
    table = a_table(aws)
    stores = stores_of(table)
    processes = [
        Process(partial(deploy, "d1"), aws, table),
        Process(partial(deploy, "d2"), aws, table),
        Process(partial(deploy, "d3"), aws, table),
        Process(clear, aws, table, mortal=False),
    ]
    interleave(processes, turns)
    told = stores.deployments.all().records
    running = stores.deployments.running().records
    assert [each for each in told if not each.over] == list(running)
    assert len(running) <= 1
    assert stores.deployments.all("falcon").records == told
    # Nothing is left behind that keeps the endpoint from being deployed to.
    clear(table)
    stores.deployments.put(a_deployment("next"))


@given(turns=choices())
@settings(max_examples=10, deadline=None)
def test_a_purse_is_never_overspent(aws, turns):
    table = a_table(aws)
    stores = stores_of(table)
    processes = [Process(partial(book, f"b{number}"), aws, table) for number in range(3)]
    processes.append(Process(partial(book, "last"), aws, table, mortal=False))
    interleave(processes, turns)
    held = stores.bookings.all().records
    booked = sum((each.ends_at - each.starts_at for each in held), timedelta(0))
    assert booked <= LIMIT
    assert (
        len(events_of(stores, "booking.added")) == len(held) == stores.budgets.purse("ann").version
    )
    settled(partial(book, "late", table))
    assert len(stores.bookings.all().records) == 2
