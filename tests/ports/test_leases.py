"""The contract of the lease book."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from parkade.domain import lease as leases
from parkade.domain.errors import Conflict, LeaseNotFound, Unreadable, VersionConflict
from parkade.domain.lease import EndReason, asleep, awake, end, wanted
from tests.builders import NOW, a_coin, a_lease, an_event, minutes, seconds, some_rules
from tests.ports.stores import kinds_of


def added(store, name="falcon", **changes):
    return store.book.put(a_lease(endpoint_name=name, **changes), an_event())


def longer(lease, amount=10):
    return replace(lease, expires_at=lease.expires_at + minutes(amount))


def test_get_returns_the_lease_as_it_was_put(store):
    lease = added(store, ended=EndReason.IDLE, ended_at=NOW, warned=frozenset({minutes(10)}))
    assert store.book.get("falcon") == lease


def test_a_lease_that_sleeps_keeps_what_it_is_told(store):
    slept = asleep(a_lease(), NOW + minutes(5), pauses=True)
    lease = store.book.put(wanted(slept, NOW + minutes(9)), an_event())
    assert store.book.get("falcon") == lease
    assert (lease.paused_at, lease.wanted_at) == (NOW + minutes(5), NOW + minutes(9))
    running = awake(replace(lease, woken=minutes(15)), NOW + minutes(10))
    stored = store.book.put(running, an_event())
    assert store.book.get("falcon") == stored == replace(running, version=2)


def test_get_raises_lease_not_found_for_an_unknown_name(store):
    with pytest.raises(LeaseNotFound, match="falcon"):
        store.book.get("falcon")


def test_get_raises_unreadable_where_the_row_is_damaged(store):
    added(store)
    store.damage("falcon")
    with pytest.raises(Unreadable, match="falcon"):
        store.book.get("falcon")


def test_all_returns_every_lease_in_the_order_of_names(store):
    leases = [added(store, name) for name in ("b", "a-2", "B", "a")]
    shelf = store.book.all()
    assert [lease.endpoint_name for lease in shelf.leases] == ["B", "a", "a-2", "b"]
    assert set(shelf.leases) == set(leases)
    assert shelf.unreadable == {}


def test_all_of_an_empty_book_is_empty(store):
    assert store.book.all().leases == ()


def test_all_reports_a_damaged_row_beside_the_others(store):
    for name in ("a", "b", "c"):
        added(store, name)
    store.damage("b")
    shelf = store.book.all()
    assert [lease.endpoint_name for lease in shelf.leases] == ["a", "c"]
    assert list(shelf.unreadable) == ["b"]
    assert shelf.unreadable["b"]


def closed(store, name):
    lease = added(store, name)
    return store.book.put(end(lease, EndReason.EXPIRED, NOW + minutes(30)), an_event())


def names_of(shelf):
    return [lease.endpoint_name for lease in shelf.leases]


def test_due_are_the_leases_that_are_not_closed_and_those_that_are_asked_for(store):
    runs, over = added(store, "c"), added(store, "b", expires_at=NOW - minutes(1))
    done, _ = closed(store, "a"), closed(store, "d")
    assert store.book.due(()).leases == (over, runs)
    assert store.book.due({"a", "c", "nobody"}).leases == (done, over, runs)


def test_a_lease_that_is_closed_is_due_no_more_and_one_that_is_paid_for_again_is(store):
    lease = closed(store, "falcon")
    assert store.book.due(()).leases == ()
    again = store.book.put(leases.extend(lease, minutes(5), NOW, some_rules()), an_event())
    assert store.book.due(()).leases == (again,)
    store.book.remove(again, an_event("lease.removed"))
    assert store.book.due({"falcon"}).leases == ()


def test_a_damaged_lease_is_due_and_hides_no_other(store):
    for name in ("a", "b"):
        added(store, name)
    closed(store, "c")
    for name in ("b", "c"):
        store.damage(name)
    shelf = store.book.due({"c"})
    assert names_of(shelf) == ["a"]
    assert list(shelf.unreadable) == ["b", "c"]


def test_of_returns_the_leases_of_these_endpoints_alone(store):
    for name in ("a", "b", "c"):
        added(store, name)
    store.damage("b")
    shelf = store.book.of(["c", "b", "nobody", "c"])
    assert names_of(shelf) == ["c"]
    assert list(shelf.unreadable) == ["b"]
    assert store.book.of(()).leases == ()


def test_of_finds_any_number_of_leases(store):
    names = [f"e-{number:03d}" for number in range(120)]
    for name in names[::2]:
        added(store, name)
    assert names_of(store.book.of(names)) == names[::2]


def test_put_returns_the_lease_with_its_new_version(store):
    first = added(store)
    second = store.book.put(longer(first), an_event())
    assert (first.version, second.version) == (1, 2)
    assert second == replace(longer(first), version=2)


def test_put_appends_its_event(store):
    first = added(store)
    store.book.put(longer(first), an_event("lease.extended"))
    assert kinds_of(store.history) == ["lease.added", "lease.extended"]


def test_put_of_a_new_lease_loses_against_one_that_is_there(store):
    first = added(store)
    with pytest.raises(VersionConflict):
        store.book.put(longer(a_lease()), an_event("lease.lost"))
    assert store.book.get("falcon") == first
    assert kinds_of(store.history) == ["lease.added"]


def test_put_of_an_old_version_stores_nothing(store):
    first = added(store)
    second = store.book.put(longer(first), an_event("lease.extended"))
    coin = a_coin()
    with pytest.raises(VersionConflict):
        store.book.put(longer(first, 99), an_event("lease.lost"), coin=coin)
    assert store.book.get("falcon") == second
    assert kinds_of(store.history) == ["lease.added", "lease.extended"]
    assert store.book.spent(coin) is None


def test_put_of_a_version_that_never_was_stores_nothing(store):
    for version in (1, 7, -1):
        with pytest.raises(VersionConflict):
            store.book.put(a_lease(version=version), an_event())
    assert store.book.all().leases == ()


def test_put_of_a_removed_lease_does_not_bring_it_back(store):
    first = added(store)
    store.book.remove(first, an_event("lease.removed"))
    with pytest.raises(VersionConflict):
        store.book.put(longer(first), an_event("lease.extended"))


def test_a_lease_made_again_is_another_one(store):
    former = added(store)
    store.book.remove(former, an_event("lease.removed"))
    present = added(store, created_at=NOW + seconds(1))
    assert present.version == former.version
    with pytest.raises(VersionConflict):
        store.book.put(longer(former), an_event("lease.extended"))
    with pytest.raises(VersionConflict):
        store.book.remove(former, an_event("lease.removed"))
    assert store.book.get("falcon") == present


def test_put_never_writes_over_a_damaged_row(store):
    first = added(store)
    store.damage("falcon")
    for lease in (a_lease(), first):
        with pytest.raises(Unreadable):
            store.book.put(lease, an_event("lease.extended"))
    assert list(store.book.all().unreadable) == ["falcon"]
    assert kinds_of(store.history) == ["lease.added"]


def test_remove_never_removes_a_damaged_row(store):
    first = added(store)
    store.damage("falcon")
    with pytest.raises(Unreadable):
        store.book.remove(first, an_event("lease.removed"))
    assert list(store.book.all().unreadable) == ["falcon"]


def test_put_records_the_coin_with_the_lease(store):
    coin = a_coin()
    assert store.book.spent(coin) is None
    first = store.book.put(a_lease(warned=frozenset({minutes(2)})), an_event(), coin=coin)
    assert store.book.spent(coin) == first


def test_a_spent_coin_tells_the_lease_as_its_change_left_it(store):
    coin = a_coin()
    first = store.book.put(a_lease(), an_event(), coin=coin)
    store.book.put(longer(first), an_event("lease.extended"))
    assert store.book.spent(coin) == first


def test_a_key_spent_on_another_request_is_a_conflict(store):
    store.book.put(a_lease(), an_event(), coin=a_coin(request="extend 10"))
    with pytest.raises(Conflict, match="key-1"):
        store.book.spent(a_coin(request="extend 20"))


def test_callers_and_endpoints_cannot_collide_with_a_key(store):
    store.book.put(a_lease(), an_event(), coin=a_coin())
    assert store.book.spent(a_coin(scope="bob", request="other")) is None
    assert store.book.spent(a_coin(endpoint_name="flan", request="other")) is None


def test_a_coin_cannot_be_spent_twice(store):
    coin = a_coin()
    first = store.book.put(a_lease(), an_event(), coin=coin)
    with pytest.raises(VersionConflict):
        store.book.put(longer(first), an_event("lease.extended"), coin=coin)
    assert store.book.get("falcon") == first
    assert kinds_of(store.history) == ["lease.added"]


def test_remove_takes_the_lease_and_its_coins(store):
    coin, other = a_coin(), a_coin(endpoint_name="flan")
    first = store.book.put(a_lease(), an_event(), coin=coin)
    kept = store.book.put(a_lease(endpoint_name="flan"), an_event(), coin=other)
    store.book.remove(first, an_event("lease.removed"))
    with pytest.raises(LeaseNotFound):
        store.book.get("falcon")
    assert store.book.spent(coin) is None
    assert store.book.spent(other) == kept
    assert kinds_of(store.history) == ["lease.added", "lease.added", "lease.removed"]


def test_remove_of_an_old_version_removes_nothing(store):
    first = added(store)
    second = store.book.put(longer(first), an_event())
    for stale in (first, a_lease(), a_lease(endpoint_name="flan", version=1)):
        with pytest.raises(VersionConflict):
            store.book.remove(stale, an_event("lease.removed"))
    assert store.book.get("falcon") == second
    assert "lease.removed" not in kinds_of(store.history)


def test_an_event_that_cannot_be_stored_takes_the_change_with_it(store):
    first = added(store)
    broken = an_event(data={"not": object()})
    with pytest.raises(TypeError):
        store.book.put(longer(first), broken, coin=a_coin())
    with pytest.raises(TypeError):
        store.book.remove(first, broken)
    assert store.book.get("falcon") == first
    assert store.book.spent(a_coin()) is None


def test_of_many_threads_that_put_one_version_one_wins(store):
    first = added(store)
    start = threading.Barrier(8)

    def put(number):
        start.wait()
        try:
            return store.book.put(longer(first, number), an_event("lease.extended"))
        except VersionConflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [lease for lease in pool.map(put, range(1, 9)) if lease]
    assert won == [store.book.get("falcon")]
    assert kinds_of(store.history).count("lease.extended") == 1


def test_no_minute_of_many_threads_is_lost(store):
    """Invariant 3: N concurrent extensions add N times the minutes."""
    first = added(store)
    rules = some_rules()

    def extend(_):
        while True:
            present = store.book.get("falcon")
            try:
                return store.book.put(
                    leases.extend(present, minutes(1), NOW, rules), an_event("lease.extended")
                )
            except VersionConflict:
                continue

    # moto copies its tables for every transaction, and answers one at a time.
    many = 24 if store.kind == "dynamodb" else 100
    with ThreadPoolExecutor(10) as pool:
        assert len(list(pool.map(extend, range(many)))) == many
    last = store.book.get("falcon")
    assert last.expires_at == first.expires_at + minutes(many)
    assert last.version == many + 1
    assert kinds_of(store.history).count("lease.extended") == many
