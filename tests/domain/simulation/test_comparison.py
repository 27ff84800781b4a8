"""Rules side by side, with money."""

from decimal import Decimal

import pytest

from parkade.domain.price import Sum
from parkade.domain.simulation.comparison import Subject, compare
from parkade.domain.simulation.rule import parse
from tests.domain.simulation.traffics import DAY, traffic


def subject(name, *minutes, usd="2.50", **changes):
    hourly = Sum(usd=Decimal(usd), **changes)
    return Subject(endpoint_name=name, traffic=traffic(*minutes), hourly=hourly)


def compared(*subjects, rules=("always on:", "coin: lease=60 back=0")):
    return compare(subjects, [parse(text) for text in rules], DAY)


def test_the_cost_is_hours_times_price_of_each_endpoint():
    always, coin = compared(subject("ant", 0, 100), subject("bee", 50, usd="10")).rows
    assert always.cost.usd == 24 * Decimal("12.50")
    assert coin.cost.usd == 2 * Decimal("2.50") + Decimal(10)
    assert coin.saved == always.cost.usd - coin.cost.usd
    assert coin.share_saved == pytest.approx(float(1 - coin.cost.usd / always.cost.usd))
    assert {name: each.coins for name, each in coin.outcomes.items()} == {"ant": 2, "bee": 1}
    assert (coin.whole.coins, coin.whole.requests) == (3, 3)


def test_what_has_no_price_is_named_and_its_hours_are_compared():
    unpriced = subject("ant", 0, usd="0", unpriced=frozenset({"ml.x1.large"}))
    _, coin = compared(unpriced).rows
    assert str(coin.cost) == "unpriced"
    assert coin.share_saved == pytest.approx(23 / 24)


def test_the_best_rule_is_the_cheapest_that_disturbs_few():
    told = compared(
        subject("ant", *range(600)),
        rules=(
            "always on:",
            "coin: lease=60 back=0 start=0",
            "office: schedule='tue 09:00-10:00 UTC'",
        ),
    )
    assert told.best(0.0).rule.name == "always on"
    assert told.best(0.05).rule.name == "coin"
    assert told.best(1.0).rule.name == "office"
    assert told.requests == 600


def test_nobody_is_disturbed_where_nobody_comes():
    told = compared(subject("ant"))
    assert told.best(0.0).rule.name == "coin"
