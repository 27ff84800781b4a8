"""The contract of the booking store."""

import pytest

from parkade.domain.errors import NotFound, VersionConflict
from parkade.domain.terms import Booking
from tests.builders import NOW, a_lease, an_event, minutes
from tests.ports.stores import kinds_of


def a_booking(booking_id="b-1", **changes):
    defaults = {
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "owner": "ann",
        "starts_at": NOW + minutes(60),
        "ends_at": NOW + minutes(150),
        "made_at": NOW,
    }
    return Booking(id=booking_id, **{**defaults, **changes})


def add(store, booking, *beside, **options):
    store.bookings.add(booking, an_event("booking.added"), beside=frozenset(beside), **options)


def ids(store):
    return [booking.id for booking in store.bookings.all().records]


def test_all_returns_bookings_as_they_were_added_in_the_order_of_their_beginning(store):
    later = a_booking("b-1", starts_at=NOW + minutes(90))
    add(store, later)
    add(store, a_booking("b-2"), "b-1")
    other = a_booking("b-3", endpoint_name="flan", starts_at=NOW + minutes(70))
    add(store, other)
    assert store.bookings.all().records == (a_booking("b-2"), other, later)
    assert kinds_of(store.history) == ["booking.added"] * 3


def test_add_loses_against_a_booking_that_came_or_went_meanwhile(store):
    add(store, a_booking("b-1"))
    for seen in ((), ("b-1", "b-0")):
        with pytest.raises(VersionConflict, match="falcon"):
            add(store, a_booking("b-2"), *seen)
    assert ids(store) == ["b-1"]
    assert kinds_of(store.history) == ["booking.added"]


def test_add_pays_from_the_purse_once(store):
    purse = store.budgets.purse("ann")
    add(store, a_booking("b-1"), purse=purse)
    with pytest.raises(VersionConflict, match="ann"):
        add(store, a_booking("b-2"), "b-1", purse=purse)
    with pytest.raises(VersionConflict, match="ann"):
        store.book.put(a_lease(), an_event(), purse=purse)
    assert ids(store) == ["b-1"]
    add(store, a_booking("b-2"), "b-1", purse=store.budgets.purse("ann"))


def test_remove_takes_the_booking_with_its_event(store):
    add(store, a_booking())
    store.bookings.remove("b-1", an_event("booking.removed"))
    assert ids(store) == []
    with pytest.raises(NotFound, match="b-1"):
        store.bookings.remove("b-1", an_event("booking.removed"))
    assert kinds_of(store.history) == ["booking.added", "booking.removed"]


def test_a_damaged_booking_is_told_beside_the_others_and_can_be_removed(store):
    add(store, a_booking("b-1"))
    add(store, a_booking("b-2"), "b-1")
    store.damage_booking("b-1")
    found = store.bookings.all()
    assert [each.id for each in found.records] == ["b-2"]
    assert "'b-1'" in found.unreadable["b-1"]
    store.bookings.remove("b-1", an_event("booking.removed"))
    assert store.bookings.all().unreadable == {}
