"""Which of two variants has fewer errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.ab.verdicts import FEWEST, SMALLEST, Count, Finding, verdict
from parkade.domain.intervals import difference

COUNTS = st.integers(1, 20_000).flatmap(
    lambda n: st.builds(Count, st.just(n), st.integers(0, min(n, 500)))
)


@pytest.mark.parametrize(
    ("one", "other", "finding"),
    [
        (Count(0, 0), Count(1000, 0), Finding.NO_REQUESTS),
        (Count(10, 0), Count(10, 1), Finding.NOT_ENOUGH),
        (Count(1000, 0), Count(1000, 30), Finding.FEWER_ERRORS),
        (Count(1000, 30), Count(1000, 0), Finding.MORE_ERRORS),
        (Count(2000, 4), Count(2000, 4), Finding.NO_DIFFERENCE),
        # Newcombe's interval of 56/70 less 48/80 is 0.0524 to 0.3339.
        (Count(70, 56), Count(80, 48), Finding.MORE_ERRORS),
    ],
)
def test_what_is_to_be_said(one, other, finding):
    assert verdict(one, other).finding is finding


def test_without_errors_the_number_that_is_missing_can_be_worked_out():
    # Of 0 of n, Wilson's bound is z^2 / (n + z^2): 0.01 at n = 99 * 3.8415 = 380.3 each.
    told = verdict(Count(100, 0), Count(100, 0))
    assert told.finding is Finding.NOT_ENOUGH
    assert told.needed == pytest.approx(2 * (380.3 - 100), rel=0.03)


@given(COUNTS, COUNTS)
def test_turned_round_it_says_the_opposite(one, other):
    opposite = {
        Finding.FEWER_ERRORS: Finding.MORE_ERRORS,
        Finding.MORE_ERRORS: Finding.FEWER_ERRORS,
    }
    there, back = verdict(one, other), verdict(other, one)
    assert back.finding is opposite.get(there.finding, there.finding)
    assert back.needed == there.needed


@given(COUNTS, COUNTS)
def test_so_many_more_end_it_and_a_fifth_less_do_not(one, other):
    told = verdict(one, other)
    if told.finding is not Finding.NOT_ENOUGH:
        assert told.needed is None
        return
    whole = one.requests + other.requests

    def ended(more):
        times = (whole + more) / whole
        if min(one.requests, other.requests) * times < FEWEST:
            return False
        apart = difference(
            (one.errors * times, one.requests * times),
            (other.errors * times, other.requests * times),
        )
        return 0 not in apart or apart.reach <= SMALLEST

    assert ended(told.needed + 1)
    # Rounded up to two digits it may be a tenth too many, and no more.
    less = told.needed - max(2.0, 0.15 * told.needed)
    assert less <= 0 or not ended(less)


def test_of_a_handful_nothing_is_said():
    told = verdict(Count(3, 0), Count(3, 3))
    assert told.finding is Finding.NOT_ENOUGH
    assert told.needed == 2 * (FEWEST - 3)


def test_a_smaller_difference_takes_more_requests():
    few = verdict(Count(100, 2), Count(100, 2), smallest=0.05).needed or 0
    many = verdict(Count(100, 2), Count(100, 2), smallest=0.001).needed
    assert many > 100 * few
