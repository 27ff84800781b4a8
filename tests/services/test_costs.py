from datetime import timedelta
from decimal import Decimal

import pytest

from parkade.domain.errors import ConfigNotFound, InvalidInput, LeaseNotFound, Unavailable
from parkade.services.costs import By
from tests.builders import NOW, a_lease, an_event, minutes, seconds
from tests.money import UNPRICED, a_machine, an_instance
from tests.services.test_budgets import World

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Metered(World):
    """A world in which time passes for what runs in it."""

    def pass_time(self, amount, *instances, used=()):
        self.clock.advance(minutes(amount))
        self.money.bookkeeper.meter(
            self.clock.now(), minutes(amount) if used else seconds(1), instances, set(used)
        )

    def bill(self, since=7 * DAY, **query):
        return self.money.costs.bill(since=self.clock.now() - since, **query)


def lines(bill):
    return {
        (each.endpoint_name, each.owner): (each.costs.used.usd, each.costs.idle.usd)
        for each in bill.lines
    }


def test_used_and_idle_apart_with_what_always_on_would_have_cost():
    world = Metered()
    world.add("falcon", amount=600)
    world.pass_time(10, an_instance(), used={("falcon", "blue")})
    world.pass_time(20, an_instance())
    world.pass_time(70)
    (line,) = world.bill().lines
    costs = line.costs
    assert (costs.used.usd, costs.idle.usd) == (Decimal("0.1"), Decimal("0.2"))
    assert costs.cost.usd == Decimal("0.3")
    assert costs.always_on.usd == 1
    assert costs.saved == Decimal("0.7")
    assert costs.instances == minutes(30)


def test_nothing_is_saved_by_what_ran_all_the_time():
    world = Metered()
    world.add("falcon", amount=600)
    world.pass_time(60, an_instance())
    assert world.bill().total.saved == 0


def test_owners_and_all_together_add_up():
    world = Metered()
    world.add("falcon", amount=600, owner="ann")
    world.add("flan", amount=600, owner="ann")
    world.add("kite", amount=600, owner="bob")
    world.pass_time(
        60,
        an_instance(),
        an_instance("i-2", endpoint_name="flan"),
        an_instance("i-3", endpoint_name="kite", instance_type=UNPRICED),
        an_instance("i-4", endpoint_name="stray"),
    )
    bill = world.bill(by=By.OWNER)
    assert [(each.owner, str(each.costs.cost)) for each in bill.lines] == [
        ("", "0.60 USD"), ("ann", "1.20 USD"), ("bob", "unpriced"),
    ]  # fmt: skip
    assert str(bill.total.cost) == "1.80 USD + 1 unpriced"


def test_an_endpoint_that_changed_hands_is_billed_to_each_for_their_time():
    world = Metered()
    world.add("falcon", amount=600, owner="ann")
    world.pass_time(60, an_instance())
    world.meter.remove("falcon", actor="ann")
    world.pass_time(60)
    world.book.put(
        a_lease(owner="bob", created_at=world.clock.now(), expires_at=NOW + DAY), an_event()
    )
    started = world.clock.now()
    world.pass_time(60, an_instance("i-2", started_at=started))
    bill = world.bill()
    assert lines(bill) == {
        ("falcon", "ann"): (0, Decimal("0.60")),
        ("falcon", "bob"): (0, Decimal("0.60")),
    }
    # Ann would have kept it on until Bob had it: two hours.
    assert [each.costs.always_on.usd for each in bill.lines] == [Decimal("1.20"), Decimal("0.60")]


def test_days_are_told_without_gaps():
    world = Metered()
    world.add("falcon", amount=6000)
    world.pass_time(60, an_instance())
    world.pass_time(47 * 60)
    bill = world.bill(by=By.DAY)
    assert [(f"{each.day:%d}", each.costs.cost.usd) for each in bill.lines] == [
        ("01", Decimal("0.60")), ("02", 0), ("03", 0),
    ]  # fmt: skip
    assert [each.costs.always_on.usd for each in bill.lines] == [
        Decimal("7.20"), Decimal("14.40"), Decimal("7.20"),
    ]  # fmt: skip


def test_a_bill_counts_from_the_hour_that_it_was_asked_since():
    world = Metered()
    world.add("falcon", amount=6000)
    for _ in range(3):
        world.pass_time(60, an_instance())
    bill = world.bill(since=minutes(90))
    assert bill.since == NOW + HOUR
    assert bill.total.cost.usd == Decimal("1.20")
    assert bill.total.always_on.usd == Decimal("1.20")


def test_only_what_may_be_seen_is_in_a_bill():
    world = Metered()
    world.pass_time(60, an_instance(), an_instance("i-2", endpoint_name="flan"))
    bill = world.bill(sees=lambda name: name == "flan")
    assert lines(bill) == {("flan", ""): (0, Decimal("0.60"))}
    assert bill.total.cost.usd == Decimal("0.60")


def test_what_an_endpoint_cost_under_its_lease():
    world = Metered()
    world.pass_time(120, an_instance())
    lease = world.add("falcon", amount=600)
    world.pass_time(30, an_instance())
    assert world.money.costs.of_lease(lease).cost.usd == Decimal("0.30")


def test_an_empty_bill_is_empty():
    bill = Metered().bill()
    assert (bill.lines, str(bill.total.cost)) == ((), "0.00 USD")


# Quotes.


def quote(world, name="falcon", amount=90, **asked):
    return world.money.quotes.price(
        name, amount=minutes(amount), owner="ann", **{"config_name": "falcon-config", **asked}
    )


def test_a_price_is_told_before_the_act():
    world = World()
    assert quote(world).text == "90 more minutes of 1 x ml.g5.xlarge: 0.90 USD"
    assert quote(world, amount=1).text == "1 more minute of 1 x ml.g5.xlarge: 0.01 USD"
    assert quote(world, amount=0.5).text == "0.5 more minutes of 1 x ml.g5.xlarge: 0.005 USD"


def test_a_price_tells_what_it_leaves_of_the_budget_and_what_it_lacks():
    world = World()
    world.budget("2.10")
    assert quote(world).text.endswith(": 0.90 USD, 1.20 left this week")
    assert quote(world, amount=300).text.endswith(
        ": 3.00 USD, 0.90 USD more than is left this week"
    )
    world.add(amount=30)
    assert quote(world).text.endswith(": 0.90 USD, 0.90 left this week")


def test_variants_that_are_alike_are_one_and_unpriced_ones_are_named():
    world = World()
    world.money.machines.running["falcon"] = [
        a_machine(count=2, variant_name="blue"),
        a_machine(variant_name="green"),
        a_machine("", 1, variant_name="pale", serverless=True),
        a_machine(UNPRICED, 1, variant_name="odd"),
    ]
    told = quote(world, amount=60)
    assert told.text == (
        f"60 more minutes of 3 x ml.g5.xlarge, serverless, 1 x {UNPRICED}: 1.80 USD + 2 unpriced"
    )
    assert told.cost.unpriced == {"serverless", UNPRICED}


def test_a_price_is_of_what_could_be_bought():
    world = World()
    with pytest.raises(LeaseNotFound):
        quote(world, config_name=None)
    with pytest.raises(ConfigNotFound):
        quote(world, config_name="nothing")
    with pytest.raises(InvalidInput, match="minutes ahead"):
        quote(world, amount=100_000)
    world.add("falcon", amount=30, owner="bob")
    assert quote(world).owner == "bob"


def test_what_was_paid_is_told_even_where_the_budget_cannot_be_read():
    world = World()
    world.budget("5.00")
    lease = world.add(amount=30)
    assert world.money.quotes.paid(lease, minutes(30)).left == Decimal("4.70")
    world.money.spend.broken = Unavailable("the disk is away")
    assert world.money.quotes.paid(lease, minutes(30)) is None
