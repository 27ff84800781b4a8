"""Quantiles of histograms, with intervals."""

import random

from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.ab.quantiles import quantile
from parkade.domain.intervals import ranks
from parkade.domain.series import Aggregate, bucket


def measured(values):
    buckets = {}
    for value in values:
        buckets[bucket(value)] = buckets.get(bucket(value), 0) + 1
    return Aggregate(
        count=len(values),
        total=sum(values),
        least=min(values),
        most=max(values),
        buckets=buckets,
    )


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_interval_holds_the_samples_that_it_is_made_of(values, share):
    ordered = sorted(values)
    low, high = ranks(len(values), share)
    told = quantile(measured(values), share)
    if low is None:
        assert told.low is None
    else:
        # No wider than a bucket, which is a fifth.
        assert told.low <= ordered[low - 1] <= max(told.low * 1.2, 1e-300)
    if high is None:
        assert told.high is None
    else:
        assert told.high / 1.2 <= ordered[high - 1] <= told.high
    assert min(values) <= told.value <= max(values)


def test_it_covers_the_true_quantile_as_often_as_it_says():
    dice = random.Random(7)  # noqa: S311
    covered = 0
    for _ in range(1000):
        told = quantile(measured([dice.expovariate(1.0) for _ in range(200)]), 0.9)
        covered += told.low <= 2.302585 <= told.high
    # The order statistics are sure to 0.95 at least; the buckets make it wider.
    assert covered >= 950


def test_of_few_the_far_end_is_not_known():
    told = quantile(measured([100.0] * 20), 0.99)
    assert (told.value, told.high) == (100.0, None)
    assert told.low == 100.0
    assert told.name == "p99"


def test_of_nothing_nothing_is_told():
    empty = Aggregate(count=0, total=0, least=0, most=0)
    told = quantile(empty, 0.5)
    assert told.value is told.low is told.high is None


def test_zeros_have_no_lower_bound_below_them():
    told = quantile(measured([0.0] * 100 + [5.0]), 0.5)
    assert (told.low, told.value, told.high) == (0.0, 0.0, 0.0)


def test_more_samples_narrow_it():
    dice = random.Random(3)  # noqa: S311
    few = quantile(measured([dice.expovariate(1.0) for _ in range(50)]), 0.9)
    many = quantile(measured([dice.expovariate(1.0) for _ in range(50_000)]), 0.9)
    assert many.high / many.low < few.high / few.low
    # No narrower than the two buckets that a quantile near their bound may be in.
    assert many.high / many.low <= 2 ** (2 / 4) + 1e-9
