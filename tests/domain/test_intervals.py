"""Intervals, against published values and against exact sums of chances."""

import math
from itertools import accumulate
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.intervals import Interval, difference, normal_quantile, ranks, wilson

COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def binomial(n, p, k):
    return comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(
    ("count", "whole", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_the_published_one(count, whole, low, high):
    found = wilson(count, whole)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(one, other, low, high):
    found = difference(one, other)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("samples", "share", "expected"),
    [
        # Of the median, as tables of the sign test have them.
        (5, 0.5, (None, None)),
        (6, 0.5, (1, 6)),
        (10, 0.5, (2, 9)),
        (20, 0.5, (6, 15)),
        (25, 0.5, (8, 18)),
        (50, 0.5, (18, 33)),
        (0, 0.5, (None, None)),
    ],
)
def test_the_interval_of_a_quantile_is_the_published_one(samples, share, expected):
    assert ranks(samples, share) == expected


@pytest.mark.parametrize("p", [0.002, 0.01, 0.1, 0.3, 0.5, 0.97])
@pytest.mark.parametrize("n", [10, 50, 400])
def test_the_interval_of_a_share_covers_it_as_often_as_it_says(n, p):
    # The score interval is right on average, not for each share: nowhere here below 0.9.
    covered = math.fsum(binomial(n, p, k) for k in range(n + 1) if p in wilson(k, n))
    assert covered > 0.9


def test_on_average_over_all_shares_it_covers_what_it_says():
    shares = [(step + 0.5) / 200 for step in range(200)]
    covered = [
        math.fsum(binomial(60, p, k) for k in range(61) if p in wilson(k, 60)) for p in shares
    ]
    assert math.fsum(covered) / len(covered) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("n", "p", "q"), [(40, 0.05, 0.1), (60, 0.3, 0.3), (30, 0.01, 0.5)])
def test_the_interval_of_a_difference_covers_it_as_often_as_it_says(n, p, q):
    true = p - q
    covered = math.fsum(
        binomial(n, p, i) * binomial(n, q, j)
        for i in range(n + 1)
        for j in range(n + 1)
        if true in difference((i, n), (j, n))
    )
    assert covered > 0.93


@given(st.integers(1, 300), st.floats(0.005, 0.995))
def test_the_interval_of_a_quantile_is_the_narrowest_that_is_sure(n, share):
    low, high = ranks(n, share)
    below = [0.0, *accumulate(binomial(n, share, k) for k in range(n + 1))]
    if low is None:
        assert below[1] > 0.025 - 1e-9
    else:
        assert below[low] <= 0.025 + 1e-9
        assert below[low + 1] > 0.025 - 1e-9
    if high is None:
        assert 1 - below[n] > 0.025 - 1e-9
    else:
        assert 1 - below[high] <= 0.025 + 1e-9
        assert 1 - below[high - 1] > 0.025 - 1e-9


def test_many_samples_take_no_time_and_narrow_it():
    n = 10_000_000
    low, high = ranks(n, 0.99)
    half = normal_quantile(0.95) * math.sqrt(n * 0.99 * 0.01)
    assert low == pytest.approx(n * 0.99 - half, abs=3)
    assert high == pytest.approx(n * 0.99 + half, abs=3)


@given(COUNTS)
def test_a_share_is_within_its_interval_and_within_what_a_share_can_be(seen):
    count, whole = seen
    found = wilson(count, whole)
    assert 0 <= found.low <= count / whole <= found.high <= 1
    assert wilson(count * 4, whole * 4).high <= found.high + 1e-12


@given(COUNTS, COUNTS)
def test_a_difference_turned_round_is_its_negative(one, other):
    there, back = difference(one, other), difference(other, one)
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert (one[0] / one[1] - other[0] / other[1]) in there
    assert 0 in difference(one, one)


def test_of_nothing_nothing_is_known():
    assert wilson(0, 0) == Interval(0.0, 1.0)
    assert difference((0, 0), (1, 2)) == Interval(-1.0, 1.0)
