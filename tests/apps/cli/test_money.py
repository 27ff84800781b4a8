"""`parkade cost`, `prices`, `budget`, and the price before time is bought."""

import csv
import io
from decimal import Decimal

import pytest

from parkade.apps.cli import moneyviews
from tests.adapters.test_aws_prices import a_product, api  # noqa: F401  a fixture
from tests.apps.cli.test_views import drawn
from tests.builders import minutes
from tests.money import UNPRICED, an_instance

WIDTHS = [80, 120]


@pytest.fixture
def spent(desk):
    """An hour of falcon, of which half was used, and of an unpriced kite; and an hour of nothing."""
    world = desk.world
    world.add("falcon", amount=minutes(600), owner="ann")
    world.add("kite", amount=minutes(600), owner="bob")
    running = an_instance(), an_instance("i-2", endpoint_name="kite", instance_type=UNPRICED)
    for used in ({("falcon", "blue")}, set()):
        world.clock.advance(minutes(30))
        world.money.bookkeeper.meter(world.clock.now(), minutes(30), running, used)
    world.clock.advance(minutes(60))
    world.money.bookkeeper.meter(world.clock.now(), minutes(60), (), set())
    return desk


# Cost.


def test_cost_shows_used_idle_and_saved_and_marks_what_is_unpriced(spent):
    head, _, falcon, kite, *rest = spent.ok("cost").splitlines()
    assert head.split() == [
        "Endpoint", "Owner", "Hours", "Used", "Idle", "Cost", "Always", "on", "Saved",
    ]  # fmt: skip
    assert falcon.split() == ["falcon", "ann", "1.00", "0.30", "0.30", "0.60", "1.20", "0.60"]
    assert kite.split() == [
        "kite", "bob", "1.00", "0.00", "unpriced", "unpriced", "unpriced", "0.00",
    ]  # fmt: skip
    assert " ".join(rest).split(" since ")[0] == f"Together 0.60 USD + 1 unpriced ({UNPRICED})"
    assert "50% of it idle; 0.60 USD saved" in " ".join(rest)


@pytest.mark.parametrize("by", ["endpoint", "owner", "day"])
@pytest.mark.parametrize("width", WIDTHS)
def test_cost_fits_the_width_and_loses_no_amount(spent, width, by):
    spent.world.add("an-endpoint-with-a-name-as-long-as-they-get", owner="a.b@example.com")
    bill = spent.json("cost", "--by", by)
    bill["lines"] *= 2
    if by == "endpoint":
        bill["lines"][0] = {
            **bill["lines"][0], "endpoint_name": "e" * 63, "owner": "o" * 63,
        }  # fmt: skip
    text = drawn(moneyviews.Bill(bill), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "0.60" in text


def test_cost_as_csv_and_of_one_endpoint_or_owner(spent):
    rows = list(csv.DictReader(io.StringIO(spent.ok("cost", "falcon", "--csv"))))
    assert [(row["endpoint"], row["cost_usd"]) for row in rows] == [("falcon", "0.60")]
    assert len(spent.json("cost", "--owner", "bob")["lines"]) == 1


def test_nothing_spent_is_said(desk):
    result = desk.run("cost", "--since", "2d")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Nothing ran since 2026-02-27 12:00 UTC." in result.stderr


def test_a_since_that_is_none_is_refused(desk):
    assert "write 7d, 12h or 90m" in desk.error("cost", "--since", "yesterday")


def test_show_tells_the_cost_so_far(spent):
    spent.start("falcon")
    assert "0.60 USD, 0.30 of it idle, under this lease" in spent.ok("show", "falcon")


# Prices.


def test_prices_tell_their_source_and_what_has_none(desk):
    desk.world.money.own_prices["ml.own.metal"] = Decimal("0.0123")
    text = desk.ok("prices", "ls", "ml.g5.xlarge", "ml.own.metal", UNPRICED)
    _, _, known, own, unknown, *_ = text.splitlines()
    assert known.split() == ["ml.g5.xlarge", "0.60", "packaged", "2026-03-01"]
    assert own.split() == ["ml.own.metal", "0.0123", "settings", "-"]
    assert unknown.split()[:2] == [UNPRICED, "unpriced"]
    assert "no price of ml.x9.large in us-east-1 is known" in unknown


def test_prices_alone_lists_all_and_marks_what_is_unconfirmed(desk):
    listing = desk.world.money.lists.packaged("us-east-1")
    listing.unconfirmed["ml.t2.medium"] = Decimal("0.056")
    line = next(each for each in desk.ok("prices").splitlines() if "ml.t2.medium" in each)
    assert line.split()[-1] == "unconfirmed"
    assert desk.json("prices", "ls")["region"] == "us-east-1"


def test_prices_are_fetched_from_aws(desk, api):  # noqa: F811
    api.products = [a_product("ml.g5.xlarge", "1.4080000000"), a_product("ml.a.b", "0.6")]
    assert desk.ok("prices", "update").startswith("2 prices of us-east-1 as of ")
    told = desk.json("prices", "ls", "ml.g5.xlarge")
    assert told["prices"][0] | {"dated": ""} == {
        "instance_type": "ml.g5.xlarge",
        "usd_per_hour": "1.408",
        "source": "aws",
        "dated": "",
        "confirmed": True,
        "reason": "",
    }
    assert "AWS's price API, us-east-1, on demand, hosting, fetched" in told["origin"]


def test_a_bad_answer_leaves_the_prices_as_they_are(desk, api):  # noqa: F811
    api.refusal = (200, {"PriceList": ["{}"]})
    assert "form that is not known here" in desk.error("prices", "update")
    assert desk.json("prices", "ls", "ml.g5.xlarge")["prices"][0]["source"] == "packaged"


def test_another_region_is_fetched_by_name(desk, api):  # noqa: F811
    api.products = [a_product("ml.a.b", "0.6", region="eu-central-1")]
    assert desk.ok("prices", "update", "--region", "eu-central-1").startswith(
        "1 prices of eu-central-1"
    )
    assert "tells no prices" in desk.error("prices", "update", "--region", "mars-north-1")


# Budgets.


def test_budgets_are_set_listed_and_removed(spent):
    told = spent.ok("budget", "set", "ann", "10", "--per", "month", "--then", "stop")
    assert told == (
        "ann: 10.00 USD a month; 0.60 spent and 4.80 reserved this month, 4.60 left; then: stop\n"
    )
    _, _, row = spent.ok("budget", "ls").splitlines()
    assert row.split()[:4] == ["ann", "0.60", "4.80", "4.60"]
    assert row.split()[4] == "█" + "▒" * 10 + "·" * 9
    assert spent.ok("budget", "rm", "ann") == "ann: may spend without limit\n"
    assert "has no budget" in spent.error("budget", "rm", "ann")


@pytest.mark.parametrize("width", WIDTHS)
def test_budgets_fit_the_width_and_lose_no_amount(desk, width):
    for owner, usd in (("a.very.long.owner.name@example.com", "123456.78"), ("ann", "1")):
        desk.ok("budget", "set", owner, usd)
    text = drawn(moneyviews.Budgets(desk.json("budget", "ls")["budgets"]), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "123456.78 a week" in text


def test_a_budget_that_is_damaged_is_told_of(desk):
    desk.ok("budget", "set", "ann", "5")
    desk.world.money.budget_store.damage("ann", "it is torn")
    result = desk.run("budget", "ls")
    assert result.exit_code == 0
    assert "ann gets no new time" in result.stderr


def test_nobody_has_a_budget(desk):
    assert "Nobody has a budget" in desk.run("budget", "ls").stderr


# The price before the act.


def test_the_price_is_told_beside_the_result_before_time_is_bought(desk):
    desk.ok("budget", "set", "admin", "1.40")
    result = desk.run("add", "falcon", "-c", "falcon-config", "-m", "90")
    assert result.stderr.splitlines()[0] == (
        "90 more minutes of 1 x ml.g5.xlarge: 0.90 USD, 0.50 left this week"
    )
    assert result.stdout.startswith("falcon: ")
    assert (
        "10 more minutes of 1 x ml.g5.xlarge: 0.10 USD"
        in desk.run("extend", "falcon", "-m", "10").stderr
    )
    desk.ok("stop", "falcon")
    assert "30 more minutes" in desk.run("start", "falcon").stderr


def test_more_than_is_left_is_refused_with_what_to_do(desk):
    desk.ok("budget", "set", "admin", "0.50")
    line = desk.error("add", "falcon", "-c", "falcon-config", "-m", "90")
    assert "0.50 USD is left of the budget of admin" in line
    assert "at most 50 minutes fit in" in line
    assert desk.world.book.all().leases == ()


@pytest.mark.parametrize(("answer", "bought"), [("y\n", 1), ("n\n", 0), ("", 0)])
def test_confirm_asks_before_anything_is_bought(desk, answer, bought):
    result = desk.run("add", "falcon", "-c", "falcon-config", "-m", "90", "--confirm", stdin=answer)
    assert "90 more minutes of 1 x ml.g5.xlarge: 0.90 USD. Go on?" in result.stderr
    assert len(desk.world.book.all().leases) == bought
    assert (result.exit_code == 0) == bool(bought)


def test_what_keeps_the_price_from_being_told_keeps_nobody_from_buying(desk):
    desk.world.money.machines.configs.clear()
    result = desk.run("add", "falcon", "-c", "falcon-config", "-m", "90")
    assert result.exit_code == 0
    assert "the price cannot be told" in result.stderr
