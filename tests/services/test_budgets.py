"""Budgets: what they hold payments to, through the meter and without it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.adapters.memory.hosting import MemoryHosting
from parkade.adapters.sqlite.budgets import SqliteBudgetStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.domain.errors import BudgetExceeded, Conflict, NotFound, Unavailable, Unreadable
from parkade.domain.event import METER
from parkade.domain.terms import Booking, Terms
from parkade.ports.events import EventQuery
from parkade.services.circumstances import Surroundings
from parkade.services.commitments import Commitments
from tests.builders import NOW, minutes, seconds
from tests.money import UNPRICED, a_budget, a_machine, a_money, an_instance
from tests.services import world as services
from tests.services.faults import Crash, Fault, faulty

#: `falcon-config` is one ml.g5.xlarge: a cent a minute. `flan-config` is two of them.
DAY = timedelta(days=1)


class World(services.World):
    """A world with budgets. `sqlite`: book and budgets in a real file."""

    def __init__(self, sqlite=None, **money):
        self.budgets = None
        super().__init__()
        self.hosting = MemoryHosting(self.clock, ["falcon-config", "flan-config", "other-config"])
        if sqlite is not None:
            self.history = SqliteHistory(sqlite)
            self.book = SqliteLeaseBook(sqlite)
            money["budgets"] = SqliteBudgetStore(sqlite)
        self.money = a_money(
            book=self.book, history=self.history, clock=self.clock, purses=self.purses, **money
        )
        self.budgets = self.money.budgets
        self.meter = self.a_meter(admit=self.budgets.admit)
        self.sweep = self.a_sweep(admit=self.budgets.admit)

    def surroundings(self):
        return Surroundings(budgets=self.budgets, terms=self.terms)

    def budget(self, usd, **changes):
        return self.budgets.put(a_budget(usd, **changes), actor="root")

    def add(self, name="falcon", amount=30, config="falcon-config", *, owner="ann"):
        return self.meter.add(name, config, amount=minutes(amount), owner=owner, actor=owner)

    def extend(self, name="falcon", amount=30):
        return self.meter.extend(name, minutes(amount), actor="ann")

    def standing(self, owner="ann"):
        return self.budgets.standing(self.budgets.get(owner))

    def left(self):
        return self.standing().left

    def run(self, amount, *instances, used=()):
        """Let time pass with these instances, metered up to now."""
        instances = instances or [an_instance(started_at=NOW)]
        self.clock.advance(minutes(amount))
        self.money.bookkeeper.meter(self.clock.now(), seconds(1), instances, set(used))


def test_what_a_lease_costs_is_reserved_when_it_is_made():
    world = World()
    assert world.budget("1.00").left == 1
    world.add(amount=40)
    standing = world.standing()
    assert (standing.spent, standing.reserved, standing.left) == (
        0,
        Decimal("0.40"),
        Decimal("0.60"),
    )


def test_a_budget_can_be_used_up_exactly_and_not_passed():
    world = World()
    world.budget("0.50")
    world.add(amount=30)
    world.extend(amount=20)
    assert world.left() == 0
    with pytest.raises(BudgetExceeded) as refused:
        world.extend(amount=1)
    assert refused.value.until == world.standing().period.end
    assert world.book.get("falcon").expires_at == NOW + minutes(50)


def test_a_refusal_says_what_was_asked_what_is_left_until_when_and_what_to_do():
    world = World()
    world.budget("0.50", per="day", zone="Europe/Berlin")
    with pytest.raises(BudgetExceeded) as refused:
        world.add(amount=90)
    assert refused.value.message == (
        "1 h 30 min more would cost 0.90 USD today, and 0.50 USD is left of the budget of ann "
        "(0.50 USD a day) until 2026-03-01T23:00:00Z"
    )
    assert refused.value.hint.startswith("at most 50 minutes fit in; ")


def test_time_passes_from_reserved_to_spent_and_what_is_left_stays():
    world = World()
    world.budget("1.00")
    world.add(amount=60)
    for _ in range(6):
        world.run(10)
        assert world.left() == Decimal("0.40")
    assert (world.standing().spent, world.standing().reserved) == (Decimal("0.60"), 0)


def test_what_is_not_metered_yet_still_counts_as_reserved():
    world = World()
    world.budget("0.60")
    world.add(amount=60)
    world.run(10)
    world.clock.advance(seconds(90))
    assert world.left() == 0
    with pytest.raises(BudgetExceeded):
        world.extend(amount=1)


def test_minutes_that_are_given_up_go_back_by_themselves():
    world = World()
    world.budget("1.00")
    world.add(amount=100)
    world.run(10)
    world.meter.stop("falcon", actor="ann")
    assert world.left() == Decimal("0.90")
    world.meter.start("falcon", amount=minutes(90), actor="ann")
    assert world.left() == 0


def test_the_owner_of_the_lease_pays_whoever_extends_it():
    world = World()
    world.budget("0.40", owner="ann")
    world.add(amount=30, owner="ann")
    with pytest.raises(BudgetExceeded, match="budget of ann"):
        world.meter.extend("falcon", minutes(11), actor="bob")


def test_an_owner_without_a_budget_is_free():
    world = World()
    world.budget("0.01", owner="ann")
    world.add(amount=10_000, owner="bob")


def test_what_begins_in_the_next_period_counts_against_the_next():
    world = World()  # NOW is noon of a Sunday: half a day is left of the week
    world.budget("8.00")
    world.add(amount=12 * 60 + 60)  # 7.20 this week, 0.60 in the next
    assert world.left() == Decimal("0.80")
    world.extend(amount=12 * 60 + 19)  # 7.39 more in the next week: 7.99
    assert world.left() == Decimal("0.80")
    with pytest.raises(BudgetExceeded, match="the week from 2026-03-02") as refused:
        world.extend(amount=2)
    assert refused.value.until == NOW.replace(hour=0) + 8 * DAY


def test_time_that_reaches_into_a_later_period_has_to_fit_into_that_one_too():
    world = World()
    world.budget("10.00", per="day")
    booking = Booking(
        id="b-1",
        endpoint_name="flan",
        config_name="falcon-config",
        owner="ann",
        starts_at=NOW + DAY,
        ends_at=NOW + DAY + minutes(700),
        made_at=NOW,
    )
    world.money.bookings.append(booking)
    # Twelve hours are left of today; tomorrow three dollars are.
    with pytest.raises(BudgetExceeded) as refused:
        world.add(amount=720 + 301)
    assert "until 2026-03-03T00:00:00Z" in refused.value.message
    world.add(amount=720 + 300)


def test_a_week_that_is_passed_already_does_not_refuse_the_next_one():
    world = World()
    world.add(amount=12 * 60)
    world.budget("1.00")
    assert world.left() < 0
    world.extend(amount=30)  # all of it next week


def test_a_raise_counts_at_once_and_so_does_its_end():
    world = World()
    world.budget("0.10")
    with pytest.raises(BudgetExceeded):
        world.add()
    world.budget("0.30")
    world.add()
    world.budgets.remove("ann", actor="root")
    world.extend(amount=1000)
    with pytest.raises(NotFound):
        world.budgets.remove("ann", actor="root")


def test_everybody_may_have_a_budget_by_default_and_their_own_goes_before_it():
    world = World(default=lambda owner: a_budget("0.10", owner=owner))
    with pytest.raises(BudgetExceeded, match="budget of bob"):
        world.add(owner="bob")
    world.budget("5.00", owner="bob")
    world.add(owner="bob")
    assert world.budgets.get(METER) is None


def test_what_has_no_price_is_refused_under_a_budget_with_what_to_do():
    world = World()
    world.add("free", config="other-config", owner="bob")
    world.budget("5.00")
    with pytest.raises(Conflict, match=f"{UNPRICED} has no price") as refused:
        world.add(config="other-config")
    assert "money.prices" in refused.value.hint
    world.money.own_prices[UNPRICED] = Decimal("0.60")
    world.add(config="other-config")


def test_a_budget_that_warns_refuses_nothing():
    world = World()
    world.budget("0.10", then="warn")
    world.add()
    world.add("other", config="other-config")
    assert world.standing().unpriced == {UNPRICED}
    assert world.left() == Decimal("-0.20")


def test_what_an_endpoint_runs_on_now_is_what_is_reserved():
    world = World()
    world.budget("1.00")
    world.add(amount=30)
    world.money.machines.running["falcon"] = [a_machine(count=3)]
    assert world.left() == Decimal("0.10")


def test_bookings_are_reserved_until_a_lease_pays_for_them():
    world = World()
    world.budget("1.20", per="month")
    booking = Booking(
        id="b-1",
        endpoint_name="falcon",
        config_name="falcon-config",
        owner="ann",
        starts_at=NOW + minutes(60),
        ends_at=NOW + minutes(120),
        made_at=NOW,
    )
    assert world.budgets.reserve(booking, NOW).owner == "ann"
    world.money.bookings.append(booking)
    assert world.left() == Decimal("0.60")
    with pytest.raises(BudgetExceeded):
        world.budgets.reserve(replace(booking, ends_at=NOW + minutes(121)), NOW)
    with pytest.raises(BudgetExceeded):
        world.add("other", amount=61)
    world.add(amount=80)  # of which 20 minutes are booked already
    assert world.left() == 0


def test_a_booking_that_has_begun_and_is_not_paid_for_yet_is_still_reserved():
    world = World()
    world.budget("1.20", per="month")
    booking = Booking(
        id="b-1",
        endpoint_name="falcon",
        config_name="falcon-config",
        owner="ann",
        starts_at=NOW - minutes(10),
        ends_at=NOW + minutes(60),
        made_at=NOW - minutes(60),
    )
    world.money.bookings.append(booking)
    assert world.left() == Decimal("0.60")
    with pytest.raises(BudgetExceeded):
        world.add("other", amount=61)
    world.add(amount=60)
    assert world.left() == Decimal("0.60")
    world.meter.stop("falcon", actor="ann")  # which gives the booking up as well
    assert world.left() == Decimal("1.20")


def test_a_rehearsal_is_refused_as_the_act_would_be_and_changes_nothing():
    world = World()
    world.budget("0.50")
    dry = world.meter.rehearsal()
    with pytest.raises(BudgetExceeded):
        dry.add("falcon", "falcon-config", amount=minutes(51), owner="ann", actor="ann")
    dry.add("falcon", "falcon-config", amount=minutes(50), owner="ann", actor="ann")
    assert world.book.all().leases == ()
    assert world.left() == Decimal("0.50")


# What cannot be read.


def test_while_a_budget_cannot_be_read_its_owner_gets_no_new_time_and_keeps_what_runs():
    world = World()
    world.budget("5.00")
    world.add()
    world.sweep.run()
    world.money.budget_store.damage("ann", "it is torn")
    with pytest.raises(Unreadable, match="budget of 'ann'"):
        world.extend()
    world.add("flan", owner="bob")
    assert world.budgets.overspent(NOW, world.book.all()) == {}
    assert "torn" in world.budgets.trouble
    world.sweep.run()
    assert not world.book.get("falcon").over(NOW)
    world.budget("5.00")
    world.extend()


def test_while_what_was_spent_cannot_be_read_owners_with_a_budget_get_no_new_time():
    world = World()
    world.budget("5.00", then="stop")
    world.add()
    world.run(10)
    world.money.spend.broken = Unavailable("the disk is away")
    with pytest.raises(Unavailable, match="away"):
        world.extend()
    world.add("flan", owner="bob")
    world.sweep.run()
    assert not world.book.get("falcon").over(world.clock.now())
    assert "away" in world.budgets.trouble
    world.money.spend.broken = None
    world.extend()
    world.budgets.overspent(world.clock.now(), world.book.all())
    assert world.budgets.trouble == ""


# What is used up.


def used_up(then):
    """A budget of 0.30 that an endpoint of two machines passes after 15 minutes of its 30."""
    world = World()
    world.budget("0.30", then=then)
    world.add(amount=30)
    world.sweep.run()
    world.hosting.settle("falcon")
    world.run(20, an_instance(), an_instance("i-2"))
    return world


def test_a_budget_that_warns_tells_once_in_a_period():
    world = used_up("warn")
    for _ in range(3):
        world.sweep.run()
        world.clock.advance(seconds(1))
    told = [each.text for each in world.notices.told if each.kind == "budget"]
    assert told == ["the budget of ann, 0.30 USD for the week from 2026-02-23, is used up"]
    assert not world.book.get("falcon").over(world.clock.now())


def test_a_budget_that_refuses_lets_run_what_is_paid():
    world = used_up("refuse")
    world.sweep.run()
    assert not world.book.get("falcon").over(world.clock.now())
    with pytest.raises(BudgetExceeded):
        world.extend(amount=1)


def test_a_budget_that_stops_ends_leases_as_budget():
    world = used_up("stop")
    world.sweep.run()
    lease = world.book.get("falcon")
    assert (lease.ended, world.hosting.calls[-1]) == ("budget", ("delete", "falcon"))
    with pytest.raises(BudgetExceeded):
        world.meter.start("falcon", amount=minutes(1), actor="ann")
    assert "is used up" in world.history.latest(EventQuery(kinds=("lease.ended",)))[0].reason


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_invariant_5_a_stop_by_a_budget_that_is_killed_at_any_step_is_done_once_and_told_once(
    after,
):
    def spent():
        world = World()
        world.budget("1.00", then="stop")
        world.add(amount=100)
        world.add("other", amount=5, owner="bob")
        world.rest()
        world.run(50, an_instance(), an_instance("i-2"))  # twice as many as when it was bought
        return world

    undisturbed = Fault()
    world = spent()
    faulty(world, undisturbed, admit=world.budgets.admit).run()
    assert {"book.put", "hosting.delete", "notices.tell"} <= set(undisturbed.calls)
    for step, name in enumerate(undisturbed.calls):
        world = spent()
        sweep = faulty(world, Fault(step, Crash(name), after=after), admit=world.budgets.admit)
        with pytest.raises(Crash):
            sweep.run()
        world.rest()
        assert world.status() is None, f"{step} {name}"
        [ended] = world.events("falcon", "lease.ended")
        assert ended.data["ended"] == "budget"
        told = [each for each in world.notices.told if each.endpoint_name == "falcon"]
        assert len({each.text for each in told}) == len(told) <= 1
        # What it gave up is the owner's again, once.
        assert world.left() == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_payment_that_is_killed_at_any_step_is_reserved_once(after):
    def opening():
        world = World()
        world.add(amount=10)
        world.meter.stop("falcon", actor="ann")
        world.rest()
        world.clock.advance(minutes(1))
        world.terms.put(Terms(endpoint_name="falcon", schedule="sun 09:00-13:01 UTC"), "ann")
        world.budget("0.60")
        world.clock.set(NOW + DAY * 7)  # an hour and a minute before closing
        world.clock.advance(minutes(1))
        return world

    undisturbed = Fault()
    world = opening()
    faulty(world, undisturbed, admit=world.budgets.admit).run()
    assert world.left() == 0
    for step, name in enumerate(undisturbed.calls):
        world = opening()
        sweep = faulty(world, Fault(step, Crash(name), after=after), admit=world.budgets.admit)
        with pytest.raises(Crash):
            sweep.run()
        world.rest()
        assert world.left() == 0, f"{step} {name}"
        assert world.book.get("falcon").expires_at == NOW + DAY * 7 + minutes(61)
        assert len(world.events("falcon", "lease.paid")) == 1
        with pytest.raises(BudgetExceeded):
            world.extend(amount=1)


def test_a_new_week_begins_anew():
    world = used_up("refuse")
    world.clock.advance(DAY)
    world.money.bookkeeper.meter(world.clock.now(), seconds(1), [], set())
    world.extend(amount=30)
    assert world.left() == 0


def test_what_was_spent_is_added_up_once_an_hour_and_never_forgets():
    world = World()
    world.budget("100.00", per="month")
    world.add(amount=6000)
    for _ in range(30):
        world.run(37)
        world.standing()
    assert world.standing().spent == Decimal("11.10")
    assert world.standing().spent + world.standing().reserved == 60


# Many at once.


def test_what_was_added_up_is_not_changed_while_another_thread_looks_through_it():
    looks = []

    class Looked(Commitments):
        """Commitments of which somebody begins to look through every dictionary."""

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "_past":
                looks.append((len(value), iter(value)))

    world = World()
    world.budget("100.00", per="month")
    world.add(amount=6000)
    world.money.commitments.__class__ = Looked
    for _ in range(3):
        world.run(60)
        world.standing()
    for count, look in looks:
        assert len(list(look)) == count
    assert sum(count for count, _ in looks) > 2


def many(world, calls, threads=8):
    """Make the calls at once; return how many were granted."""
    together = threading.Barrier(threads)

    def work(number):
        together.wait()
        granted = 0
        for call in calls[number::threads]:
            try:
                call()
            except BudgetExceeded:
                continue
            granted += 1
        return granted

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads)))


@given(
    cents=st.integers(0, 60),
    asked=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12)), min_size=8, max_size=24),
)
@settings(max_examples=15, deadline=None)
def test_parallel_calls_never_pass_a_budget(cents, asked):
    world = World()
    world.budget(str(Decimal(cents) / 100), per="month")

    def call(name, amount):
        return lambda: world.meter.buy(
            name,
            config_name="falcon-config",
            amount=minutes(amount),
            owner="ann",
            actor="ann",
        )

    granted = many(world, [call(f"e{number}", amount) for number, amount in asked])
    leases = world.book.all().leases
    paid = sum((lease.expires_at - NOW for lease in leases), timedelta(0))
    assert paid <= minutes(cents)
    assert world.left() == Decimal(cents) / 100 - Decimal(paid // minutes(1)) / 100
    # What was refused did not fit: the smallest of it is more than is left.
    if granted < len(asked):
        assert max(amount for _, amount in asked) > cents - paid // minutes(1)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_parallel_extensions_use_a_budget_up_to_the_last_cent(kind, tmp_path):
    database = Database(tmp_path / "parkade.db") if kind == "sqlite" else None
    world = World(sqlite=database)
    world.budget("0.40", per="month")
    names = [f"e{number}" for number in range(4)]
    for name in names:
        world.add(name, amount=1)
    granted = many(world, [lambda name=name: world.extend(name, 1) for name in names * 16])
    assert granted == 36
    assert world.left() == 0
    if database is not None:
        database.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_of_payments_that_are_decided_at_once_one_gets_the_last_cent(kind, tmp_path):
    database = Database(tmp_path / "parkade.db") if kind == "sqlite" else None
    world = World(sqlite=database)
    world.budget("0.09", per="month")
    names = [f"e{number}" for number in range(8)]
    for name in names:
        world.add(name, amount=1)
    decided = threading.Barrier(8)
    first = threading.local()
    claims = world.money.commitments.claims

    def together(*asked, **options):
        found = claims(*asked, **options)
        if not hasattr(first, "over"):
            first.over = True
            decided.wait(60)
        return found

    world.money.commitments.claims = together
    assert many(world, [lambda name=name: world.extend(name, 1) for name in names]) == 1
    world.money.commitments.claims = claims
    assert world.left() == 0
    if database is not None:
        database.close()


def test_a_lowered_budget_holds_back_a_payment_that_was_decided_before_it():
    world = World()
    world.budget("1.00")
    put = world.book.put

    def slowly(lease, event, **options):
        world.book.put = put
        world.budget("0.10")
        return put(lease, event, **options)

    world.book.put = slowly
    with pytest.raises(BudgetExceeded):
        world.add()
    assert world.book.all().leases == ()


def test_events_tell_who_set_what():
    world = World()
    world.budget("50", then="stop")
    world.budgets.remove("ann", actor="root")
    told = world.history.read(EventQuery(kinds=("budget.",)))
    assert [(each.kind, each.actor, each.owner) for each in told] == [
        ("budget.set", "root", "ann"),
        ("budget.removed", "root", "ann"),
    ]
    assert told[0].reason == "ann may spend 50.00 USD a week; then: stop"
    assert told[0].data["usd"] == "50"
