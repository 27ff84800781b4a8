"""Points as columns: the same as the points one by one, however they are merged and united."""

from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import statistics
from parkade.domain.points import Histograms, Points, united
from parkade.domain.series import NOTHING, Aggregate, Point
from parkade.domain.statistics import Statistic

NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)

#: Whole numbers, of which any sum is exact.
_numbers = st.integers(-(2**40), 2**40).map(float)
_amounts = st.integers(0, 1000).map(float)
_buckets = st.dictionaries(st.integers(NOTHING, 60), _amounts, max_size=6)
_aggregates = st.builds(
    lambda count, total, least, most, buckets: Aggregate(
        count=count, total=total, least=min(least, most), most=max(least, most), buckets=buckets
    ),
    _amounts,
    _numbers,
    _numbers,
    _numbers,
    _buckets,
)
_minutes = st.dictionaries(st.integers(-200, 200), _aggregates, max_size=25)


def points_of(minutes):
    return [Point(NOON + timedelta(minutes=each), minutes[each]) for each in sorted(minutes)]


@given(_minutes)
def test_columns_are_the_points_that_they_were_made_of(minutes):
    points = points_of(minutes)
    columns = Points.of(points)
    assert list(columns) == points
    assert list(reversed(columns)) == points[::-1]
    assert columns.times == [point.at for point in points]
    assert len(columns) == len(points)


@given(_minutes, st.slices(25))
def test_they_are_sliced_as_any_sequence(minutes, some):
    points = points_of(minutes)
    assert list(Points.of(points)[some]) == points[some]


@pytest.mark.parametrize("place", [2, -3])
def test_there_is_no_point_beyond_the_ends(place):
    columns = Points.of(points_of({0: Aggregate.of(1.0), 1: Aggregate.of(2.0)}))
    with pytest.raises(IndexError):
        columns[place]
    with pytest.raises(IndexError):
        columns.histograms[place]


@given(_minutes, st.floats(0, 100))
def test_what_is_told_of_columns_is_told_of_each_point(minutes, percent):
    points = points_of(minutes)
    columns = Points.of(points)
    for name, of in {
        "SampleCount": lambda value: value.count,
        "Sum": lambda value: value.total,
        "Average": lambda value: value.average,
        "Minimum": lambda value: value.least,
        "Maximum": lambda value: value.most,
        "p99": lambda value: value.percentile(99),
    }.items():
        assert list(Statistic.of(name).told(columns)) == [of(point.value) for point in points]
    assert columns.percentiles(percent) == [point.value.percentile(percent) for point in points]


@given(_minutes, st.sampled_from([60, 120, 300, 3600, 86400]))
def test_merged_columns_are_merged_points(minutes, seconds):
    points = points_of(minutes)
    columns = Points.of(points)
    assert list(columns.merged(seconds)) == statistics.merged(points, seconds)
    assert list(columns) == points


@given(
    st.lists(_minutes, max_size=5), st.sampled_from([60, 300, 86400]), st.floats(0, 100), st.data()
)
def test_parts_are_united_in_any_order(several, seconds, percent, data):
    """They may overlap, as those do that came late."""
    parts = [Points.of(points_of(each)) for each in several]
    values = {}
    for each in several:
        for minute, value in each.items():
            at = statistics.begin(NOON + timedelta(minutes=minute), seconds)
            values.setdefault(at, []).append(value)
    expected = [Point(at, reduce(Aggregate.plus, values[at])) for at in sorted(values)]
    whole = united(data.draw(st.permutations(parts)), seconds)
    assert list(whole) == expected
    assert whole.percentiles(percent) == [p.value.percentile(percent) for p in expected]
    assert [list(part) for part in parts] == [points_of(each) for each in several]


def test_a_histogram_in_several_parts_is_one():
    histograms = Histograms([2, 4, 4], [5, 3, 3, 9], [1.0, 2.0, 4.0, 8.0])
    assert list(histograms.merged([2, 3])) == [{3: 6, 5: 1, 9: 8}, {}]
    assert list(histograms.merged([2, 3]).in_order()) == [([3, 5, 9], [6, 1, 8]), ([], [])]
    assert histograms[-1] == {}
    assert histograms[1] == {3: 4, 9: 8}
