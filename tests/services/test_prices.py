import threading
from datetime import date
from decimal import Decimal

from parkade.adapters.memory.prices import MemoryPriceLists
from parkade.domain.price import PriceSource, Sum
from parkade.services.prices import Prices, why_unpriced
from tests.money import a_machine, a_price_list


def some_prices(own=None, region="us-east-1"):
    lists = MemoryPriceLists([
        a_price_list(quoted={"ml.a.b": Decimal(1), "ml.c.d": Decimal(2)},
                     unconfirmed={"ml.e.f": Decimal(3)}),
    ])  # fmt: skip
    return Prices(lists, region=lambda: region, own=lambda: own or {}), lists


def test_settings_go_before_what_was_fetched_and_that_before_the_packaged_list():
    prices, _ = some_prices({"ml.a.b": Decimal("0.5")})
    prices.put(
        a_price_list(dated=date(2026, 4, 1), quoted={"ml.a.b": Decimal(9), "ml.c.d": Decimal(8)})
    )
    told = prices.tariff().prices
    assert {name: (each.hourly, each.source) for name, each in told.items()} == {
        "ml.a.b": (Decimal("0.5"), PriceSource.SETTINGS),
        "ml.c.d": (Decimal(8), PriceSource.AWS),
        "ml.e.f": (Decimal(3), PriceSource.PACKAGED),
    }
    assert [told[name].dated for name in ("ml.a.b", "ml.c.d")] == [None, date(2026, 4, 1)]
    assert not told["ml.e.f"].confirmed


def test_a_region_without_a_list_has_no_prices_but_those_of_the_settings():
    prices, _ = some_prices({"ml.a.b": Decimal(1)}, region="eu-central-1")
    assert list(prices.tariff().prices) == ["ml.a.b"]


def test_a_torn_list_is_passed_over_and_told_of():
    prices, lists = some_prices()
    lists.tear()
    tariff = prices.tariff()
    assert tariff.hourly("ml.a.b") == 1
    assert "torn" in tariff.problem


def test_a_list_that_is_put_while_another_thread_reads_is_in_force_then():
    prices, lists = some_prices()
    fetched = lists.fetched
    put = threading.Thread(target=prices.put, args=[a_price_list(quoted={"ml.a.b": Decimal(9)})])

    def slowly(region):
        before = fetched(region)
        lists.fetched = fetched
        put.start()
        put.join(0.2)  # as long as it takes where nothing holds it off
        return before

    lists.fetched = slowly
    assert prices.tariff().hourly("ml.a.b") == 1
    put.join()
    assert prices.tariff().hourly("ml.a.b") == 9


def test_machines_cost_their_number_and_what_has_no_price_is_named():
    prices, _ = some_prices()
    assert prices.hourly([
        a_machine("ml.a.b", 2), a_machine("ml.c.d"), a_machine("ml.x.y"), a_machine(""),
        a_machine("ml.a.b", serverless=True),
    ]) == Sum(usd=Decimal(4), unpriced=frozenset({"ml.x.y", "", "serverless"}))  # fmt: skip


def test_a_price_of_nothing_is_a_price():
    prices, _ = some_prices({"ml.own.metal": Decimal(0)})
    assert prices.hourly([a_machine("ml.own.metal")]) == Sum()


def test_why_something_is_unpriced():
    assert "requests and memory" in why_unpriced("serverless", "us-east-1")
    assert why_unpriced("", "us-east-1") == "its instance type is not known"
    assert why_unpriced("ml.x.y", "eu-west-1") == "no price of ml.x.y in eu-west-1 is known"
