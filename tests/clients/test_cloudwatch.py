"""boto3 and the AWS CLI ask a whole Parkade for measurements and alarms, on a fast clock."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from tests.clients.account import REGION, Account, refusal
from tests.clients.test_cli import Shell
from tests.house import PATIENCE, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"
#: Seconds of the clock of leases in one of real time: a minute passes in one.
SCALE = 60
DIMENSIONS = [
    {"Name": "EndpointName", "Value": "demo"},
    {"Name": "VariantName", "Value": "AllTraffic"},
]
INVOCATIONS = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": DIMENSIONS}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give the admin's account of a house whose endpoint `demo` is in service."""
    folder = tmp_path_factory.mktemp("cloudwatch")
    with (
        house(folder / "state", "--time-scale", str(SCALE)) as built,
        closing(Account(built)) as made,
    ):
        built.furnish()
        built.park(minutes=9000)
        yield made


def client(boto: Account, account: Account | None = None) -> Any:
    return (account or boto).session.client(
        "cloudwatch",
        endpoint_url=boto.house.url,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
    )


@pytest.fixture(scope="module")
def cloudwatch(boto: Account) -> Iterator[Any]:
    with closing(client(boto)) as made:
        yield made


def now(boto: Account) -> datetime:
    """Return what time it is on the clock of leases."""
    return datetime.fromisoformat(boto.house.ok("GET", "/v1/plan").json()["now"])


def test_invocations_are_measured_and_told(boto: Account, cloudwatch: Any) -> None:
    for _ in range(3):
        assert boto.house.invoke().is_success

    def seen() -> bool:
        at = now(boto)
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": "m1", "ReturnData": False,
                 "MetricStat": {"Metric": INVOCATIONS, "Period": 60, "Stat": "Sum"}},
                {"Id": "total", "Expression": "RUNNING_SUM(m1)"},
            ],
            StartTime=at - timedelta(hours=10), EndTime=at,
        )  # fmt: skip
        (result,) = answer["MetricDataResults"]
        return bool(result["Values"]) and result["Values"][0] >= 3

    wait_for(seen, why="the invocations to be told")
    listed = cloudwatch.list_metrics(Namespace="AWS/SageMaker", MetricName="Invocations")
    assert [each for each in listed["Metrics"] if each["Dimensions"] == DIMENSIONS]


def test_a_large_request_is_sent_compressed_and_understood(boto: Account, cloudwatch: Any) -> None:
    sent: list[str] = []
    cloudwatch.meta.events.register(
        "before-send.cloudwatch.PutMetricData",
        lambda request, **_: sent.append(str(request.headers.get("Content-Encoding"))),
    )
    at = now(boto)
    data = [{"MetricName": f"m{n}", "Value": float(n), "Timestamp": at} for n in range(500)]
    cloudwatch.put_metric_data(Namespace="Many", MetricData=data)
    assert "gzip" in sent[0]
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="Many")
    assert len([each for page in pages for each in page["Metrics"]]) == 500


@pytest.mark.semantics("metrics.alarms")
def test_an_alarm_named_like_an_endpoint_tells_a_topic_and_deletes_nothing(
    boto: Account, cloudwatch: Any
) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName="demo", Namespace="Mine", MetricName="Silence", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=0, ComparisonOperator="LessThanOrEqualToThreshold",
        TreatMissingData="breaching", AlarmActions=[TOPIC],
    )  # fmt: skip

    def state() -> str:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["demo"])["MetricAlarms"]
        return str(alarm["StateValue"])

    wait_for(lambda: state() == "ALARM", why="the alarm to be raised")
    folder = boto.house.paths.topics / "alarms"
    (file,) = wait_for(lambda: list(folder.glob("*.json")), why="the topic to be told")  # type: ignore[misc, attr-defined]
    told = json.loads(json.loads(file.read_text())["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == ("demo", "ALARM")
    (event,) = boto.house.events(kind="alarm.changed")
    assert event["data"]["alarm"]["state"]["value"] == "ALARM"  # type: ignore[index]
    former = boto.house.kill("control")
    boto.house.wait_reborn("control", former)
    looked = now(boto) + timedelta(minutes=3)
    wait_for(lambda: now(boto) > looked, why="the alarm to be looked at again")
    assert state() == "ALARM"
    assert len(list(folder.glob("*.json"))) == 1
    assert boto.house.state_of("demo") == "running"
    assert boto.house.invoke().is_success
    assert cloudwatch.delete_alarms(AlarmNames=["demo"])
    assert boto.house.state_of("demo") == "running"


def test_the_alarm_of_a_watched_endpoint_comes_and_goes_with_the_watch(
    boto: Account, cloudwatch: Any
) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:000000000000:endpoint/demo"
    tags = [{"Key": "auto-maintain", "Value": "true"},
            {"Key": "auto-maintain.stop-after", "Value": "never"}]  # fmt: skip
    boto.sagemaker.add_tags(ResourceArn=arn, Tags=tags)

    def own() -> list[Any]:
        found = cloudwatch.describe_alarms(AlarmNamePrefix="parkade-idle/")["MetricAlarms"]
        return list(found)

    wait_for(own, why="the alarm of the watched endpoint")
    (alarm,) = own()
    assert alarm["AlarmName"] == "parkade-idle/demo"
    assert alarm["Metrics"][0]["MetricStat"]["Metric"] == INVOCATIONS
    with closing(client(boto)) as other:
        code, _ = refusal(other.delete_alarms, AlarmNames=["parkade-idle/demo"])
    assert code == "ResourceConflict"
    boto.sagemaker.delete_tags(ResourceArn=arn, TagKeys=[each["Key"] for each in tags])
    wait_for(lambda: not own(), why="the alarm to go")
    assert boto.house.state_of("demo") == "running"


def test_roles_and_signatures(boto: Account, cloudwatch: Any) -> None:
    invoker = boto.other("caller", role="invoker")
    with closing(client(boto, invoker)) as made:
        assert refusal(made.list_metrics)[0] == "AccessDeniedException"
    limited = boto.other("limited", role="operator", endpoints=("else",))
    with closing(client(boto, limited)) as made:
        assert made.list_metrics(Namespace="AWS/SageMaker")["Metrics"] == []
        assert refusal(made.describe_alarms_for_metric, **INVOCATIONS)[0] == "AccessDeniedException"
    key = boto.session.get_credentials().access_key
    with closing(boto3.client(
        "cloudwatch", endpoint_url=boto.house.url, region_name=REGION,
        aws_access_key_id=key, aws_secret_access_key="wrong",
        config=Config(retries={"total_max_attempts": 1}),
    )) as made:  # fmt: skip
        assert refusal(made.list_metrics)[0] == "SignatureDoesNotMatch"


@pytest.mark.semantics("metrics.cloudwatch")
def test_the_aws_cli(boto: Account, cloudwatch: Any, tmp_path: Path) -> None:
    shell = Shell(boto, tmp_path)
    stamp = now(boto).astimezone(UTC).isoformat()
    shell.run("cloudwatch", "put-metric-data", "--namespace", "Shell", "--metric-name", "depth",
              "--value", "4", "--dimensions", "Queue=q", "--timestamp", stamp)  # fmt: skip
    listed = json.loads(shell.run("cloudwatch", "list-metrics", "--namespace", "Shell"))
    assert listed["Metrics"][0]["Dimensions"] == [{"Name": "Queue", "Value": "q"}]
    shell.run("cloudwatch", "put-metric-alarm", "--alarm-name", "shell", "--namespace", "Shell",
              "--metric-name", "depth", "--dimensions", "Name=Queue,Value=q", "--statistic",
              "Maximum", "--period", "60", "--evaluation-periods", "1", "--threshold", "3",
              "--comparison-operator", "GreaterThanThreshold")  # fmt: skip
    shell.run("cloudwatch", "wait", "alarm-exists", "--alarm-names", "shell")
    found = json.loads(shell.run("cloudwatch", "describe-alarms", "--alarm-names", "shell"))
    assert found["MetricAlarms"][0]["MetricName"] == "depth"
    refused = shell.run("cloudwatch", "put-metric-data", "--namespace", "AWS/X", "--metric-name",
                        "x", "--value", "1", fails=True)  # fmt: skip
    assert "InvalidParameterValue" in refused
    shell.run("cloudwatch", "delete-alarms", "--alarm-names", "shell")
