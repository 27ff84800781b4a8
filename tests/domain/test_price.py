from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import price
from parkade.domain.price import Sum, dollars
from tests.builders import minutes
from tests.money import a_machine, a_price_list


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("21.27", "21.27"),
        ("21.275", "21.28"),
        ("1234567.891", "1234567.89"),
        ("0.01", "0.01"),
        ("0.0068", "0.0068"),
        ("0.005", "0.005"),
        ("0.00001", "<0.0001"),
        ("-4.2", "-4.20"),
        ("-0.003", "-0.003"),
    ],
)
def test_amounts_have_cents_and_what_is_less_up_to_four_digits(amount, text):
    assert dollars(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("usd", "unpriced", "text"),
    [
        ("21.27", (), "21.27 USD"),
        ("21.27", ("ml.a.b", "serverless"), "21.27 USD + 2 unpriced"),
        ("0", ("ml.a.b",), "unpriced"),
        ("0", (), "0.00 USD"),
    ],
)
def test_a_sum_says_what_it_lacks_and_unpriced_is_never_nothing(usd, unpriced, text):
    assert str(Sum(usd=Decimal(usd), unpriced=frozenset(unpriced))) == text


def test_the_price_of_the_seed_of_all_examples():
    assert dollars(price.cost(2 * Decimal("7.09"), minutes(90))) == "21.27"


@given(
    hourly=st.decimals(0, 1000, places=6),
    spans=st.lists(st.timedeltas(timedelta(0), timedelta(days=31)), max_size=20),
)
def test_a_span_costs_what_its_parts_cost(hourly, spans):
    parts = sum((price.cost(hourly, span) for span in spans), Decimal(0))
    whole = price.cost(hourly, sum(spans, timedelta(0)))
    assert price.rounded(parts - whole) == 0


def test_quoted_prices_go_before_unconfirmed_ones_and_say_so():
    listed = a_price_list(
        quoted={"ml.a.b": Decimal(1)},
        unconfirmed={"ml.a.b": Decimal(2), "ml.c.d": Decimal(3)},
    )
    prices = listed.prices(price.PriceSource.PACKAGED)
    assert {name: (each.hourly, each.confirmed) for name, each in prices.items()} == {
        "ml.a.b": (Decimal(1), True),
        "ml.c.d": (Decimal(3), False),
    }


def test_machines_are_called_as_people_do():
    assert a_machine("ml.g5.12xlarge", 2).noun == "2 x ml.g5.12xlarge"
    assert a_machine("", 1, serverless=True).noun == "serverless"
    assert a_machine("", 1).noun == "1 x an unknown type"
