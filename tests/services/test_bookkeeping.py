from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.purses import MemoryPurses
from parkade.domain.errors import ResourceLimitExceeded, Unreadable
from parkade.ports.spend import SpendQuery
from parkade.services.bookkeeping import Bookkeeper
from tests.builders import NOW, a_lease, an_event, minutes, seconds
from tests.money import UNPRICED, a_budget, a_money, an_instance

HOUR = timedelta(hours=1)
SECOND = seconds(1)
BUSY = {("falcon", "blue")}


class World:
    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        purses = MemoryPurses()
        self.book = MemoryLeaseBook(self.history, purses)
        self.money = a_money(book=self.book, history=self.history, clock=self.clock, purses=purses)
        self.keeper = self.money.bookkeeper

    def restart(self):
        """Go on as a new process does: with nothing but what is stored."""
        money = self.money
        self.keeper = Bookkeeper(
            money.spend, self.book, money.prices, borders=money.budgets.borders
        )

    def second(self, after, *instances, used=(), span=SECOND):
        self.keeper.meter(NOW + after, span, instances, set(used))

    def tallies(self, **query):
        asked = SpendQuery(start=NOW - 100 * HOUR, end=NOW + 100 * HOUR, **query)
        return list(self.money.spend.tallies(asked))

    def hours(self):
        """Used and idle time by the hour that they are in."""
        found = []
        for number in range(-100, 100):
            start = NOW + number * HOUR
            hour = self.money.spend.tallies(SpendQuery(start=start, end=start + HOUR))
            found += [(number, each.used, each.idle) for each in hour]
        return found


def test_an_instance_is_metered_from_its_start():
    world = World()
    world.second(seconds(10), an_instance(started_at=NOW + seconds(4)))
    world.second(seconds(11), an_instance(started_at=NOW + seconds(4)))
    (tally,) = world.tallies()
    assert (tally.used, tally.idle) == (seconds(0), seconds(7))
    assert (tally.instance_type, tally.hourly) == ("ml.g5.xlarge", Decimal("0.60"))


def test_a_second_counts_as_used_for_the_variant_that_was():
    world = World()
    blue, green = an_instance(), an_instance("i-2", variant_name="green")
    world.second(seconds(1), blue, green, used=BUSY)
    world.second(seconds(2), blue, green)
    assert [(each.variant_name, each.used, each.idle) for each in world.tallies()] == [
        ("blue", seconds(1), seconds(1)),
        ("green", seconds(0), seconds(2)),
    ]


def test_every_instance_counts_both_fleets_of_an_update_included():
    world = World()
    old, new = an_instance(), an_instance("i-2", instance_type="ml.c5.xlarge")
    world.second(seconds(60), old, new)
    assert {each.instance_type: each.idle for each in world.tallies()} == {
        "ml.g5.xlarge": seconds(60),
        "ml.c5.xlarge": seconds(60),
    }


def test_what_it_costs_is_the_owners_whose_lease_it_is():
    world = World()
    world.second(seconds(1), an_instance())
    lease = world.book.put(a_lease(owner="ann"), an_event())
    world.second(seconds(3), an_instance())
    world.book.remove(lease, an_event())
    world.book.put(a_lease(owner="bob"), an_event())
    world.second(seconds(6), an_instance())
    assert {each.owner: each.idle for each in world.tallies()} == {
        "": seconds(1),
        "ann": seconds(2),
        "bob": seconds(3),
    }


def test_a_lease_that_cannot_be_read_keeps_its_owner():
    world = World()
    world.book.put(a_lease(owner="ann"), an_event())
    world.second(seconds(1), an_instance())
    world.book.damage("falcon", "it is torn")
    world.second(seconds(2), an_instance())
    assert [(each.owner, each.idle) for each in world.tallies()] == [("ann", seconds(2))]


def test_a_new_price_leaves_the_past_as_it_was():
    world = World()
    world.second(minutes(30), an_instance())
    world.money.own_prices["ml.g5.xlarge"] = Decimal("6.00")
    world.second(minutes(40), an_instance())
    found = {each.hourly: each.costs(each.idle).usd for each in world.tallies()}
    assert found == {Decimal("0.60"): Decimal("0.30"), Decimal("6.00"): Decimal("1.00")}


def test_what_has_no_price_is_unpriced_and_metered():
    world = World()
    world.second(
        seconds(5),
        an_instance(instance_type=UNPRICED),
        an_instance("i-2", instance_type="", serverless=True),
        an_instance("i-3", instance_type=""),
    )
    assert [(each.instance_type, each.hourly, each.idle) for each in world.tallies()] == [
        ("", None, seconds(5)),
        (UNPRICED, None, seconds(5)),
        ("serverless", None, seconds(5)),
    ]


def test_hours_are_kept_apart():
    world = World()
    world.second(timedelta(minutes=150), an_instance(), used=BUSY, span=minutes(40))
    assert world.hours() == [
        (0, minutes(0), minutes(60)),
        (1, minutes(10), minutes(50)),
        (2, minutes(30), minutes(0)),
    ]


def test_a_restart_counts_nothing_twice_and_makes_up_for_the_time_between():
    world = World()
    world.second(seconds(10), an_instance())
    world.restart()
    world.second(seconds(100), an_instance(), used=BUSY)
    (tally,) = world.tallies()
    # What nobody saw was idle, as far as anybody knows; the last second was not.
    assert (tally.used, tally.idle) == (seconds(1), seconds(99))


def test_an_instance_that_came_after_a_restart_counts_from_its_own_start():
    world = World()
    world.second(seconds(10), an_instance())
    world.restart()
    world.second(seconds(100), an_instance("i-2", started_at=NOW + seconds(95)))
    (tally,) = world.tallies()
    assert tally.idle == seconds(15)


def test_an_instance_that_is_gone_counts_no_more():
    world = World()
    world.second(seconds(10), an_instance())
    world.second(seconds(20))
    world.second(seconds(30), an_instance("i-2", started_at=NOW + seconds(25)))
    assert sum((each.idle for each in world.tallies()), timedelta(0)) == seconds(15)


def test_what_cannot_be_stored_is_kept_and_stored_later():
    world = World()
    world.second(seconds(1), an_instance(), used=BUSY)
    world.money.spend.broken = ResourceLimitExceeded("the disk is full")
    world.second(seconds(2), an_instance(), used=BUSY)
    world.second(seconds(3), an_instance())
    assert "full" in world.keeper.trouble
    world.money.spend.broken = None
    world.second(seconds(4), an_instance())
    assert world.keeper.trouble == ""
    (tally,) = world.tallies()
    assert (tally.used, tally.idle) == (seconds(2), seconds(2))


def test_nothing_is_metered_before_it_is_known_until_when_it_was():
    world = World()
    world.second(seconds(10), an_instance())
    world.restart()
    world.money.spend.broken = Unreadable("it is torn")
    world.second(seconds(20), an_instance())
    world.money.spend.broken = None
    world.second(seconds(30), an_instance())
    (tally,) = world.tallies()
    assert tally.idle == seconds(30)


def test_a_budget_of_a_zone_half_an_hour_apart_cuts_hours_where_its_day_begins():
    world = World()
    # Midnight in Kathmandu is 18:15 UTC.
    world.money.budget_store.put(a_budget(per="day", zone="Asia/Kathmandu"), an_event())
    evening = NOW.replace(hour=18)
    world.keeper.meter(evening + minutes(30), SECOND, [an_instance(started_at=evening)], set())
    border = evening + minutes(15)
    asked = [SpendQuery(start=evening, end=border), SpendQuery(start=border, end=border + HOUR)]
    assert [[each.idle for each in world.money.spend.tallies(q)] for q in asked] == [
        [minutes(15)], [minutes(15)],
    ]  # fmt: skip


def test_of_two_processes_that_meter_the_same_time_each_second_counts_once():
    world = World()
    world.second(seconds(10), an_instance())
    other = world.keeper
    world.restart()
    world.second(seconds(25), an_instance())
    late = world.keeper
    world.keeper = other
    world.second(seconds(30), an_instance(), used=BUSY)
    world.keeper = late
    world.second(seconds(40), an_instance())
    (tally,) = world.tallies()
    assert (tally.used, tally.idle) == (seconds(1), seconds(39))
    assert world.money.spend.until() == NOW + seconds(40)
    # Each tells what it stored itself, and no second of the other's.
    assert other.totals["falcon", ""].instances == seconds(15)
    assert late.totals["falcon", ""].instances == seconds(25)


def test_a_store_that_is_replaced_is_gone_on_with_and_no_second_counts_twice():
    world = World()
    world.second(seconds(10), an_instance())
    world.money.spend.__init__()  # another file is there now, and knows nothing
    world.second(seconds(25), an_instance())
    (tally,) = world.tallies()
    assert tally.idle == seconds(15)
    assert world.keeper.totals["falcon", ""].instances == seconds(25)
    assert world.money.spend.until() == NOW + seconds(25)
    assert world.keeper.trouble == ""


def test_totals_are_those_since_the_process_began():
    world = World()
    world.book.put(a_lease(owner="ann"), an_event())
    world.second(minutes(60), an_instance())
    assert world.keeper.totals["falcon", "ann"].cost.usd == Decimal("0.60")
    world.restart()
    assert world.keeper.totals == {}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 5000),  # seconds that pass
        st.sets(st.integers(0, 3)),  # instances that are there meanwhile
        st.booleans(),  # whether they are used
        st.booleans(),  # whether the store takes anything
    ),
    min_size=1,
    max_size=25,
)


@given(steps=STEPS)
def test_used_and_idle_are_all_the_time_that_instances_were_there(steps):
    world = World()
    world.second(seconds(0))  # what was metered before is known from here on
    now = used_for = idle_for = timedelta(0)
    started = {}
    for span, there, used, works in steps:
        world.money.spend.broken = None if works else ResourceLimitExceeded("full")
        started = {number: started.get(number, now) for number in there}
        now += seconds(span)
        instances = [
            an_instance(f"i-{number}", started_at=NOW + at) for number, at in started.items()
        ]
        world.second(now, *instances, used=BUSY if used else (), span=seconds(span))
        if used:
            used_for += len(there) * seconds(span)
        else:
            idle_for += len(there) * seconds(span)
    world.money.spend.broken = None
    world.second(now)
    tallies = world.tallies()
    assert sum((each.used for each in tallies), timedelta(0)) == used_for
    assert sum((each.idle for each in tallies), timedelta(0)) == idle_for


def test_a_clock_that_stands_still_adds_nothing():
    world = World()
    for _ in range(3):
        world.second(seconds(10), an_instance())
    (tally,) = world.tallies()
    assert tally.idle == seconds(10)
