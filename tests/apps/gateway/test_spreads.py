"""How long invocations take, counted as the stores' histograms have it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps import link
from parkade.apps.gateway.counters import Counter as VariantCounter
from parkade.apps.gateway.spreads import MICROSECONDS, MILLISECONDS, Scale, Spread
from parkade.domain.series import bucket

_SECONDS = st.floats(min_value=1.2e-6, max_value=50_000)


@pytest.mark.parametrize("scale", [MICROSECONDS, MILLISECONDS], ids=["us", "ms"])
@given(groups=st.lists(st.lists(_SECONDS, min_size=1, max_size=50), max_size=5))
def test_every_time_is_in_its_bucket(scale: Scale, groups: list[list[float]]) -> None:
    spread, unit = Spread(scale), scale.of_second
    for group in groups:
        spread.count(group)
    everything = [each for group in groups for each in group]
    taken = spread.take()
    # Seconds and microseconds are not rounded alike: one that is at a bound may be beyond it.
    nearby = Counter(
        number
        for each in everything
        for number in {bucket(each * unit * factor) for factor in (1 - 1e-12, 1, 1 + 1e-12)}
    )
    assert sum(taken.buckets.values()) == len(everything)
    assert all(count <= nearby[number] for number, count in taken.buckets.items())
    assert taken.total == pytest.approx(sum(everything) * unit, abs=1)
    if everything:
        extremes = (min(everything) * unit, max(everything) * unit)
        assert (taken.least, taken.most) == pytest.approx(extremes, abs=1)
    assert spread.take() == link.NOTHING


def test_no_time_at_all_and_far_too_much_are_counted() -> None:
    spread = Spread()
    spread.count([0.0, 1e-7, 1e9])
    taken = spread.take()
    assert (sum(taken.buckets.values()), taken.least, taken.most) == (3, 0, 10**15)


@given(st.lists(_SECONDS, min_size=1), st.lists(_SECONDS))
def test_what_was_taken_and_did_not_arrive_is_told_again(
    before: list[float], meanwhile: list[float]
) -> None:
    told, whole = Spread(), Spread()
    told.count(before)
    lost = told.take()
    if meanwhile:
        told.count(meanwhile)
    told.give_back(lost)
    whole.count(before + meanwhile)
    again, expected = told.take(), whole.take()
    assert again.buckets == expected.buckets
    assert again.total == pytest.approx(expected.total, abs=2)
    assert (again.least, again.most) == pytest.approx((expected.least, expected.most), abs=1)


@pytest.mark.parametrize("number", [1, 511, 512, 513, 2000])
def test_a_counter_tells_the_times_of_all_its_invocations(number: int) -> None:
    counter = VariantCounter()
    for _ in range(number):
        counter.count(0.002, 0.001)
    usage = counter.take()
    assert usage.invocations == number
    assert usage.model.buckets == {bucket(2000): number}
    assert usage.overhead.buckets == {bucket(1000): number}
    assert usage.whole.buckets == {bucket(3000): number}
    assert usage.model.total == pytest.approx(2000 * number)
    assert usage.model_us == pytest.approx(2000 * number, abs=number)


def test_a_counter_tells_since_when_it_was_not_used() -> None:
    counter = VariantCounter()
    assert counter.take().age is None
    counter.count(0.001, 0.001)
    assert counter.take().age == pytest.approx(0, abs=0.5)
    assert not counter.news
    later = counter.take().age
    assert later is not None
    assert later > 0
