"""boto3 in CBOR, in JSON and in the query protocol: the same answers and the same errors."""

import gzip
import struct

import cbor2
import httpx
import pytest
from botocore.exceptions import ClientError

from parkade.apps.cloudwatch.door import BODY_LIMIT, SERVICE, UNPACKED_LIMIT
from parkade.apps.cloudwatch.known import KNOWN
from parkade.apps.cloudwatch.operations import OPERATIONS
from parkade.apps.wire import description
from parkade.ports.events import EventQuery
from tests.apps.api.world import World
from tests.apps.sagemaker.shapes import reachable
from tests.builders import NOW, minutes

DIMENSIONS = [{"Name": "Queue", "Value": "a & b"}]
STAT = {"Metric": {"Namespace": "Mine", "MetricName": "Depth", "Dimensions": DIMENSIONS},
        "Period": 60, "Stat": "Sum"}  # fmt: skip
TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"


def put(boto, value=3.0, **more):
    datum = {"MetricName": "Depth", "Dimensions": DIMENSIONS, "Timestamp": NOW - minutes(2),
             "Value": value, "Unit": "Count", **more}  # fmt: skip
    boto.put_metric_data(Namespace="Mine", MetricData=[datum])


def put_alarm(boto, name="deep", **changes):
    given = {"Namespace": "Mine", "MetricName": "Depth", "Dimensions": DIMENSIONS,
             "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 2.5,
             "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    given |= changes
    boto.put_metric_alarm(
        AlarmName=name, **{key: value for key, value in given.items() if value is not None}
    )


@pytest.mark.semantics("metrics.cloudwatch")
def test_what_is_put_can_be_listed_and_read(boto):
    put(boto)
    put(boto, 4.5)
    (metric,) = boto.list_metrics(Namespace="Mine")["Metrics"]
    assert metric == STAT["Metric"]
    asked = {"StartTime": NOW - minutes(10), "EndTime": NOW}
    (point,) = boto.get_metric_statistics(
        **STAT["Metric"], **asked, Period=60, Statistics=["Sum", "Average", "SampleCount"],
        ExtendedStatistics=["p50"],
    )["Datapoints"]  # fmt: skip
    assert point["Timestamp"] == NOW - minutes(2)
    assert (point["Sum"], point["Average"], point["SampleCount"]) == (7.5, 3.75, 2.0)
    assert point["Unit"] == "Count"
    assert point["ExtendedStatistics"]["p50"] == pytest.approx(3.0, rel=0.1)
    answer = boto.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": STAT, "ReturnData": False},
                           {"Id": "e1", "Expression": "m1 / 2", "Label": "half"}],
        **asked,
    )  # fmt: skip
    assert answer["MetricDataResults"] == [
        {"Id": "e1", "Label": "half", "Timestamps": [NOW - minutes(2)], "Values": [3.75],
         "StatusCode": "Complete"}
    ]  # fmt: skip


def test_an_alarm_is_shown_as_it_was_put(boto):
    put_alarm(boto, AlarmDescription="too deep", AlarmActions=[TOPIC], TreatMissingData="ignore",
              Tags=[{"Key": "team", "Value": "blue"}])  # fmt: skip
    (alarm,) = boto.describe_alarms(AlarmNames=["deep"])["MetricAlarms"]
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:deep"
    assert {key: value for key, value in alarm.items() if "Timestamp" not in key} == {
        "AlarmName": "deep",
        "AlarmArn": arn,
        "AlarmDescription": "too deep",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        **STAT["Metric"],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 2.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    }
    assert alarm["StateUpdatedTimestamp"] == NOW
    assert boto.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "team", "Value": "blue"}
    ]
    boto.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    boto.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert boto.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    boto.delete_alarms(AlarmNames=["deep", "none"])
    assert boto.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_on_metrics_is_shown_as_it_was_put(boto):
    metrics = [{"Id": "m1", "MetricStat": STAT, "ReturnData": False},
               {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": True}]  # fmt: skip
    boto.put_metric_alarm(
        AlarmName="twice", Metrics=metrics, EvaluationPeriods=3, DatapointsToAlarm=2,
        Threshold=5, ComparisonOperator="LessThanOrEqualToThreshold",
    )  # fmt: skip
    (alarm,) = boto.describe_alarms()["MetricAlarms"]
    assert alarm["Metrics"] == metrics
    assert "MetricName" not in alarm


@pytest.mark.semantics("metrics.cloudwatch")
def test_errors_are_those_that_boto3_knows(boto):
    errors = boto.exceptions
    with pytest.raises(errors.ResourceNotFound):
        boto.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="x")
    with pytest.raises(errors.InvalidParameterValueException) as caught:
        boto.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": "x", "Value": 1}])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert caught.value.response["Error"]["Type"] == "Sender"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    with pytest.raises(errors.InvalidParameterCombinationException):
        put_alarm(boto, ExtendedStatistic="p99")
    with pytest.raises(errors.MissingRequiredParameterException):
        put_alarm(boto, Threshold=None)
    with pytest.raises(errors.InvalidNextToken):
        boto.describe_alarms(NextToken="nonsense")
    put_alarm(boto)
    with pytest.raises(errors.InvalidFormatFault):
        boto.set_alarm_state(
            AlarmName="deep", StateValue="OK", StateReason="x", StateReasonData="{"
        )


def test_limits_of_the_description_are_held(boto):
    with pytest.raises(ClientError) as caught:
        boto.describe_alarms(MaxRecords=101, StateValue="FINE")
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert "2 validation errors detected" in error["Message"]


def test_an_operation_that_is_not_built_is_named_and_counted(boto, world):
    with pytest.raises(ClientError) as caught:
        boto.list_dashboards()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "PutMetricAlarm" in caught.value.response["Error"]["Message"]
    (event,) = world.history.read(EventQuery(kinds=("cloudwatch.unknown_operation",)))
    assert event.data["operation"] == "ListDashboards"


def test_values_that_are_none_are_refused_by_their_place(boto):
    refused = boto.exceptions.InvalidParameterValueException
    for value in (float("nan"), float("inf"), -float("inf"), 2.0**361):
        with pytest.raises(refused, match=r"member\.1\.Value"):
            put(boto, value)


def test_every_member_of_every_input_has_been_looked_at():
    refused = {
        "EntityMetricData", "Entity", "EvaluationWindow", "WallClockWindow", "SlidingWindow",
        "WarmUpConfiguration", "EvaluationCriteria", "AlarmPromQLCriteria", "ActionConfiguration",
        "AlarmTagsPropagation",
    }  # fmt: skip
    found = {}
    for name in OPERATIONS:
        reachable(description.operation("cloudwatch", name).input_shape, found)
    structures = {
        name: frozenset(shape.members)
        for name, shape in found.items()
        if shape.type_name == "structure" and name not in refused
    }
    assert structures == dict(KNOWN)


# Requests that no client would send.


def fault_of(answer):
    content = cbor2.loads(answer.content)
    return answer.status_code, content["__type"], content["message"]


@pytest.fixture
def post(url):
    def send(content, operation="ListMetrics", **headers):
        return httpx.post(
            f"{url}/service/{SERVICE}/operation/{operation}",
            content=content,
            headers={"smithy-protocol": "rpc-v2-cbor", **headers},
        )

    return send


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"\x80",
        b"nonsense",
        b"\xbf",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 5000,
        b"\xa1" * 5000,
        cbor2.dumps({1: 2}),
        cbor2.dumps({"Namespace": b"bytes"}),
        cbor2.dumps({"Namespace": {"a", "b"}}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(4711, 1)}),
        b"\xa1iNamespace\xd8\x1c\x81\xd8\x1d\x00",
        cbor2.dumps({"Namespace": 5}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(2, b"\xff" * 5000)}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(5, [10**9, 3])}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(35, "(a+)+$")}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(0, "2026-01-01T00:00:00Z")}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(1, 1e300)}),
        cbor2.dumps({"Namespace": cbor2.CBORTag(1, float("nan"))}),
        b"\xa1iNamespace\x63\xed\xa0\x80",
    ],
    ids=range(21),
)  # fmt: skip
def test_cbor_that_is_none_is_a_serialization_exception(post, content):
    status, code, _ = fault_of(post(content))
    assert (status, code) == (400, "SerializationException")


def test_half_floats_and_whole_numbers_are_numbers_too(post, world):
    datum = b"\xa2jMetricNameaxeValue" + b"\xf9" + struct.pack(">e", 1.5)
    body = b"\xa2iNamespacedMinejMetricData\x81" + datum
    assert post(body, "PutMetricData").status_code == 200
    given = {"Namespace": "Mine", "MetricData": [{"MetricName": "x", "Value": 2}]}
    assert post(cbor2.dumps(given), "PutMetricData").status_code == 200
    (known,) = world.metrics.known("Mine")
    assert known.series.name == "x"


def test_an_empty_body_is_an_empty_input(post):
    answer = post(b"", "DescribeAlarms")
    assert answer.status_code == 200
    assert cbor2.loads(answer.content) == {"MetricAlarms": [], "CompositeAlarms": []}
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert answer.headers["content-type"] == "application/cbor"


def test_a_body_over_its_limit_is_refused(post):
    status, code, message = fault_of(post(b" " * (BODY_LIMIT + 1)))
    assert (status, code) == (413, "RequestEntityTooLargeException")
    assert "gzip" in message


def test_gzip_is_unpacked_up_to_a_limit(post):
    given = cbor2.dumps({"Namespace": "Zip", "MetricData": [{"MetricName": "x", "Value": 2.0}]})
    sent = {"operation": "PutMetricData", "Content-Encoding": "gzip"}
    assert post(gzip.compress(given), **sent).status_code == 200
    bomb = gzip.compress(b"\0" * (UNPACKED_LIMIT + 1))
    assert len(bomb) < BODY_LIMIT
    assert fault_of(post(bomb, **sent))[:2] == (413, "RequestEntityTooLargeException")
    for broken in (given, gzip.compress(given)[:-4], b""):
        assert fault_of(post(broken, **sent))[:2] == (400, "SerializationException")
    unknown = post(given, operation="PutMetricData", **{"Content-Encoding": "br"})
    assert fault_of(unknown)[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    "form",
    [
        "Action=ListMetrics&Namespace.x=1&Namespace=2",
        "Action=ListMetrics&Namespace=2&Namespace.x=1",
        "Action=ListMetrics&Dimensions.member.x.Name=1",
        "Action=ListMetrics&Dimensions=text",
        "Action=GetMetricData&StartTime=0001-01-01T00:00:00%2B05:00",
        "Action=GetMetricData&StartTime=nan",
        "Action=GetMetricData&MaxDatapoints=1.5",
        "Action=ListMetrics&" + ".".join("a" * 50) + "=1",
        b"Action=ListMetrics&Namespace=\xff",
    ],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(url, form):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(url, content=form, headers=headers)
    assert answer.status_code == 400
    assert "<Code>SerializationException</Code>" in answer.text


def test_what_stands_in_xml_is_escaped(url):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(url, content="Action=<x>%26%00", headers=headers)
    assert "&lt;x&gt;&amp;" in answer.text
    assert "<x>" not in answer.text


def test_a_target_of_sagemaker_still_leads_there(url):
    answer = httpx.post(url, content=b"{}", headers={"X-Amz-Target": "SageMaker.ListModels"})
    assert answer.json() == {"Models": []}


def test_who_is_no_operator_is_refused():

    world = World()
    headers = {"X-Amz-Target": f"{SERVICE}.ListMetrics"}
    answer = world.call("POST", "/", by="invoker", headers=headers, content=b"{}")
    assert answer.status_code == 403
    assert answer.json()["__type"] == "AccessDeniedException"
    assert answer.headers["x-amzn-query-error"] == "AccessDeniedException;Sender"
    assert world.call("POST", "/", by=None, headers=headers, content=b"{}").status_code == 403
    assert world.call("POST", "/", by="operator", headers=headers, content=b"{}").is_success
