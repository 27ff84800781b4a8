"""Metric math: what expressions mean, and which are refused."""

import math
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parkade.domain import mathsyntax, metricquery
from parkade.domain.errors import InvalidInput
from parkade.domain.mathfunctions import FUNCTIONS, Span
from parkade.domain.mathvalues import OPERATORS, Line
from parkade.domain.metricquery import Query
from tests.builders import NOW, a_query

PERIOD = 60
SPAN = Span(start=NOW, end=NOW + timedelta(minutes=5), period=PERIOD)


def line(*values, period=PERIOD):
    """A line from NOW on; None where there is no value."""
    step = timedelta(seconds=period)
    return Line(period, {NOW + step * n: v for n, v in enumerate(values) if v is not None})


A, B = line(1.0, 2.0, None, 4.0, 0.0), line(10.0, None, 30.0, 40.0, 0.0)


def computed(expression, **lines):
    queries = [
        *(a_query(name, returned=False) for name in lines),
        Query(id="e", expression=expression),
    ]
    return metricquery.answer(queries, lines, SPAN)["e"]


def values(expression, **lines):
    """The values of the only line, by minute; None where there is none."""
    (found,) = computed(expression, **lines)
    minutes = [NOW + timedelta(minutes=n) for n in range(5)]
    assert set(found.values) <= set(minutes)
    return [found.values.get(each) for each in minutes]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", [11, None, None, 44, 0]),
        ("a - 1", [0, 1, None, 3, -1]),
        ("2 * a", [2, 4, None, 8, 0]),
        ("b / a", [10, None, None, 10, None]),
        ("a ^ 2", [1, 4, None, 16, 0]),
        ("-a", [-1, -2, None, -4, 0]),
        ("-a ^ 2", [-1, -4, None, -16, 0]),
        ("1 + a * 2", [3, 5, None, 9, 1]),
        ("(1 + a) * 2", [4, 6, None, 10, 2]),
        ("a - 1 - 1", [-1, 0, None, 2, -2]),
        ("a > 1", [0, 1, None, 1, 0]),
        ("a >= 1 && a <= 2", [1, 1, None, 0, 0]),
        ("a < 1 OR a > 2", [0, 0, None, 1, 1]),
        ("a == 1", [1, 0, None, 0, 0]),
        ("a != 1", [0, 1, None, 1, 1]),
        ("1e2 * a", [100, 200, None, 400, 0]),
        ("SUM([a, b])", [11, 2, 30, 44, 0]),
        ("AVG([a, b])", [5.5, 2, 30, 22, 0]),
        ("MIN([a, b])", [1, 2, 30, 4, 0]),
        ("MAX([a, b, 5])", [10, 5, 30, 40, 5]),
        ("STDDEV([a, b])", [4.5, 0, 0, 18, 0]),
        ("a / SUM(a)", [1 / 7, 2 / 7, None, 4 / 7, 0]),
        ("a * METRIC_COUNT([a, b])", [2, 4, None, 8, 0]),
        ("a / PERIOD(a)", [1 / 60, 2 / 60, None, 4 / 60, 0]),
        ("ABS(a - 2)", [1, 0, None, 2, 2]),
        ("CEIL(a / 4)", [1, 1, None, 1, 0]),
        ("FLOOR(a / 4)", [0, 0, None, 1, 0]),
        ("FILL(a, 7)", [1, 2, 7, 4, 0]),
        ("FILL(a, REPEAT)", [1, 2, 2, 4, 0]),
        ("FILL(a, LINEAR)", [1, 2, 3, 4, 0]),
        ("FILL(a, b)", [1, 2, 30, 4, 0]),
        ("DIFF(a)", [None, 1, None, 2, -4]),
        ("RATE(a)", [None, 1 / 60, None, 2 / 120, -4 / 60]),
        ("RUNNING_SUM(a)", [1, 3, None, 7, 7]),
        ("TIME_SERIES(3)", [3, 3, 3, 3, 3]),
        ("TIME_SERIES(MAX(a))", [4, 4, 4, 4, 4]),
        ("IF(a > 1, b, 5)", [5, None, None, 40, 5]),
        ("IF(a > 1, 1)", [None, 1, None, 1, None]),
        ("IF(1, a, b)", [1, 2, None, 4, 0]),
        ("SUM([FILL(a, 0), FILL(b, 0)])", [11, 2, 30, 44, 0]),
    ],
)  # fmt: skip
def test_what_an_expression_gives(expression, expected):
    assert values(expression, a=A, b=B) == [
        None if each is None else pytest.approx(each) for each in expected
    ]


def test_several_lines_stay_several():
    first, second = computed("[a, b] * 2", a=A, b=B)
    assert list(first.values.values()) == [2, 4, 8, 0]
    assert list(second.values.values()) == [20, 60, 80, 0]


def test_lines_of_several_periods_meet_where_both_have_a_value():
    (found,) = computed("a + b", a=line(1.0, 2.0, 3.0, 4.0, 5.0), b=line(10.0, 20.0, period=120))
    assert found.period == 120
    assert list(found.values.values()) == [11, 23]


def test_an_expression_may_be_about_others():
    queries = [
        Query(id="e2", expression="e1 + 1"),
        Query(id="e1", expression="a * 2", returned=False),
        a_query("a", returned=False),
    ]
    found = metricquery.answer(queries, {"a": line(1.0)}, SPAN)
    assert list(found) == ["e2"]
    assert list(found["e2"][0].values.values()) == [3]
    assert metricquery.needed(queries) == [queries[2]]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "must have one of"),
        ("a +", "ends too early"),
        ("a b", "'b' is not expected"),
        ("(a", "where ')' should be"),
        ("[a", "where ',' should be"),
        ("a ? 1", "'?' at place 3 means nothing"),
        ("c + 1", "no query has the id 'c'"),
        ("e + 1", "about itself"),
        ("ANOMALY_DETECTION_BAND(a)", "ANOMALY_DETECTION_BAND, which is not built here"),
        ("SEARCH('{AWS/SageMaker}', 'Sum', 60)", "SEARCH, which is not built here"),
        ("SUM(a, b)", "2 arguments for SUM, which takes 1"),
        ("SUM(a)", "gives no time series"),
        ("1 + 2", "gives no time series"),
        ("[a, b] + [a, b]", "between two lists"),
        ("a + 'text'", "a text where a number should be"),
        ("RATE(3)", "something else than a time series in RATE"),
        ("FILL(a, 'REPEAT')", None),
        ("(" * 60 + "a" + ")" * 60, "deeper than"),
        ("a" + "+1" * 300, "more than 200 operators"),
        ("-" * 300 + "a", "deeper than"),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_is_refused_and_says_why(expression, why):
    def run():
        queries = [a_query("a"), a_query("b"), Query(id="e", expression=expression)]
        metricquery.check(queries)
        return computed(expression, a=A, b=B)

    if why is None:
        assert run()
        return
    with pytest.raises(InvalidInput) as caught:
        run()
    assert why in caught.value.message


@pytest.mark.parametrize("id", ["A", "1a", "a-b", "", "é"])
def test_an_id_that_cannot_be_is_refused(id):  # noqa: A002
    with pytest.raises(InvalidInput, match="no id of a query"):
        metricquery.check([a_query(id)])


def test_a_sum_beyond_all_floats_is_none():
    assert values("SUM([a, a])", a=line(1e308, 1.0)) == [None, 2, None, None, None]


def test_two_queries_of_one_id_are_refused():
    with pytest.raises(InvalidInput, match="two queries"):
        metricquery.check([a_query("a"), a_query("a")])


@pytest.mark.parametrize(
    ("changes", "field"), [({"period": 7}, "Period"), ({"statistic": "tm99"}, "Stat")]
)
def test_a_measurement_that_cannot_be_told_is_refused(changes, field):
    with pytest.raises(InvalidInput) as caught:
        metricquery.check([a_query("a", **changes)])
    assert caught.value.field == field


@given(st.text("abe0123456789.+-*/^()[],<>=!&| 'SUMFILL", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        node = mathsyntax.parse(text)
    except InvalidInput:
        return
    mathsyntax.names(node)


NUMBERS = st.integers(-9, 9)


@given(st.recursive(
    NUMBERS.map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=12,
))  # fmt: skip
def test_arithmetic_is_that_of_python(expression):
    expected = eval(expression)  # noqa: S307  built above, of numbers and + - * alone
    found = values(f"TIME_SERIES({expression})")
    assert found == [pytest.approx(expected)] * 5


LEAVES = st.sampled_from(
    ["a", "b", "0", "1", "1e300", "(0/0)", "(1/0)", "[]", "[a]", "[a, 2]", "'x'", "REPEAT"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(sorted(OPERATORS)), inner)
        .map(" ".join)
        .map("({})".format),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=3)).map(
            lambda call: f"{call[0]}({', '.join(call[1])})"
        ),
        inner.map("-{}".format),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(TREES)
@example("a * CEIL(0/0)")
@example("a * FLOOR(1/0)")
@example("STDDEV([0/0, a])")
@example("MAX([a, 0/0])")
@example("1e300 * 1e300 * a")
def test_any_expression_is_computed_or_refused(expression):
    try:
        found = computed(expression, a=A, b=line(None, 1e308, -1e308))
    except InvalidInput:
        return
    for each in found:
        assert all(math.isfinite(value) for value in each.values.values())


@given(st.lists(st.none() | st.floats(-1e300, 1e300), min_size=5, max_size=5))
def test_no_value_is_ever_something_else_than_a_finite_number(points):
    for name in FUNCTIONS.keys() - {"FILL", "IF", "PERIOD", "METRIC_COUNT", "TIME_SERIES"}:
        expression = f"{name}([a, a * 1e10, a ^ 3])"
        for each in computed(expression, a=line(*points)):
            assert all(math.isfinite(value) for value in each.values.values())
