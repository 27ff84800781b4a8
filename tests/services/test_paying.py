"""Coins without a person, carried out: over days, over changes of clocks, over crashes."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parkade.domain.actions import NoticeKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import BudgetExceeded
from parkade.domain.lease import EndReason
from parkade.domain.terms import Keep, Terms
from parkade.services.terms import TermsBook
from tests.builders import NOW, minutes, seconds, some_use
from tests.services.faults import Crash, Fault
from tests.services.world import World

#: NOW is a Sunday noon in March; the next opening is on Monday at 08:00 UTC.
HOURS = "mon-fri 09:00-17:00 Europe/Berlin"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
KEEP = Keep(by=minutes(15), when_left=minutes(5), at_most=minutes(40))


def at(day, hour, minute=0):
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def scheduled(hours=HOURS, **terms):
    """A world whose endpoint was stopped on Sunday and has office hours."""
    world = World()
    world.running(amount=30)
    world.meter.stop("falcon", actor="ann")
    world.rest()
    world.terms.put(Terms(endpoint_name="falcon", schedule=hours, **terms), "ann")
    return world


def go(world, instant):
    """Let time pass up to the instant; whenever the plan says so, and each hour, it is swept."""
    while world.clock.now() < instant:
        world.rest()
        following = world.sweep.plan().next_at or instant
        step = max(following, world.clock.now() + seconds(1))
        world.clock.set(min(step, instant, world.clock.now() + minutes(60)))
    world.rest()


def paid(world):
    return [
        (event.data["by"], event.data["expires_at"])
        for event in world.events("falcon", "lease.paid")
    ]


def test_it_opens_and_closes_by_itself_on_each_day_of_the_week():
    world = scheduled()
    running = []
    for hour in range(0, 9 * 24, 4):
        go(world, at(hour // 24, hour % 24, 30))
        if world.status():
            running.append((hour // 24, hour % 24))
    assert running == [(day, hour) for day in (0, 1, 2, 3, 4, 7, 8) for hour in (8, 12)]
    assert len(paid(world)) == 7
    assert not [event for event in world.events("falcon") if event.kind.endswith(".failed")]


@pytest.mark.parametrize(
    ("saturday", "opens", "closes"),
    [
        # Clocks go forward in the night to the 29th: 02:30 does not exist, it opens at the jump.
        (datetime(2026, 3, 28, tzinfo=UTC), "2026-03-29T01:00:00Z", "2026-03-29T04:00:00Z"),
        # They go back in the night to the 25th: 02:30 comes twice, it opens the first time.
        (datetime(2026, 10, 24, tzinfo=UTC), "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z"),
    ],
)
def test_a_weekend_on_which_clocks_change(saturday, opens, closes):
    world = scheduled("sun 02:30-06:00 Europe/Berlin")
    world.clock.set(saturday)
    go(world, saturday + timedelta(days=2))
    [event] = world.events("falcon", "lease.paid")
    assert event.at == datetime.fromisoformat(opens)
    [ended] = [each for each in world.events("falcon", "lease.ended") if each.at > saturday]
    assert ended.at == datetime.fromisoformat(closes)
    assert ended.data["ended"] == "expired"
    assert world.status() is None


def test_the_payment_says_for_what_and_the_notice_before_closing_is_as_before_any_expiry():
    world = scheduled()
    go(world, at(0, 8))
    assert world.status() is EndpointStatus.IN_SERVICE
    [event] = world.events("falcon", "lease.paid")
    assert event.actor == "meter"
    assert event.reason == f"8 h added: open until 2026-03-02T16:00:00Z by its schedule {HOURS}"
    assert event.data["minutes"] == 480
    go(world, at(0, 15, 50))
    assert [event.data["minutes_before"] for event in world.events("falcon", "lease.warned")] == [
        10
    ]


def test_what_a_person_stopped_stays_stopped_until_the_next_opening():
    world = scheduled()
    go(world, at(0, 9))
    world.meter.stop("falcon", actor="ann")
    go(world, at(0, 15, 59))
    assert world.status() is None
    go(world, at(1, 8))
    assert world.status() is EndpointStatus.IN_SERVICE
    assert len(paid(world)) == 2


def test_a_persons_coin_stays_on_top_of_office_hours():
    world = scheduled()
    go(world, at(0, 15))
    world.meter.extend("falcon", minutes(30), actor="ann")
    go(world, at(0, 16, 29))
    assert world.status() is EndpointStatus.IN_SERVICE
    go(world, at(0, 16, 30))
    assert world.status() is None


def test_new_office_hours_take_effect_at_once():
    world = scheduled()
    go(world, at(0, 9))
    shorter = "mon-fri 09:00-12:00 Europe/Berlin"
    world.terms.change("falcon", "ann", lambda held: replace(held, schedule=shorter))
    assert world.book.get("falcon").expires_at == at(0, 11)
    world.terms.change("falcon", "ann", lambda held: replace(held, schedule=HOURS))
    world.rest()
    assert world.book.get("falcon").expires_at == at(0, 16)
    world.terms.clear("falcon", "ann")
    world.rest()
    assert world.status() is None
    ended = world.book.get("falcon")
    assert (ended.ended, ended.expires_at) == (EndReason.EXPIRED, at(0, 9))
    given_up = [
        event.data["minutes_given_up"] for event in world.events("falcon", "lease.shortened")
    ]
    assert given_up == [5 * 60, 7 * 60]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_change_of_office_hours_that_is_killed_at_any_step_leaves_no_time_that_nothing_pays_for(
    after,
):
    shorter = "mon-fri 09:00-12:00 Europe/Berlin"
    closing = {HOURS: at(0, 16), shorter: at(0, 11)}
    reached = set()
    for step in range(9):
        world = scheduled()
        go(world, at(0, 9))
        fault = Fault(step, Crash(), after=after)
        store, book = fault.wrap("terms", world.terms_store), fault.wrap("book", world.book)
        terms = TermsBook(store, book=book, clock=world.clock)
        with suppress(Crash):
            terms.change("falcon", "ann", lambda held: replace(held, schedule=shorter))
        world.rest()
        now_set = world.terms.get("falcon").schedule
        assert world.book.get("falcon").expires_at == closing[now_set], fault.calls
        assert world.status() is EndpointStatus.IN_SERVICE
        reached.add(now_set)
    assert reached == {HOURS, shorter}


def test_a_change_of_office_hours_leaves_what_people_paid_for():
    world = scheduled()
    world.meter.extend("falcon", timedelta(hours=22), actor="ann")
    go(world, at(0, 9))
    world.terms.clear("falcon", "ann")
    assert world.book.get("falcon").expires_at == at(0, 10)
    world.meter.extend("falcon", timedelta(hours=8), actor="ann")
    world.terms.put(Terms(endpoint_name="falcon", schedule=HOURS, version=2), "ann")
    world.rest()
    world.terms.clear("falcon", "ann")
    assert world.book.get("falcon").expires_at == at(0, 18)


def refusing(lease, held, now):
    raise BudgetExceeded(f"{now:%H:%M} is too late", until=NOW + timedelta(days=7))


def test_a_refusal_by_the_budget_is_told_once_for_each_opening_and_the_endpoint_stops():
    world = scheduled()
    go(world, at(0, 7))
    world.meter.extend("falcon", minutes(90), actor="ann")
    world.sweep = world.a_sweep(admit=refusing)
    go(world, at(0, 8, 29))
    assert world.status() is EndpointStatus.IN_SERVICE
    go(world, at(0, 8, 30))
    assert world.status() is None
    go(world, at(0, 16))
    assert paid(world) == []
    assert world.book.get("falcon").ended is EndReason.EXPIRED
    [told] = [notice for notice in world.notices.told if notice.kind is NoticeKind.BUDGET]
    assert told.text.startswith(
        "not paid for by schedule until 2026-03-02T16:00:00Z: it is over the budget: "
    )
    go(world, at(1, 16))
    assert len(world.events("falcon", "lease.unpaid")) == 2


def test_it_opens_late_where_the_budget_has_grown_meanwhile():
    world = scheduled()
    world.sweep = world.a_sweep(admit=refusing)
    go(world, at(0, 9))
    world.sweep = world.a_sweep()
    go(world, at(0, 9, 30))
    assert world.status() is EndpointStatus.IN_SERVICE


def test_a_payment_that_was_overtaken_is_dropped_and_made_by_the_next_sweep():
    world = scheduled()
    go(world, at(0, 7))
    world.clock.set(at(0, 8))

    def raced(lease, held, now):
        world.meter.extend("falcon", minutes(10), actor="ann")

    world.a_sweep(admit=raced).run()
    assert paid(world) == []
    assert world.book.get("falcon").expires_at == at(0, 8, 10)
    world.rest()
    assert world.book.get("falcon").expires_at == at(0, 16)
    world.rest()
    assert len(paid(world)) == 1


def test_after_a_crash_behind_the_payment_the_next_sweep_starts_the_endpoint():
    world = scheduled()
    go(world, at(0, 7))
    world.clock.set(at(0, 8))
    world.sweep.run()
    assert world.status() is None
    world.sweep = world.a_sweep()
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    assert len(paid(world)) == 1


def test_an_hour_after_opening_the_machine_comes_back_and_it_is_open_for_the_rest():
    world = scheduled()
    world.clock.set(at(0, 9))
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    assert world.book.get("falcon").expires_at == at(0, 16)


def test_use_keeps_it_up_to_the_hard_limit_and_the_owner_hears_of_it_once():
    world = World()
    world.running(amount=30)
    world.terms.put(Terms(endpoint_name="falcon", keep=KEEP), "ann")
    world.usage.told["falcon"] = lambda now: some_use(used_at=now - seconds(20))
    go(world, NOW + minutes(69))
    assert world.status() is EndpointStatus.IN_SERVICE
    assert [by for by, _ in paid(world)] == ["use"] * 3
    told = [notice for notice in world.notices.told if notice.kind is NoticeKind.LIMIT]
    assert [notice.owner for notice in told] == ["ann"]
    go(world, NOW + minutes(70))
    assert world.status() is None
    assert world.book.get("falcon").expires_at == NOW + minutes(70)


def test_without_use_it_ends_when_it_was_paid_for():
    world = World()
    world.running(amount=30)
    world.terms.put(Terms(endpoint_name="falcon", keep=KEEP), "ann")
    world.usage.told["falcon"] = some_use(used_at=NOW)
    go(world, NOW + minutes(30))
    assert paid(world) == []
    assert world.status() is None


def test_use_that_is_not_known_keeps_nothing():
    world = World()
    world.running(amount=30)
    world.terms.put(Terms(endpoint_name="falcon", keep=KEEP), "ann")
    world.usage.told["falcon"] = None
    world.usage.uses = lambda names, now: {}
    go(world, NOW + minutes(30))
    assert world.status() is None


def test_a_removed_lease_takes_its_office_hours_along():
    world = scheduled()
    go(world, at(0, 9))
    world.meter.remove("falcon", actor="ann")
    go(world, at(1, 12))
    assert world.status() is None
    assert world.book.all().leases == ()
