"""PutMetricAlarm and what is asked of alarms: filters, pages, history, refusals, whose they are."""

import json

import pytest
from botocore.exceptions import ClientError

from parkade.apps.cloudwatch.door import SERVICE
from parkade.domain.alarm import OWN
from parkade.domain.series import SAGEMAKER, Aggregate
from parkade.domain.token import Role
from parkade.ports.metrics import Sample
from tests.apps.api.world import World
from tests.builders import NOW, a_query, an_alarm, minutes, seconds

TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"
DIMENSIONS = [{"Name": "EndpointName", "Value": "falcon"}, {"Name": "VariantName", "Value": "blue"}]
GIVEN = {
    "AlarmName": "busy",
    "Namespace": SAGEMAKER,
    "MetricName": "Invocations",
    "Dimensions": DIMENSIONS,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


def put(cbor, name="busy", **changes):
    given = {**GIVEN, "AlarmName": name, **changes}
    cbor.put_metric_alarm(**{key: each for key, each in given.items() if each is not None})


def names(cbor, **given):
    return [each["AlarmName"] for each in cbor.describe_alarms(**given)["MetricAlarms"]]


def measure(world, value):
    """Measure within a minute that is over then, and look at the alarms."""
    sample = Sample(
        series=a_query().measured.series, at=world.clock.now(), value=Aggregate.of(value)
    )
    world.metrics.add([sample])
    world.clock.advance(minutes(1))
    world.services.alarms.watch.look(world.clock.now() + seconds(5))


METRIC = {"Namespace": SAGEMAKER, "MetricName": "Invocations", "Dimensions": DIMENSIONS}
STAT = {"Metric": METRIC, "Period": 60, "Stat": "Sum"}
OF_ONE = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "LessThanLowerThreshold is not supported"),
        ({"ThresholdMetricId": "ad1"}, "ThresholdMetricId is not supported"),
        ({"EvaluationWindow": {"SlidingWindow": {}}}, "EvaluationWindow is not supported"),
        ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "no PromQL"),
        ({"EvaluationInterval": 60}, "EvaluationInterval is not supported"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "it starts and stops nothing"),
        ({"OKActions": ["https://example.com"]}, "OKActions.member.1"),
        ({"TreatMissingData": "Breaching"}, "TreatMissingData"),
        ({"EvaluateLowSampleCountPercentile": "no"}, "EvaluateLowSampleCountPercentile"),
        ({"Statistic": None}, "Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "'tm90'"),
        ({"Period": None}, "Period"),
        ({"Period": 7}, "period of 7 s"),
        ({"Threshold": None}, "Threshold"),
        ({"Threshold": float("nan")}, "Threshold"),
        ({"Threshold": float("inf")}, "Threshold"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods"),
        ({"EvaluationPeriods": 1441}, "more than 86400 s"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "3 of 2 periods"),
        ({"Metrics": [{"Id": "m1", "MetricStat": STAT}]}, "exclude each other"),
        ({**OF_ONE, "Metrics": [{"Id": "e", "Expression": "TIME_SERIES(1)"}]}, "on no metric"),
        ({**OF_ONE, "Metrics": [{"Id": "a", "MetricStat": STAT}, {"Id": "b", "MetricStat": STAT}]},
         "exactly one"),
        ({**OF_ONE, "Metrics": [{"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m)"}]}, "id 'm'"),
        ({"AlarmName": "parkade-idle/falcon"}, "Parkade's own"),
        ({"AlarmName": "a\nb"}, "control characters"),
        ({"AlarmName": ""}, "alarmName"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)  # fmt: skip
def test_an_alarm_that_cannot_be_is_refused_and_says_why(cbor, changes, why):
    with pytest.raises(ClientError) as caught:
        put(cbor, changes.get("AlarmName", "busy"), **changes)
    assert why in caught.value.response["Error"]["Message"]
    assert names(cbor) == []


def test_a_member_that_is_not_known_is_refused_by_its_name(cbor, world):
    headers = {"X-Amz-Target": f"{SERVICE}.PutMetricAlarm"}
    given = json.dumps({**GIVEN, "Treshold": 1})
    answer = world.call("POST", "/", by=None, headers=headers, content=given)
    assert answer.status_code == 400
    assert "did you mean 'Threshold'?" in answer.json()["message"]
    assert names(cbor) == []


def test_alarms_are_found_by_name_prefix_state_and_action(cbor, world):
    put(cbor, "a-1", AlarmActions=[TOPIC])
    put(cbor, "a-2")
    put(cbor, "b-1", OKActions=[f"{TOPIC}-2"])
    assert names(cbor) == ["a-1", "a-2", "b-1"]
    assert names(cbor, AlarmNames=["b-1", "a-2", "c"]) == ["a-2", "b-1"]
    assert names(cbor, AlarmNames=[], AlarmTypes=[]) == ["a-1", "a-2", "b-1"]
    assert names(cbor, AlarmNamePrefix="a-") == ["a-1", "a-2"]
    assert names(cbor, ActionPrefix=TOPIC) == ["a-1", "b-1"]
    assert names(cbor, ActionPrefix=f"{TOPIC}-") == ["b-1"]
    cbor.set_alarm_state(AlarmName="a-2", StateValue="ALARM", StateReason="so")
    assert names(cbor, StateValue="ALARM") == ["a-2"]
    assert names(cbor, AlarmTypes=["CompositeAlarm"]) == []
    assert names(cbor, ChildrenOfAlarmName="a-1") == []
    with pytest.raises(cbor.exceptions.InvalidParameterCombinationException):
        names(cbor, AlarmNames=["a"], AlarmNamePrefix="a")


def test_alarms_come_in_pages(cbor):
    for number in range(7):
        put(cbor, f"alarm-{number}")
    pages = cbor.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 3})
    found = [[each["AlarmName"] for each in page["MetricAlarms"]] for page in pages]
    assert [len(page) for page in found] == [3, 3, 1]
    assert [name for page in found for name in page] == [f"alarm-{number}" for number in range(7)]


def test_the_alarms_of_a_metric(cbor):
    put(cbor, "sum")
    put(cbor, "average", Statistic="Average")
    put(cbor, "other", Dimensions=DIMENSIONS[:1])
    put(cbor, "math", **OF_ONE, Metrics=[{"Id": "m", "MetricStat": STAT}])

    def found(**given):
        answer = cbor.describe_alarms_for_metric(**METRIC, **given)
        return [each["AlarmName"] for each in answer["MetricAlarms"]]

    assert found() == ["average", "sum"]
    assert found(Statistic="Sum") == ["sum"]
    assert found(Period=300) == []


def test_the_history_tells_what_was_configured_changed_and_told(cbor, world):
    put(cbor, AlarmActions=[TOPIC])
    measure(world, 5)
    world.services.alarms.close()
    put(cbor, "other")

    def types(**given):
        items = cbor.describe_alarm_history(**given)["AlarmHistoryItems"]
        return [each["HistoryItemType"] for each in items]

    everything = ["Action", "StateUpdate", "ConfigurationUpdate"]
    assert types(AlarmName="busy") == everything
    assert types(AlarmName="busy", ScanBy="TimestampAscending") == everything[::-1]
    assert types(HistoryItemType="StateUpdate") == ["StateUpdate"]
    assert len(types()) == 4
    assert types(StartDate=NOW + minutes(1), AlarmName="busy") == ["Action", "StateUpdate"]
    pages = cbor.get_paginator("describe_alarm_history").paginate(PaginationConfig={"PageSize": 1})
    assert len([each for page in pages for each in page["AlarmHistoryItems"]]) == 4
    (change,) = cbor.describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    told = json.loads(change["HistoryData"])
    assert told["alarm"]["state"]["value"] == "ALARM"
    assert world.topics.messages[0][0] == TOPIC


def test_actions_are_switched_off_and_on(cbor):
    put(cbor)
    cbor.disable_alarm_actions(AlarmNames=["busy", "none"])
    assert cbor.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is False
    cbor.enable_alarm_actions(AlarmNames=["busy"])
    assert cbor.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is True


def test_an_alarm_that_cannot_be_evaluated_says_so(cbor, world):
    put(cbor)
    world.metrics.damage(a_query().measured.series, NOW)
    measure(world, 5)
    (alarm,) = cbor.describe_alarms()["MetricAlarms"]
    assert alarm["EvaluationState"] == "EVALUATION_ERROR"
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"


def test_parkades_own_alarms_are_shown_and_kept(cbor, world):
    own = an_alarm("parkade-idle/falcon", owner=OWN, endpoint_name="falcon")
    world.services.alarms.book.put(own, OWN)
    assert names(cbor) == ["parkade-idle/falcon"]
    with pytest.raises(cbor.exceptions.ResourceConflict) as caught:
        cbor.delete_alarms(AlarmNames=["parkade-idle/falcon"])
    assert "parkade maintain falcon --off" in caught.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="Parkade's own"):
        cbor.set_alarm_state(AlarmName="parkade-idle/falcon", StateValue="OK", StateReason="x")
    assert names(cbor) == ["parkade-idle/falcon"]


def test_a_damaged_alarm_hides_no_other_and_can_be_put_anew_and_deleted(cbor, world):
    put(cbor, "bad")
    put(cbor, "good")
    world.alarm_store.damage("bad", "it is torn")
    assert names(cbor) == ["good"]
    put(cbor, "bad")
    assert names(cbor) == ["bad", "good"]
    world.alarm_store.damage("bad", "it is torn")
    cbor.delete_alarms(AlarmNames=["bad"])
    assert world.alarm_store.all().unreadable == {}


# Tokens that are limited to endpoints.


class Host:
    """Knows one component, of another endpoint."""

    def __init__(self, host):
        self._host = host

    def __getattr__(self, name):
        return getattr(self._host, name)

    def components(self):
        return {}


@pytest.fixture
def limited():
    """A world, and a caller in JSON by a token that is limited to flan."""
    world = World()
    world.services.host = Host(world.services.host)
    world.services.tokens.create(
        "flanner", role=Role.OPERATOR, endpoints=["flan"], lifetime=None, actor="test",
        secret="flanner-pass-code",
    )  # fmt: skip

    def call(operation, by="flanner-pass-code", **given):
        answer = world.call(
            "POST", "/", by=by, headers={"X-Amz-Target": f"{SERVICE}.{operation}"},
            content=json.dumps(given),
        )  # fmt: skip
        return answer.status_code, answer.json()

    return world, call


def test_a_limited_token_sees_the_series_of_its_endpoints_alone(limited):
    world, call = limited
    for endpoint in ("falcon", "flan"):
        series = a_query(endpoint=endpoint).measured.series
        world.metrics.add([Sample(series=series, at=NOW, value=Aggregate.of(1))])
    _, found = call("ListMetrics")
    assert [each["Dimensions"][0]["Value"] for each in found["Metrics"]] == ["flan"]
    _, found = call("ListMetrics", by="operator")
    assert len(found["Metrics"]) == 2
    asked = {"StartTime": 0, "EndTime": 60, "Period": 60, "Statistics": ["Sum"]}
    status, error = call("GetMetricStatistics", **METRIC, **asked)
    assert (status, error["__type"]) == (403, "AccessDeniedException")
    assert "limited to: flan" in error["message"]
    query = {"Id": "m", "MetricStat": STAT, "ReturnData": False}
    status, _ = call("GetMetricData", MetricDataQueries=[query], StartTime=0, EndTime=60)
    assert status == 403


def test_a_limited_token_puts_and_sees_the_alarms_of_its_endpoints_alone(limited):
    _, call = limited
    assert call("PutMetricAlarm", by="operator", **GIVEN)[0] == 200
    flan = [{"Name": "EndpointName", "Value": "flan"}]
    mine = {**GIVEN, "AlarmName": "mine", "Dimensions": flan}
    assert call("PutMetricAlarm", **mine)[0] == 200
    for operation, given in (
        ("PutMetricAlarm", GIVEN),
        ("PutMetricAlarm", {**mine, "AlarmName": "busy"}),
        ("DeleteAlarms", {"AlarmNames": ["busy"]}),
        ("SetAlarmState", {"AlarmName": "busy", "StateValue": "OK", "StateReason": "x"}),
        ("DisableAlarmActions", {"AlarmNames": ["busy"]}),
        ("DescribeAlarmsForMetric", METRIC),
    ):
        assert call(operation, **given)[0] == 403, operation
    _, found = call("DescribeAlarms")
    assert [each["AlarmName"] for each in found["MetricAlarms"]] == ["mine"]
    _, found = call("DescribeAlarmHistory")
    assert {each["AlarmName"] for each in found["AlarmHistoryItems"]} == {"mine"}
    assert call("DeleteAlarms", AlarmNames=["mine"])[0] == 200


def test_a_limited_token_writes_no_series_of_other_endpoints(limited):
    _, call = limited
    for endpoint, expected in (("falcon", 403), ("flan", 200)):
        datum = {"MetricName": "x", "Value": 1,
                 "Dimensions": [{"Name": "EndpointName", "Value": endpoint}]}  # fmt: skip
        assert call("PutMetricData", Namespace="Mine", MetricData=[datum])[0] == expected
    component = [{"Name": "InferenceComponentName", "Value": "theirs"}]
    datum = {"MetricName": "x", "Value": 1, "Dimensions": component}
    assert call("PutMetricData", Namespace="Mine", MetricData=[datum])[0] == 403
