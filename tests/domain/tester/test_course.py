"""How clients go about it: offsets, the grid of calls, the end."""

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import InvalidInput
from parkade.domain.tester.course import Course, turns

INTERVALS = st.floats(0.01, 100)


@given(clients=st.integers(1, 200), interval=INTERVALS)
def test_clients_are_spread_evenly_over_an_interval(clients, interval):
    course = Course(clients=clients, interval=interval)
    offsets = [course.offset(n) for n in range(clients)]
    assert offsets[0] == 0
    assert all(each < interval for each in offsets)
    gaps = [after - before for before, after in pairwise(offsets)]
    assert all(math.isclose(gap, interval / clients) for gap in gaps)


def test_clients_do_not_begin_with_the_same_case():
    course = Course(clients=4)
    assert [course.first_case(n, 8) for n in range(4)] == [0, 2, 4, 6]
    assert [course.first_case(n, 3) for n in range(4)] == [0, 0, 1, 2]
    assert list(islice(turns(2, 3), 5)) == [2, 0, 1, 2, 0]


@given(
    planned=st.floats(0, 1000),
    interval=INTERVALS,
    took=st.floats(0, 1000),
)
def test_the_next_call_is_on_the_grid_and_not_in_the_past(planned, interval, took):
    course = Course(interval=interval)
    following = course.following(planned, planned + took)
    steps = (following - planned) / interval
    assert math.isclose(steps, round(steps), abs_tol=1e-6)
    assert following >= planned + took - interval * 1e-6
    # Just the next place: what has passed is left out, and nothing more.
    assert following <= planned + max(took, 0) + interval * (1 + 1e-6)


def test_without_an_interval_calls_follow_each_other():
    assert Course(interval=0).following(3.0, 7.5) == 7.5


def test_it_ends_by_its_duration_or_after_every_case():
    assert not Course(duration=10).over(9.9, 1000, 3)
    assert Course(duration=10).over(10.0, 0, 3)
    assert not Course(duration=0).over(1e6, 2, 3)
    assert Course(duration=0).over(0.0, 3, 3)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"clients": 0}, "clients"),
        ({"clients": 1001}, "clients"),
        ({"interval": -1}, "interval_seconds"),
        ({"duration": math.nan}, "duration_seconds"),
        ({"duration": math.inf}, "duration_seconds"),
        ({"timeout": 0}, "timeout_seconds"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(wrong, field):
    with pytest.raises(InvalidInput) as caught:
        Course(**wrong)
    assert caught.value.field == field
