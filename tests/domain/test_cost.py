from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import cost
from parkade.domain.cost import Stay, Tally
from parkade.domain.price import Sum
from tests.builders import NOW, minutes, seconds

SPANS = st.timedeltas(timedelta(0), timedelta(days=2))
BORDERS = st.sets(st.integers(0, 59), max_size=3).map(frozenset)


def a_tally(hourly="0.60", **changes):
    defaults = {
        "at": NOW,
        "endpoint_name": "falcon",
        "variant_name": "blue",
        "owner": "ann",
        "instance_type": "ml.g5.xlarge",
        "hourly": None if hourly is None else Decimal(hourly),
    }
    return Tally(**{**defaults, **changes})


@given(after=SPANS, span=SPANS, borders=BORDERS)
def test_pieces_make_up_the_span_and_stay_within_their_periods(after, span, borders):
    start = NOW + after
    found = list(cost.pieces(start, start + span, borders))
    assert sum((until - piece for _, piece, until in found), timedelta(0)) == span
    for at, piece, until in found:
        assert at <= piece < until <= at + timedelta(hours=1)
        assert at.minute in borders | {0}
        assert not [m for m in borders if piece < at.replace(minute=m, second=0) < until]


def test_used_and_idle_cost_what_they_cost():
    costs = cost.summed(
        [
            a_tally(used=minutes(10), idle=minutes(50)),
            a_tally("1.20", used=minutes(30)),
            a_tally(None, idle=minutes(5), instance_type="ml.x9.large"),
        ]
    )
    assert costs.instances == minutes(95)
    assert costs.used == Sum(usd=Decimal("0.70"))
    assert costs.idle == Sum(usd=Decimal("0.50"), unpriced=frozenset({"ml.x9.large"}))
    assert costs.cost.usd == Decimal("1.20")


def test_nothing_of_what_has_no_price_lacks_nothing():
    assert cost.summed([a_tally(None)]).cost == Sum()


def test_always_on_costs_the_mean_price_for_all_of_the_time():
    stay = Stay(
        cost=Sum(usd=Decimal(2)),
        present=timedelta(hours=1),
        start=NOW,
        end=NOW + timedelta(hours=10),
    )
    assert stay.without_break().usd == 20
    assert stay.within(NOW - timedelta(hours=5), NOW + timedelta(hours=3)).usd == 6


def test_always_on_never_costs_less_than_what_ran():
    stay = Stay(cost=Sum(usd=Decimal(2)), present=seconds(70), start=NOW, end=NOW + seconds(60))
    assert stay.without_break().usd == 2


def test_what_did_not_run_would_have_cost_nothing_that_is_known():
    stay = Stay(cost=Sum(), present=timedelta(0), start=NOW, end=NOW + minutes(60))
    assert stay.without_break() == Sum()
