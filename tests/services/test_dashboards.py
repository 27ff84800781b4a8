"""What a dashboard shows: lines beside each other in time, figures each for itself."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.domain.dashboard.panel import Fact, Figure
from parkade.domain.dashboard.rows import dashboard
from parkade.domain.errors import InvalidInput, LeaseNotFound, Unavailable, Unreadable
from parkade.domain.price import Sum
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.metrics import Sample
from parkade.services.dashboards import Sources, draw, figures
from parkade.services.metrics import Metrics
from tests.builders import NOW, a_lease, minutes
from tests.dashboards import WHOLE
from tests.scaled import BLUE, a_reading

TEN_MINUTES = (NOW - minutes(10), NOW)


def no_lease(name):
    raise LeaseNotFound(f"there is no lease {name!r}")


def some_sources(**changes):
    defaults = {
        "lease": no_lease,
        "bill": SimpleNamespace(lines=()),
        "budgets": SimpleNamespace(get=lambda _: None),
        "hourly": dict,
    }
    return Sources(**{**defaults, **changes})


def told(fact, *, of="ShopDemo-text", variant="", readings=(), **sources):
    """What is told of one figure."""
    figure = Figure(label="x", fact=fact, of=of, variant_name=variant)
    board = SimpleNamespace(panels=lambda: (SimpleNamespace(figures=(figure,)),))
    found = figures(board, some_sources(**sources), readings, NOW)[figure]
    return found.value, found.why


def test_time_left_is_that_of_the_lease():
    assert told(Fact.TIME_LEFT) == (None, "no lease")
    lease = a_lease(expires_at=NOW + minutes(5))
    assert told(Fact.TIME_LEFT, lease=lambda _: lease) == (300, "")
    over = a_lease(expires_at=NOW - minutes(5), created_at=NOW - minutes(9))
    assert told(Fact.TIME_LEFT, lease=lambda _: over) == (0, "")


def test_what_has_no_price_is_not_free():
    def priced(**prices):
        return lambda: {"ShopDemo-text": Sum(**prices)}

    assert told(Fact.HOURLY) == (0, "nothing runs")
    assert told(Fact.HOURLY, hourly=priced(usd=Decimal("1.5"))) == (1.5, "")
    unpriced = priced(usd=Decimal(1), unpriced=frozenset({"ml.x9.large"}))
    assert told(Fact.HOURLY, hourly=unpriced) == (None, "ml.x9.large has no price")


def test_costs_are_those_of_all_owners_of_the_endpoint():
    def a_line(name, cost, idle):
        costs = SimpleNamespace(cost=Sum(usd=Decimal(cost)), idle=Sum(usd=Decimal(idle)))
        return SimpleNamespace(endpoint_name=name, costs=costs)

    lines = (a_line("ShopDemo-text", 2, 1), a_line("ShopDemo-text", 3, 1), a_line("other", 9, 9))
    bill = SimpleNamespace(lines=lines)
    assert told(Fact.SPENT, bill=bill) == (5, "")
    assert told(Fact.IDLE, bill=bill) == (2, "")


def test_capacity_is_told_by_variant():
    reading = a_reading(BLUE, desired=3, current=2)
    of = {"of": reading.endpoint_name, "variant": BLUE.variant_name, "readings": [reading]}
    assert told(Fact.WANTED, **of) == (3, "")
    assert told(Fact.ANSWERING, **of) == (2, "")
    assert told(Fact.WANTED, **{**of, "variant": "none"}) == (None, "it is not there")


def test_what_cannot_be_read_hides_nothing_else():
    def blind():
        raise Unavailable("nothing can be seen")

    sources = some_sources(bill=Unreadable("the file is damaged"), hourly=blind)
    found = figures(dashboard(WHOLE), sources, (), NOW)
    whys = {each.figure.fact: each.why for each in found.values()}
    assert whys[Fact.SPENT] == whys[Fact.IDLE] == "the file is damaged"
    assert whys[Fact.HOURLY] == "nothing can be seen"
    assert whys[Fact.TIME_LEFT] == "no lease"
    assert whys[Fact.BUDGET_LEFT] == "no budget"


@pytest.fixture
def store():
    return MemoryMetricStore()


def drawn(store, span=TEN_MINUTES, seconds=60):
    board = dashboard(WHOLE)
    return draw(board, Metrics(store), figures(board, some_sources(), (), NOW), span, seconds)


def line(picture, row, panel, label):
    shown = {each.panel.title: each for each in dict(picture.rows)[row]}[panel]
    return next(each.values for each in shown.lines if each.line.label == label)


def test_a_line_has_a_place_for_each_period_and_gaps_stay_gaps(store):
    series = Series.of(SAGEMAKER, "ModelLatency", EndpointName="ShopDemo-text", VariantName="a")
    for at, value in ((NOW - minutes(10), 3.0), (NOW - minutes(1), 5.0)):
        store.add([Sample(series=series, at=at, value=Aggregate.of(value, 2))])
    picture = drawn(store)
    assert picture.times == tuple(NOW - minutes(10 - n) for n in range(10))
    row = "Endpoint ShopDemo-text"
    expected = (3.0, *[None] * 8, 5.0)
    assert line(picture, row, "Model latency", "a p50") == expected
    assert line(picture, row, "Model latency", "b p50") == (None,) * 10
    wide = drawn(store, seconds=300)
    assert line(wide, row, "Model latency", "a p99") == (3.0, 5.0)


def test_a_span_that_is_none_is_refused(store):
    with pytest.raises(InvalidInput, match="empty"):
        drawn(store, span=(NOW, NOW))
    with pytest.raises(InvalidInput, match="more than"):
        drawn(store, span=(NOW - timedelta(days=300), NOW))
