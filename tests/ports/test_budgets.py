"""The contract of the budget store, and of purses in the stores of what is paid."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from parkade.domain.errors import NotFound, Unreadable, VersionConflict
from parkade.ports.budgets import Purse
from tests.builders import a_lease, an_event, minutes
from tests.money import a_budget
from tests.ports.stores import kinds_of


def put(store, budget):
    return store.budgets.put(budget, an_event("budget.set", endpoint_name=""))


def damage(store, owner):
    if store.kind == "memory":
        store.budgets.damage(owner, "it is torn")
        return
    if store.kind == "dynamodb":
        store.damage_budget(owner)
        return
    with store.database.writing() as connection:
        changed = connection.execute(
            'UPDATE budgets SET content = \'{"usd": "much"}\' WHERE owner = ?', (owner,)
        )
        assert changed.rowcount == 1


def test_a_budget_is_read_as_it_was_put(store):
    stored = put(store, a_budget("12.345", per="month", then="stop", zone="Europe/Berlin"))
    assert store.budgets.get("ann") == stored
    assert replace(stored, version=0) == a_budget(
        "12.345", per="month", then="stop", zone="Europe/Berlin"
    )


def test_nobody_has_a_budget_at_first(store):
    assert store.budgets.get("ann") is None
    assert store.budgets.all().records == ()


def test_put_takes_the_place_of_the_one_before_and_rises_its_version(store):
    first = put(store, a_budget("1"))
    second = put(store, a_budget("2"))
    assert second.version > first.version > 0
    assert store.budgets.all().records == (second,)


def test_all_is_in_the_order_of_owners_and_tells_damaged_ones_apart(store):
    for owner in ("bob", "ann", "cid"):
        put(store, a_budget(owner=owner))
    damage(store, "bob")
    listing = store.budgets.all()
    assert [each.owner for each in listing.records] == ["ann", "cid"]
    assert list(listing.unreadable) == ["bob"]


def test_get_of_a_damaged_one_raises_unreadable_and_putting_mends_it(store):
    put(store, a_budget())
    damage(store, "ann")
    with pytest.raises(Unreadable, match="ann"):
        store.budgets.get("ann")
    mended = put(store, a_budget("3"))
    assert store.budgets.get("ann") == mended


def test_remove_takes_it_away_damaged_or_not(store):
    for owner in ("ann", "bob"):
        put(store, a_budget(owner=owner))
    damage(store, "bob")
    for owner in ("ann", "bob"):
        store.budgets.remove(owner, an_event("budget.removed", endpoint_name=""))
    assert store.budgets.all() == type(store.budgets.all())((), {})
    assert kinds_of(store.history)[-2:] == ["budget.removed", "budget.removed"]


def test_remove_of_nothing_raises_not_found_and_writes_no_event(store):
    with pytest.raises(NotFound, match="ann"):
        store.budgets.remove("ann", an_event("budget.removed"))
    assert kinds_of(store.history) == []


def test_a_lease_spends_the_purse_that_it_names(store):
    purse = store.budgets.purse("ann")
    store.book.put(a_lease(), an_event(), purse=purse)
    assert store.budgets.purse("ann") == Purse(owner="ann", version=purse.version + 1)
    assert store.budgets.purse("bob").version == 0


def test_a_lease_without_a_purse_spends_none(store):
    store.book.put(a_lease(), an_event())
    assert store.budgets.purse("ann").version == 0


def test_a_purse_that_was_spent_since_it_was_read_stores_nothing(store):
    purse = store.budgets.purse("ann")
    first = store.book.put(a_lease(), an_event(), purse=purse)
    with pytest.raises(VersionConflict):
        store.book.put(a_lease(endpoint_name="flan"), an_event("lease.lost"), purse=purse)
    assert store.book.all().leases == (first,)
    assert "lease.lost" not in kinds_of(store.history)


def test_a_lost_lease_leaves_the_purse_as_it_was(store):
    store.book.put(a_lease(), an_event())
    purse = store.budgets.purse("ann")
    with pytest.raises(VersionConflict):
        store.book.put(a_lease(), an_event("lease.lost"), purse=purse)
    assert store.budgets.purse("ann") == purse


@pytest.mark.parametrize("change", ["put", "remove"])
def test_another_budget_makes_what_is_decided_be_decided_again(store, change):
    put(store, a_budget())
    purse = store.budgets.purse("ann")
    if change == "put":
        put(store, a_budget("0.01"))
    else:
        store.budgets.remove("ann", an_event("budget.removed"))
    with pytest.raises(VersionConflict):
        store.book.put(a_lease(), an_event(), purse=purse)


def test_of_many_at_once_with_one_purse_one_is_stored(store):
    purse = store.budgets.purse("ann")
    together = threading.Barrier(8)

    def pay(number):
        lease = a_lease(endpoint_name=f"e{number}")
        together.wait()
        try:
            store.book.put(lease, an_event(), purse=purse)
        except VersionConflict:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(8))) == 1
    assert len(store.book.all().leases) == 1


def test_an_extension_pays_with_lease_and_purse_at_once(store):
    held = store.book.put(a_lease(), an_event())
    longer = replace(held, expires_at=held.expires_at + minutes(10))
    purse = store.budgets.purse("ann")
    stored = store.book.put(longer, an_event("lease.extended"), purse=purse)
    assert store.book.get("falcon") == stored
    assert store.budgets.purse("ann").version == purse.version + 1
