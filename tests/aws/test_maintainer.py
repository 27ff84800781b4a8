"""The maintainer by its rules, alarms and machine: what nobody uses goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.house import wait_for

if TYPE_CHECKING:
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws

TAG = {"Key": "auto-maintain", "Value": "true"}


def endpoint(walk: Walk, name: str) -> str:
    """Make an endpoint of two variants that opted in; return its ARN once it has its alarms."""
    walk.config(f"{name}-config", "One", "Two")
    made = walk.sagemaker.create_endpoint(
        EndpointName=name, EndpointConfigName=f"{name}-config", Tags=[TAG]
    )
    walk.wait(name)
    alarm = f"parkade-idle/{name}"
    walk.clock.until(
        lambda: composite(walk, alarm) is not None, held=walk.running.busy, why=f"{alarm} to be put"
    )
    return str(made["EndpointArn"])


def composite(walk: Walk, name: str) -> str | None:
    found = walk.running.standins.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["CompositeAlarm"]
    )["CompositeAlarms"]
    return found[0]["StateValue"] if found else None


def minute(walk: Walk, *watched: str, used: tuple[str, ...] = ()) -> None:
    """Let a minute pass, with a request to these variants, until CloudWatch tells of it."""
    begun = walk.clock.now().replace(second=0, microsecond=0)
    for name in used:
        endpoint_name, variant = name.split("/")
        walk.invoke(endpoint_name, TargetVariant=variant)
    walk.clock.set_to(begun + timedelta(minutes=1, seconds=1))
    client = walk.running.standins.embedded_cloudwatch()

    def told(name: str) -> bool:
        answer = client.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": "One"},
            ],
            StartTime=begun,
            EndTime=begun + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return bool(answer["Datapoints"]) or walk.status(name) is None

    wait_for(lambda: all(told(each) for each in watched), why="the minute to be measured")
    walk.running.quiet()


def test_an_alarm_for_each_variant_and_one_of_all(walk: Walk) -> None:
    endpoint(walk, "watched")
    client = walk.running.standins.client("cloudwatch")
    parts = client.describe_alarms(AlarmNamePrefix="parkade-idle/watched/")["MetricAlarms"]
    assert sorted(each["AlarmName"].rsplit("/", 1)[1] for each in parts) == ["One", "Two"]
    assert all(each["TreatMissingData"] == "notBreaching" for each in parts)
    walk.sagemaker.delete_endpoint(EndpointName="watched")
    walk.wait("watched", None)
    wait_for(lambda: composite(walk, "parkade-idle/watched") is None, why="its alarms to go")


def test_without_traffic_it_goes_and_with_traffic_to_one_variant_it_stays(walk: Walk) -> None:
    endpoint(walk, "unused")
    endpoint(walk, "used")
    walk.running.quiet()
    for _ in range(12):
        if walk.status("unused") is None:
            break
        minute(walk, "unused", "used", used=("used/Two",))
    assert walk.status("unused") is None
    assert walk.status("used") == "InService"
    walk.sagemaker.delete_endpoint(EndpointName="used")


def test_what_lost_its_tag_is_left_alone(walk: Walk) -> None:
    arn = endpoint(walk, "untagged")
    walk.sagemaker.delete_tags(ResourceArn=arn, TagKeys=[TAG["Key"]])
    walk.running.quiet()
    for _ in range(6):
        minute(walk, "untagged")
    walk.sweep()
    assert walk.status("untagged") == "InService"
    walk.sagemaker.delete_endpoint(EndpointName="untagged")
