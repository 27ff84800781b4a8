"""Captured answers of two variants, joined."""

import pytest

from parkade.domain.ab.pairs import Agreement, joined
from parkade.domain.comparing.answers import STRICT, Rules
from parkade.domain.comparing.reading import Body
from parkade.domain.comparing.tolerance import Tolerance


def bodies(**values):
    return {name: Body(str(value).encode()) for name, value in values.items()}


def test_answers_to_the_same_requests_are_compared():
    production, shadow = bodies(a=1, b=2, c=3, d=4), bodies(a=1, b=5, c=3.0, e=9)
    told = joined(production, shadow, STRICT, 100)
    assert (told.pairs, told.agree, told.unpaired) == (3, 2, 1)
    assert told.share == pytest.approx(2 / 3)
    assert told.complete
    assert joined(production, shadow, Rules(tolerance=Tolerance(3)), 100).agree == 3


def test_no_more_than_so_many_are_compared_and_that_is_told():
    told = joined(bodies(a=1, b=2), bodies(a=1, b=2), STRICT, 1)
    assert (told.pairs, told.unpaired, told.complete) == (1, 0, False)


def test_several_are_added_up():
    one = Agreement(pairs=2, agree=1, unpaired=3)
    other = Agreement(pairs=1, agree=1, unreadable=1, complete=False)
    assert one.plus(other) == Agreement(pairs=3, agree=2, unpaired=3, unreadable=1, complete=False)
    assert Agreement().share is None
