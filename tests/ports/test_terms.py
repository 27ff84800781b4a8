"""The contract of the terms store."""

from dataclasses import replace

import pytest

from parkade.domain.errors import LeaseNotFound, Unreadable, VersionConflict
from parkade.domain.idle import IdleRules
from parkade.domain.terms import Keep, Sleep, Terms, Wake
from tests.builders import NOW, a_lease, an_event, minutes, seconds
from tests.ports.stores import kinds_of

FULL = {
    "maintain": True,
    "idle": IdleRules(window=minutes(2), notice_after=None, delete_after=minutes(60)),
    "keep": Keep(by=minutes(15), when_left=minutes(5), at_most=minutes(120)),
    "schedule": "mon-fri 09:00-17:00 Europe/Berlin",
    "sleep": Sleep(after=minutes(10), pauses=True, hold=seconds(20), since=NOW),
    "wake": Wake(minutes=minutes(15), at_most=minutes(60)),
}


def some_terms(name="falcon", **changes):
    return Terms(endpoint_name=name, **{**FULL, **changes})


def leased(store, *names):
    for name in names or ("falcon",):
        store.book.put(a_lease(endpoint_name=name), an_event())


def put(store, terms):
    return store.terms.put(terms, an_event("terms.set"))


def test_get_returns_the_terms_as_they_were_put_with_their_version_and_event(store):
    leased(store)
    stored = put(store, some_terms())
    assert stored == replace(some_terms(), version=1)
    assert store.terms.get("falcon") == stored
    assert kinds_of(store.history) == ["lease.added", "terms.set"]


def test_get_of_what_was_never_set_is_none(store):
    leased(store)
    assert store.terms.get("falcon") is None
    assert store.terms.all().records == ()


def test_all_returns_terms_in_the_order_of_names_and_reports_damaged_ones(store):
    leased(store, "b", "a", "c")
    for name in ("b", "a", "c"):
        put(store, some_terms(name))
    store.damage_terms("b")
    found = store.terms.all()
    assert [each.endpoint_name for each in found.records] == ["a", "c"]
    assert list(found.unreadable) == ["b"]
    assert "'b'" in found.unreadable["b"]
    with pytest.raises(Unreadable, match="'b'"):
        store.terms.get("b")


def test_put_of_an_old_version_stores_nothing(store):
    leased(store)
    first = put(store, some_terms())
    second = put(store, replace(first, maintain=False))
    for lost in (first, some_terms(), replace(first, version=7)):
        with pytest.raises(VersionConflict, match="falcon"):
            put(store, lost)
    assert store.terms.get("falcon") == second
    assert kinds_of(store.history) == ["lease.added", "terms.set", "terms.set"]


def test_put_needs_a_lease(store):
    with pytest.raises(LeaseNotFound, match="falcon"):
        put(store, some_terms())
    assert store.terms.get("falcon") is None
    assert kinds_of(store.history) == []


def test_terms_stay_with_the_lease_while_it_changes_and_go_when_it_is_removed(store):
    leased(store)
    stored = put(store, some_terms())
    lease = store.book.put(store.book.get("falcon"), an_event("lease.ended"))
    assert store.terms.get("falcon") == stored
    store.book.remove(lease, an_event("lease.removed"))
    assert store.terms.get("falcon") is None
    store.book.put(a_lease(created_at=NOW + seconds(1)), an_event())
    assert store.terms.get("falcon") is None
    assert put(store, some_terms()).version == 1


def test_damaged_terms_are_mended_by_setting_them_anew(store):
    leased(store)
    put(store, some_terms())
    store.damage_terms("falcon")
    stored = put(store, some_terms(maintain=False))
    assert store.terms.get("falcon") == stored
    assert store.terms.all().unreadable == {}
