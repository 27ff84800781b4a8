"""What becomes of an alarm's state, and the words for it."""

import json
from datetime import timedelta

import pytest

from parkade.domain.alarm import Comparison, Missing, Rule, Standing, State, check
from parkade.domain.alarmshapes import detail, message
from parkade.domain.errors import InvalidInput
from parkade.domain.evaluation import Datum
from parkade.domain.judgement import judged, span
from tests.builders import NOW, a_query, an_alarm, minutes


def data(*values, samples=5.0):
    return [
        Datum(NOW + timedelta(minutes=n), value, None if value is None else samples)
        for n, value in enumerate(values)
    ]


def standing(state):
    return Standing(state=state, reason="so", data="", updated_at=NOW, changed_at=NOW)


LATER = NOW + minutes(5)


def test_more_periods_are_looked_at_than_are_evaluated():
    assert span(an_alarm(periods=3)) == 5


def test_an_alarm_says_which_points_made_it_so():
    changed = judged(an_alarm(), data(0.0, 0.0, 2.0, 3.0, 4.0), LATER)
    assert changed.standing == Standing(
        state=State.ALARM,
        reason=(
            "Threshold Crossed: 3 out of the last 3 datapoints [4.0 (01/03/26 12:04:00), "
            "3.0 (01/03/26 12:03:00), 2.0 (01/03/26 12:02:00)] were greater than the threshold "
            "(1.0) (minimum 3 datapoints for OK -> ALARM transition)."
        ),
        data=changed.standing.data,
        updated_at=LATER,
        changed_at=LATER,
    )
    told = json.loads(changed.standing.data)
    assert told["recentDatapoints"] == [2.0, 3.0, 4.0]
    assert told["queryDate"] == "2026-03-01T12:05:00.000+0000"
    assert told["evaluatedDatapoints"][0] == {
        "timestamp": "2026-03-01T12:04:00.000+0000", "sampleCount": 5.0, "value": 4.0,
    }  # fmt: skip
    assert (told["statistic"], told["period"], told["threshold"]) == ("Sum", 60, 1.0)


def test_it_is_ok_again_by_the_points_that_do_not_breach():
    alarm = an_alarm(periods=2, datapoints=2, standing=standing(State.ALARM))
    changed = judged(alarm, data(9.0, 9.0, 9.0, 1.0), LATER)
    assert changed.standing.state is State.OK
    assert "1 out of the last 2 datapoints [1.0 (01/03/26 12:03:00)] was not greater than" in (
        changed.standing.reason
    )
    assert "(minimum 1 datapoint for ALARM -> OK transition)" in changed.standing.reason


@pytest.mark.parametrize(
    ("missing", "word"), [(Missing.BREACHING, "Breaching"), (Missing.NOT_BREACHING, "NonBreaching")]
)
def test_what_is_missing_is_said(missing, word):
    changed = judged(an_alarm(missing=missing), data(*[None] * 5), LATER)
    assert changed.standing.reason == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
        f"were treated as [{word}]."
    )


def test_nothing_at_all_is_insufficient_data():
    alarm = an_alarm(standing=standing(State.OK))
    changed = judged(alarm, data(*[None] * 5), LATER)
    assert changed.standing.state is State.INSUFFICIENT_DATA
    assert changed.standing.reason == "Insufficient Data: 3 datapoints were unknown."


def test_a_state_that_holds_keeps_its_reason():
    assert judged(an_alarm(standing=standing(State.OK)), data(*[0.0] * 5), LATER) is None
    ignoring = an_alarm(missing=Missing.IGNORE, standing=standing(State.ALARM))
    assert judged(ignoring, data(*[None] * 5), LATER) is None


def test_percentiles_of_few_samples_can_be_ignored():
    queries = (a_query(statistic="p99"),)
    points = data(*[9.0] * 5, samples=999.0)
    assert judged(an_alarm(queries=queries), points, LATER).standing.state is State.ALARM
    ignoring = an_alarm(queries=queries, ignore_few_samples=True)
    assert judged(ignoring, points, LATER) is None
    enough = data(*[9.0] * 5, samples=1000.0)
    assert judged(ignoring, enough, LATER).standing.state is State.ALARM


def test_reasons_and_data_stay_within_cloudwatchs_lengths():
    alarm = an_alarm(periods=1000, queries=(a_query(period=60),))
    changed = judged(alarm, data(*[123456789.123456789] * 1002), LATER)
    assert len(changed.standing.reason) <= 1023
    assert len(changed.standing.data) <= 4000


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        (Comparison.AT_LEAST, False, True, True),
        (Comparison.ABOVE, False, False, True),
        (Comparison.BELOW, True, False, False),
        (Comparison.AT_MOST, True, True, False),
    ],
)
def test_comparisons(comparison, below, at, above):
    assert [comparison.holds(value, 1.0) for value in (0.9, 1.0, 1.1)] == [below, at, above]


@pytest.mark.parametrize(("datapoints", "periods"), [(0, 1), (4, 3), (1, 0)])
def test_a_rule_that_can_never_hold_is_refused(datapoints, periods):
    with pytest.raises(InvalidInput) as caught:
        Rule(comparison=Comparison.ABOVE, threshold=1.0, periods=periods, datapoints=datapoints)
    assert caught.value.field == "DatapointsToAlarm"


@pytest.mark.parametrize(
    ("period", "periods", "refused"),
    [(60, 1440, False), (60, 1441, True), (10, 8641, True), (3600, 168, False), (3600, 169, True)],
)
def test_an_evaluation_that_spans_too_long_is_refused(period, periods, refused):
    alarm = an_alarm(periods=periods, queries=(a_query(period=period),))
    if refused:
        with pytest.raises(InvalidInput, match="more than"):
            check(alarm)
    else:
        check(alarm)


def test_eventbridge_and_topics_are_told_the_change():
    before = an_alarm(description="calls", alarm_actions=("arn:aws:sns:r:1:t",))
    changed = judged(before, data(*[5.0] * 5), LATER)
    told = detail(changed, before.standing)
    assert told["alarmName"] == "busy"
    assert told["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert told["state"]["value"] == "ALARM"
    assert told["state"]["timestamp"] == "2026-03-01T12:05:00.000+0000"
    assert told["configuration"]["metrics"] == [
        {
            "id": "m1",
            "metricStat": {
                "metric": {
                    "namespace": "AWS/SageMaker",
                    "name": "Invocations",
                    "dimensions": {"EndpointName": "falcon", "VariantName": "blue"},
                },
                "period": 60,
                "stat": "Sum",
            },
            "returnData": True,
        }
    ]
    sent = json.loads(
        message(changed, before.standing, arn="arn:x", account="000000000000", region="us-east-1")
    )
    assert (sent["NewStateValue"], sent["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert sent["Trigger"]["MetricName"] == "Invocations"
    assert sent["Trigger"]["Statistic"] == "SUM"
    assert {"name": "EndpointName", "value": "falcon"} in sent["Trigger"]["Dimensions"]
