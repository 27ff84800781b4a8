"""Histograms and what is told of them: buckets, statistics, periods."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import statistics
from parkade.domain.errors import InvalidInput
from parkade.domain.points import Points
from parkade.domain.series import (
    NOTHING,
    PARTS,
    STEPS,
    Aggregate,
    Point,
    Series,
    bucket,
    rounded,
    upper_bound,
)
from parkade.domain.statistics import Statistic

NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)


def measured(values):
    buckets = {}
    for each in values:
        buckets[bucket(each)] = buckets.get(bucket(each), 0) + 1
    return Aggregate(
        count=len(values),
        total=math.fsum(values),
        least=min(values),
        most=max(values),
        buckets=buckets,
    )


def told(name, aggregate):
    """What a statistic tells of one period."""
    (value,) = Statistic.of(name).told(Points.of([Point(NOON, aggregate)]))
    return value


positive = st.floats(min_value=2.0**-1022, allow_infinity=False, allow_nan=False)
finite = st.floats(-1e300, 1e300)


@given(positive)
def test_a_bucket_holds_its_value(value):
    number = bucket(value)
    assert number > NOTHING
    assert upper_bound(number - 1) <= value < upper_bound(number)


@pytest.mark.parametrize("number", [-4000, -5, -1, 0, 1, 3, 4, 79, 4000])
def test_a_bound_begins_a_bucket(number):
    bound = upper_bound(number - 1)
    assert bucket(bound) == number
    assert bucket(math.nextafter(bound, 0)) == number - 1


@pytest.mark.parametrize("value", [0.0, -0.0, -1e-300, -5.0, -1e300, 5e-324])
def test_zero_and_less_have_a_bucket_of_their_own(value):
    assert bucket(value) == NOTHING
    assert upper_bound(NOTHING) == 0


@given(st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=60), st.floats(0.1, 100))
def test_a_percentile_is_right_to_a_bucket(values, percent):
    """The value of that rank lies in the same bucket as what is told."""
    told = measured(values).percentile(percent)
    rank = max(1, math.ceil(len(values) * percent / 100 - 1e-9))
    true = sorted(values)[rank - 1]
    assert min(values) <= told <= max(values)
    assert abs(bucket(told) - bucket(true)) <= (1 if told in {min(values), max(values)} else 0)
    assert told == pytest.approx(true, rel=2 ** (1 / STEPS) - 1)


@given(st.lists(finite, min_size=1, max_size=30), st.floats(0, 100))
def test_percentiles_of_anything_stay_within_what_there_was(values, percent):
    told = measured(values).percentile(percent)
    assert min(values) <= told <= max(values)


def test_percentiles_that_cannot_be_known_are_not():
    sums = Aggregate(count=10, total=55, least=1, most=10)
    assert sums.percentile(50) is None
    assert Aggregate.of(3.0, 10).percentile(50) == 3
    assert Aggregate(count=0, total=0, least=0, most=0).percentile(50) is None


@given(st.lists(finite.map(lambda v: v / 1e9), min_size=2, max_size=30), st.integers(1, 29))
def test_parts_add_up_to_the_whole(values, place):
    place = min(place, len(values) - 1)
    whole, parts = measured(values), measured(values[:place]).plus(measured(values[place:]))
    assert (parts.count, parts.least, parts.most) == (whole.count, whole.least, whole.most)
    assert parts.buckets == whole.buckets
    assert parts.total == pytest.approx(whole.total, abs=1e-9 * max(map(abs, values)) * len(values))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("SampleCount", 4), ("Sum", 18), ("Average", 4.5), ("Minimum", 2), ("Maximum", 8)],
)
def test_statistics_of_an_aggregate(name, expected):
    assert told(name, measured([2, 4, 4, 8])) == expected


@pytest.mark.parametrize("name", ["p0", "p50", "p9", "p99", "p99.9", "p99.99999", "p100"])
def test_percentiles_are_statistics(name):
    assert 2 <= told(name, measured([2, 4, 4, 8])) <= 8


@pytest.mark.parametrize(
    "name", ["", "sum", "p", "p101", "p-1", "p1e1", "p٣", "tm99", "p50 ", "99"]
)
def test_what_is_no_statistic_is_refused_with_those_there_are(name):
    with pytest.raises(InvalidInput, match="statistic") as raised:
        Statistic.of(name, field="stat")
    assert raised.value.field == "stat"
    assert "SampleCount" in raised.value.hint


@pytest.mark.parametrize("seconds", [10, 20, 30, 50, 60, 120, 3600, 5400, 86400, 60.0])
def test_periods(seconds):
    assert statistics.period(seconds) == seconds


@pytest.mark.parametrize(
    "seconds", [0, -60, 1, 5, 15, 61, 90, 86460, 10.5, float("nan"), float("inf")]
)
def test_what_is_no_period_is_refused(seconds):
    with pytest.raises(InvalidInput, match="period"):
        statistics.period(seconds)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_periods_begin_with_the_epoch(instant):
    for seconds in (10, 60, 300, 3600, 86400):
        begin = statistics.begin(instant, seconds)
        assert begin.timestamp() % seconds == 0
        assert begin <= instant < begin + timedelta(seconds=seconds)


def test_points_are_merged_into_longer_periods():
    points = [Point(NOON + timedelta(minutes=m), measured([m + 1.0])) for m in (0, 1, 4, 5, 11)]
    assert statistics.merged(points, 300) == [
        Point(NOON, measured([1.0, 2.0, 5.0])),
        Point(NOON + timedelta(minutes=5), measured([6.0])),
        Point(NOON + timedelta(minutes=10), measured([12.0])),
    ]


@given(st.lists(st.floats(0, 6400).map(rounded), max_size=100))
def test_sums_of_rounded_gauges_are_exact(values):
    assert sum(values) * PARTS == sum(int(value * PARTS) for value in values)
    assert all(abs(rounded(value) - value) <= 0.5 / PARTS for value in values)


def test_a_series_is_known_by_its_dimensions_in_any_order():
    one = Series.of("N", "x", B="2", A="1")
    assert one == Series.of("N", "x", A="1", B="2")
    assert str(one) == "N x A=1 B=2"
    assert one.has({})
    assert one.has({"A": None, "B": "2"})
    assert not one.has({"A": "2"})
    assert not one.has({"C": None})
