"""Whether an alarm is in ALARM: the tables that CloudWatch documents, and what holds for all."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.alarm import Comparison, Missing, Rule, State
from parkade.domain.evaluation import EXTRA, Datum, too_few, verdict
from tests.builders import NOW

#: Breaching, not breaching, missing.
VALUES = {"X": 9.0, "0": 0.0, "-": None}
KEPT, OK, ALARM = None, State.OK, State.ALARM
INSUFFICIENT = State.INSUFFICIENT_DATA


def data(points):
    return [
        Datum(NOW + timedelta(minutes=number), VALUES[each]) for number, each in enumerate(points)
    ]


def rule(datapoints, periods, missing):
    return Rule(
        comparison=Comparison.ABOVE,
        threshold=1.0,
        periods=periods,
        datapoints=datapoints,
        missing=missing,
    )


def said(points, datapoints, periods, missing):
    return verdict(rule(datapoints, periods, missing), data(points)).state


# The order of the states: missing, ignore, breaching, notBreaching.
@pytest.mark.semantics("metrics.alarms")
@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0-X-X", (OK, OK, OK, OK)),
        ("----0", (OK, OK, OK, OK)),
        ("-----", (INSUFFICIENT, KEPT, ALARM, OK)),
        ("0XX-X", (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_of_three(points, states):
    order = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
    assert tuple(said(points, 3, 3, each) for each in order) == states


@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0-X-X", (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", (OK, OK, ALARM, OK)),
        ("----0", (OK, OK, ALARM, OK)),
        ("---X-", (ALARM, KEPT, ALARM, OK)),
    ],
)
@pytest.mark.semantics("metrics.alarms")
def test_two_of_three(points, states):
    order = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
    assert tuple(said(points, 2, 3, each) for each in order) == states


@pytest.mark.semantics("metrics.alarms")
@pytest.mark.parametrize("points", ["----X", "---X-"])
def test_an_alarm_is_not_raised_before_it_is_due(points):
    assert said(points, 3, 3, Missing.MISSING) is KEPT


def test_what_was_decided_on_is_told():
    found = verdict(rule(2, 3, Missing.BREACHING), data("0-X--"))
    assert [each.value for each in found.evaluated] == [0.0, 9.0]
    assert found.filled == 1


RULES = st.integers(1, 5).flatmap(
    lambda periods: st.tuples(st.integers(1, periods), st.just(periods))
)


@st.composite
def cases(draw):
    datapoints, periods = draw(RULES)
    size = periods + EXTRA
    points = draw(st.text("X0-", min_size=size, max_size=size))
    return points, datapoints, periods


def reference(points, datapoints, periods, *, filler):
    """Count: the newest real points, and as many fillers as are needed to have all."""
    real = [each for each in reversed(points) if each != "-"][:periods]
    counted = real + [filler] * (periods - len(real))
    return ALARM if counted.count("X") >= datapoints else OK


@given(cases())
def test_treated_points_are_counted_like_real_ones(case):
    points, datapoints, periods = case
    for missing, filler in ((Missing.BREACHING, "X"), (Missing.NOT_BREACHING, "0")):
        expected = reference(points, datapoints, periods, filler=filler)
        assert said(points, datapoints, periods, missing) is expected


@given(cases())
def test_the_treatment_is_not_needed_where_there_are_enough_points(case):
    points, _, periods = case
    if len(points.replace("-", "")) >= periods:
        assert len({said(*case, each) for each in Missing}) == 1


@given(cases())
def test_what_is_certain_is_said_whatever_is_missing(case):
    worst, best = said(*case, Missing.BREACHING), said(*case, Missing.NOT_BREACHING)
    for missing in (Missing.MISSING, Missing.IGNORE):
        found = said(*case, missing)
        if best is ALARM:
            assert found is ALARM
        if worst is OK:
            assert found is OK
        if found is ALARM:
            assert worst is ALARM


@given(cases())
def test_only_nothing_at_all_is_insufficient_data(case):
    for missing in Missing:
        if said(*case, missing) is INSUFFICIENT:
            assert missing is Missing.MISSING
            assert set(case[0]) == {"-"}


@given(cases())
def test_a_point_that_does_not_breach_is_never_passed_over_by_an_early_alarm(case):
    points, datapoints, periods = case
    real = points.replace("-", "")
    if "0" in real and len(real) < periods and real.count("X") < datapoints:
        assert said(*case, Missing.MISSING) is OK


@pytest.mark.parametrize(
    ("percent", "samples", "few"),
    [(99, 999, True), (99, 1000, False), (50, 19, True), (50, 20, False), (10, 99, True),
     (10, 100, False), (100, 0, False), (0, 0, False)],
)  # fmt: skip
def test_too_few_samples_for_a_percentile(percent, samples, few):
    assert too_few(percent, samples) is few
