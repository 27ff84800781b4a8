"""How far numbers may lie apart."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.comparing.tolerance import EQUAL, Tolerance, deviation
from parkade.domain.errors import InvalidInput

NUMBERS = st.one_of(st.integers(), st.floats())
FINITE = st.floats(allow_nan=False, allow_infinity=False)
BOUNDS = st.floats(0, 1e6)
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "agree"),
    [
        (1, 1.0, EQUAL, True),
        (0.0, -0.0, EQUAL, True),
        (2**53, 2**53 + 1, EQUAL, False),  # as floats they would be the same
        (10**400, 10**400, EQUAL, True),
        (10**400, 10**400 + 1, Tolerance(1), True),
        (10**400, 10**400 + 2, Tolerance(1), False),
        (10**400, 1.0, Tolerance(1, 0.5), False),
        (10**400, 10**400 // 2, Tolerance(relative=0.5), True),
        (NAN, NAN, EQUAL, True),
        (NAN, 1.0, Tolerance(1e300), False),
        (INF, INF, EQUAL, True),
        (INF, -INF, Tolerance(1e308, 1e308), False),
        (INF, 1e308, Tolerance(1e308, 1e308), False),
        # As they are written: in binary, 1.1 - 1.0 is more than 0.1.
        (1.1, 1.0, Tolerance(0.1), True),
        (1.1, 0.99, Tolerance(0.1), False),
        (100, 99, Tolerance(relative=0.01), True),
        (100, 98.99, Tolerance(relative=0.01), False),
        (99, 100, Tolerance(relative=0.01), True),
        (0, 1e-9, Tolerance(relative=0.5), False),
        (0, 1e-9, Tolerance(1e-9, 0.5), True),
        (5e-324, 0.0, EQUAL, False),
    ],
)
def test_numbers_agree_within_either_bound(one, other, tolerance, agree):
    assert tolerance.agree(one, other) is agree


@given(NUMBERS, NUMBERS, BOUNDS, BOUNDS)
def test_agreement_is_symmetric_and_reflexive(one, other, absolute, relative):
    tolerance = Tolerance(absolute, relative)
    assert tolerance.agree(one, other) is tolerance.agree(other, one)
    assert tolerance.agree(one, one)


@given(FINITE, FINITE, BOUNDS, st.floats(0, 10))
def test_it_is_what_exact_arithmetic_says_of_the_decimals(one, other, absolute, relative):
    a, b = Fraction(repr(one)), Fraction(repr(other))
    allowed = max(Fraction(repr(absolute)), Fraction(repr(relative)) * max(abs(a), abs(b)))
    assert Tolerance(absolute, relative).agree(one, other) is (abs(a - b) <= allowed)


@given(NUMBERS, NUMBERS, BOUNDS, BOUNDS)
def test_what_agrees_agrees_under_a_wider_tolerance(one, other, bound, more):
    if Tolerance(bound, bound).agree(one, other):
        assert Tolerance(bound + more, bound + more).agree(one, other)


@pytest.mark.parametrize(
    ("value", "tolerance"),
    [
        (0, EQUAL),
        (1, Tolerance(1.0)),
        (1e-6, Tolerance(1e-6)),
        ("0.01", Tolerance(0.01)),
        ("1%", Tolerance(relative=0.01)),
        ("0.1 %", Tolerance(relative=0.001)),
        (" 0.5, 2%", Tolerance(0.5, 0.02)),
        ("1e-6", Tolerance(1e-6)),
        ({"relative": 1e-6}, Tolerance(relative=1e-6)),
        ({"absolute": 1, "relative": 0.5}, Tolerance(1.0, 0.5)),
    ],
)
def test_a_tolerance_is_read_as_people_write_it(value, tolerance):
    assert Tolerance.read(value) == tolerance


@pytest.mark.parametrize(
    "value",
    [-1, NAN, INF, 10**400, True, None, "", "x", "1%,2%", "1,2", "-1", "nan", {}, {"abs": 1}, []],
)
def test_what_is_no_tolerance_is_refused(value):
    with pytest.raises(InvalidInput, match="is not a tolerance"):
        Tolerance.read(value)


def test_how_far_numbers_lie_apart_is_told_where_a_number_says_it():
    assert deviation(1, 3.5) == 2.5
    assert deviation(NAN, NAN) == deviation(INF, INF) == 0.0
    assert deviation(NAN, 1) is deviation(INF, 1) is deviation(10**400, 0) is None
    assert deviation(1e308, -1e308) is None
    assert deviation(10**400, 10**400 + 3) == 3.0
