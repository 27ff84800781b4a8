"""The settings of money, as people write them."""

from decimal import Decimal

import pytest

from parkade.apps.serverfile import ServerFile, read_server_file
from parkade.domain.budget import Per, WhenSpent
from parkade.domain.errors import InvalidInput


def written(tmp_path, text):
    path = tmp_path / "server.yaml"
    path.write_text(text)
    return read_server_file(path).money


def test_nobody_has_a_budget_and_no_price_differs_by_default():
    money = ServerFile().money
    assert (money.budget_of("ann"), money.own_prices()) == (None, {})


def test_prices_are_as_they_are_written(tmp_path):
    money = written(tmp_path, "money: {prices: {ml.g5.xlarge: 1.1, ml.own-box.metal-2: 0}}")
    assert money.own_prices() == {"ml.g5.xlarge": Decimal("1.1"), "ml.own-box.metal-2": Decimal(0)}


def test_everybodys_budget(tmp_path):
    money = written(
        tmp_path,
        "money: {budget: {usd: 12.5, per: month, then: stop, zone: Europe/Berlin}}",
    )
    budget = money.budget_of("ann")
    assert (budget.owner, budget.usd) == ("ann", Decimal("12.5"))
    assert (budget.per, budget.then, budget.zone) == (Per.MONTH, WhenSpent.STOP, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("prices: {g5.xlarge: 1}", "money.prices"),
        ("prices: {ml.g5.xlarge: -1}", "money.prices"),
        ("prices: {ml.g5.xlarge: .nan}", "money.prices"),
        ("budget: {}", "money.budget.usd"),
        ("budget: {usd: 5, per: year}", "money.budget.per"),
        ("budget: {usd: 5, zone: Mars}", "time zone"),
        ("budget: {usd: 5, untill: x}", "untill"),
        ("keep_days: 7", "money.keep_days"),
        ("budgets: {}", "did you mean 'budget'"),
    ],
)
def test_what_is_none_is_refused_by_name(tmp_path, text, word):
    with pytest.raises(InvalidInput, match=word):
        written(tmp_path, f"money: {{{text}}}")
