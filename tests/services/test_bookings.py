"""Bookings: made, refused, given back, begun on time, begun late."""

from datetime import UTC, timedelta, timezone

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    BudgetExceeded,
    ConfigNotFound,
    Conflict,
    InvalidInput,
    NotFound,
    VersionConflict,
)
from tests.builders import NOW, minutes, seconds
from tests.services.world import World

START = NOW + minutes(60)


def booked(world, name="falcon", *, at=START, amount=90, **changes):
    options = {"config_name": "falcon-config", "owner": None, "actor": "ann", **changes}
    return world.bookings.add(name, starts_at=at, amount=minutes(amount), **options)


def test_a_booking_makes_the_lease_and_its_endpoint_is_warm_when_it_begins():
    world = World()
    world.first_lead = minutes(2)
    booking = booked(world)
    world.clock.set(START - minutes(2) - seconds(1))
    world.rest()
    assert world.book.all().leases == ()
    assert world.sweep.plan().next_at == START - minutes(2)
    world.clock.set(START - minutes(2))
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    lease = world.book.get("falcon")
    assert (lease.owner, lease.config_name, lease.expires_at) == (
        "ann",
        "falcon-config",
        START + minutes(90),
    )
    assert lease.bought_until == lease.expires_at
    [event] = world.events("falcon", "lease.paid")
    assert event.data["booking_id"] == booking.id
    assert event.reason == "1 h 32 min added: booked by ann until 2026-03-01T14:30:00Z"
    world.clock.set(START + minutes(90))
    world.rest()
    assert world.status() is None


def test_it_starts_early_by_what_starts_were_measured_to_take():
    world = World()
    booked(world)
    world.started("falcon-config", NOW - seconds(40), NOW)
    assert world.sweep.plan().next_at == START - seconds(40)


def test_the_event_says_who_booked_what_for_when():
    world = World()
    before = world.nudges
    booking = booked(world, actor="bob", owner="team-a")
    [event] = world.events("falcon", "booking.added")
    assert (event.actor, event.owner) == ("bob", "team-a")
    assert event.reason == (
        "booked for team-a: 1 h 30 min from 2026-03-01T13:00:00Z, on falcon-config"
    )
    assert event.data["booking_id"] == booking.id
    assert world.nudges == before + 1


def test_what_is_left_out_is_what_the_lease_says():
    world = World()
    world.add()
    booking = booked(world, config_name=None, actor="bob")
    assert (booking.config_name, booking.owner) == ("falcon-config", "ann")


def test_on_a_lease_that_runs_the_booking_is_time_on_top():
    world = World()
    world.running(amount=100)
    booked(world)
    world.clock.set(START)
    world.rest()
    assert world.book.get("falcon").expires_at == START + minutes(90)
    assert world.kinds().count("start.begun") == 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"config_name": None}, InvalidInput, "'falcon' has no lease"),
        ({"config_name": "nothing"}, ConfigNotFound, "nothing"),
        ({"at": NOW}, InvalidInput, "is past"),
        ({"at": NOW + timedelta(days=400)}, InvalidInput, "more than 366 days ahead"),
        ({"amount": 8 * 24 * 60}, InvalidInput, "minutes 11520 are more than 10080"),
        ({"owner": "!"}, InvalidInput, "owner"),
        ({"name": "-"}, InvalidInput, "EndpointName"),
    ],
)
def test_what_cannot_be_booked_is_refused_and_nothing_is_stored(changes, error, message):
    world = World()
    with pytest.raises(error, match=message):
        booked(world, **changes)
    assert world.bookings.all().records == ()
    assert world.events() == []


def test_a_lease_of_another_config_or_owner_refuses():
    world = World()
    world.add()
    with pytest.raises(Conflict, match="runs 'falcon-config', not 'flan-config'"):
        booked(world, config_name="flan-config")
    with pytest.raises(Conflict, match="is ann's, not bob's"):
        booked(world, owner="bob")


def test_bookings_overlap_on_one_config_alone():
    world = World()
    first = booked(world)
    booked(world, at=START + minutes(30))
    with pytest.raises(Conflict, match=first.id):
        booked(world, at=START + minutes(89), config_name="flan-config")
    with pytest.raises(Conflict, match="is booked to run"):
        booked(world, at=START - minutes(30), amount=31, config_name="flan-config")
    booked(world, at=START - minutes(30), amount=30, config_name="flan-config")
    booked(world, "flan", config_name="flan-config")


def test_a_budget_is_asked_before_and_what_it_refuses_is_not_booked():
    world = World()
    asked = []

    def reserve(booking, now):
        asked.append((booking.owner, booking.starts_at, booking.ends_at, now))
        raise BudgetExceeded("too much", until=NOW)

    world.bookings = world.some_bookings(reserve=reserve)
    with pytest.raises(BudgetExceeded):
        booked(world)
    assert asked == [("ann", START, START + minutes(90), NOW)]
    assert world.bookings.all().records == ()


def test_what_is_asked_of_the_budget_is_what_will_be_paid_the_time_to_get_warm_included():
    world = World()
    world.first_lead = minutes(2)
    asked = []
    world.bookings = world.some_bookings(reserve=lambda each, _now: asked.append(each))
    booking = booked(world)
    assert [each.starts_at for each in asked] == [START - minutes(2)]
    assert world.bookings.ahead(NOW) == asked
    world.clock.set(START)
    world.rest()
    [event] = world.events("falcon", "lease.paid")
    assert event.data["minutes"] == 90
    assert world.bookings.get(booking.id).starts_at == START
    world.meter.remove("falcon", actor="ann")
    assert world.bookings.ahead(START) == []


def test_a_booking_for_a_lease_that_is_somebody_elses_by_then_is_paid_by_their_budget():
    world = World()
    booked(world, actor="bob")
    world.add(amount=70)
    asked = []

    def admit(lease, held, _now):
        asked.append((lease.owner, lease.expires_at - held.expires_at))
        raise BudgetExceeded("ann has nothing left", until=START)

    world.sweep = world.a_sweep(admit=admit)
    world.clock.set(START)
    world.rest()
    assert asked[0] == ("ann", minutes(80))
    assert world.book.get("falcon").expires_at == NOW + minutes(70)
    assert len(world.events("falcon", "lease.unpaid")) == 1


def test_a_lost_race_for_the_purse_is_decided_again():
    world = World()
    purses = []

    def reserve(booking, now):
        purses.append(world.purses.read("ann"))
        if len(purses) == 1:
            world.purses.empty("ann")
        return purses[-1]

    world.bookings = world.some_bookings(reserve=reserve)
    booked(world)
    assert [purse.version for purse in purses] == [0, 1]
    assert len(world.bookings.all().records) == 1


def test_a_purse_that_is_always_emptied_gives_up_at_last():
    world = World()

    def reserve(booking, now):
        purse = world.purses.read("ann")
        world.purses.empty("ann")
        return purse

    world.bookings = world.some_bookings(reserve=reserve)
    with pytest.raises(VersionConflict):
        booked(world)


def test_a_request_that_is_repeated_with_its_key_books_once():
    world = World()
    first = booked(world, key="k-1")
    world.clock.advance(minutes(1))
    assert booked(world, key="k-1") == first
    assert len(world.events("falcon", "booking.added")) == 1
    with pytest.raises(Conflict, match="was used for another booking"):
        booked(world, key="k-1", amount=91)
    assert booked(world, key="k-1", actor="bob").id != first.id
    with pytest.raises(InvalidInput, match="Idempotency-Key has 0 characters"):
        booked(world, key="")


def test_a_booking_is_given_back_until_it_begins():
    world = World()
    world.first_lead = minutes(2)
    booking = booked(world)
    world.bookings.remove(booking.id, actor="ann")
    assert world.bookings.all().records == ()
    assert world.events("falcon", "booking.removed")[0].reason.startswith("given back: ")
    with pytest.raises(NotFound, match=booking.id):
        world.bookings.remove(booking.id, actor="ann")

    begun = booked(world)
    world.clock.set(START - minutes(2))
    with pytest.raises(Conflict, match="has begun, and is paid for"):
        world.bookings.remove(begun.id, actor="ann")


def test_a_machine_that_was_off_begins_late_with_what_is_left():
    world = World()
    booked(world)
    world.clock.set(START + minutes(60))
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    assert world.book.get("falcon").expires_at == START + minutes(90)
    missed = World()
    booked(missed)
    missed.clock.set(START + minutes(90))
    missed.rest()
    assert missed.book.all().leases == ()


def test_bookings_that_are_over_are_tidied_up():
    world = World()
    past = booked(world)
    world.clock.set(START + minutes(90))
    assert world.bookings.all().records == ()
    assert world.bookings.by_endpoint(world.clock.now()) == {}
    present = booked(world, at=START + minutes(120))
    assert [each.id for each in world.booking_store.all().records] == [present.id]
    [event] = world.events("falcon", "booking.over")
    assert event.data["booking_id"] == past.id


def test_a_lease_that_was_removed_within_its_booking_is_not_made_again():
    world = World()
    booked(world)
    world.clock.set(START)
    world.rest()
    world.meter.stop("falcon", actor="ann")
    world.rest()
    world.meter.remove("falcon", actor="ann")
    world.rest()
    assert world.book.all().leases == ()
    assert world.status() is None


def test_a_lease_that_was_removed_before_its_booking_is_made_again_by_it():
    world = World()
    world.running()
    booked(world)
    world.rest()
    world.meter.stop("falcon", actor="ann")
    world.rest()
    world.meter.remove("falcon", actor="ann")
    world.clock.set(START)
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE


@pytest.mark.parametrize("amount", [10, 60])
def test_a_lease_that_is_over_is_started_with_the_config_of_the_booking(amount):
    world = World()
    booked(world, config_name="flan-config")
    world.running(amount=amount)
    world.clock.set(START)
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    assert world.book.get("falcon").config_name == "flan-config"
    assert world.hosting.endpoints()["falcon"].config_name == "flan-config"


def test_a_config_that_is_gone_by_then_is_told_and_tried_again():
    world = World()
    booked(world)
    world.clock.set(START)
    world.hosting.forget_config("falcon-config")
    for _ in range(2):
        [failure] = world.sweep.run().failed
        assert isinstance(failure.error, ConfigNotFound)
    assert len(world.events("falcon", "pay.failed")) == 1


def test_damaged_bookings_are_told_and_can_be_given_up():
    world = World()
    booking = booked(world)
    world.booking_store.damage(booking.id, "it is torn")
    assert booking.id in world.bookings.all().unreadable
    world.clock.set(START)
    world.rest()
    world.a_sweep().run()
    [event] = world.events(None, "watch.unusable")
    assert event.reason == f"booking {booking.id!r} cannot be read: it is torn"
    assert world.book.all().leases == ()
    world.bookings.remove(booking.id, actor="ann")
    assert world.bookings.all().unreadable == {}


def test_an_instant_of_any_zone_is_the_same_booking():
    world = World()
    there = booked(world, at=START.astimezone(timezone(timedelta(hours=9))))
    assert there.starts_at == START
    assert there.starts_at.tzinfo is UTC
