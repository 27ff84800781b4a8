"""Alarms as PutMetricAlarm's members, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import alarmforms
from parkade.domain.alarm import Alarm, Comparison, Missing, Rule, first_standing
from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import Series
from tests.builders import NOW

words = st.text("abcXYZ /%-", min_size=1, max_size=6)
numbers = st.integers(1, 9)
series = st.builds(
    lambda namespace, name, of: Series.of(namespace, name, **of),
    words,
    words,
    st.dictionaries(st.text("abc", min_size=1), words, max_size=3),
)
measured = st.builds(
    Measured,
    series=series,
    period=st.sampled_from([10, 60, 3600]),
    statistic=st.sampled_from(["Sum", "Average", "p99.9", "p50"]),
    unit=st.sampled_from(["", "Count"]),
)
topics = st.lists(st.just("arn:aws:sns:us-east-1:000000000000:t"), max_size=1).map(tuple)


@st.composite
def rules(draw):
    periods = draw(numbers)
    return Rule(
        comparison=draw(st.sampled_from(Comparison)),
        threshold=draw(st.floats(-1e6, 1e6)),
        periods=periods,
        datapoints=draw(st.integers(1, periods)),
        missing=draw(st.sampled_from(Missing)),
        ignore_few_samples=draw(st.booleans()),
    )


@st.composite
def alarms(draw):
    plain = draw(st.booleans())
    if plain:
        queries = (Query(id="m1", measured=draw(measured)),)
    else:
        each = draw(st.lists(measured, min_size=1, max_size=3))
        queries = (
            *(Query(id=f"m{n}", measured=one, returned=False) for n, one in enumerate(each, 1)),
            Query(
                id="e",
                expression="MAX(METRICS())",
                label=draw(st.sampled_from(["", "worst"])),
                period=draw(st.sampled_from([None, 60])),
            ),
        )
    return Alarm(
        name="a",
        rule=draw(rules()),
        queries=queries,
        standing=first_standing(NOW),
        configured_at=NOW,
        description=draw(st.sampled_from(["", "why"])),
        actions_enabled=draw(st.booleans()),
        ok_actions=draw(topics),
        alarm_actions=draw(topics),
        insufficient_data_actions=draw(topics),
        plain=plain,
        tags=draw(st.dictionaries(words, words, max_size=2)),
    )


@given(alarms())
def test_what_is_told_is_the_same_alarm_again(alarm):
    content = alarmforms.content(alarm)
    again = alarmforms.alarm("a", content, NOW)
    assert again == alarm
    assert alarmforms.content(again) == content


PLAIN = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocations",
    "Dimensions": [{"Name": "EndpointName", "Value": "text"}],
    "Statistic": "Sum",
    "Period": 60,
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 5,
    "EvaluationPeriods": 1,
}


def test_defaults_are_left_out():
    given_in_full = {
        **PLAIN,
        "DatapointsToAlarm": 1,
        "TreatMissingData": "missing",
        "ActionsEnabled": True,
        "AlarmActions": [],
        "EvaluateLowSampleCountPercentile": "evaluate",
    }
    full = alarmforms.content(alarmforms.alarm("a", given_in_full, NOW))
    assert full == alarmforms.content(alarmforms.alarm("a", PLAIN, NOW)) == PLAIN


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"Treshold": 1}, "Treshold"),
        ({"Period": None, "Statistic": None}, "Statistic"),
        ({"ComparisonOperator": "Above"}, "Metrics"),
        ({"Dimensions": ["EndpointName"]}, "Metrics"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
    ],
)
def test_what_is_no_alarm_is_refused_by_its_member(wrong, field):
    with pytest.raises(InvalidInput) as caught:
        alarmforms.alarm("a", {**PLAIN, **wrong}, NOW)
    assert caught.value.field == field


def test_what_is_missing_is_named():
    with pytest.raises(InvalidInput, match="has no Threshold"):
        alarmforms.alarm("a", {k: v for k, v in PLAIN.items() if k != "Threshold"}, NOW)
