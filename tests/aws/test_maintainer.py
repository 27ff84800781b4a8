"""The maintainer by its rules, alarms and machine: what nobody uses goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.aws.waiting import wait_for

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


def minute(walk: Walk, *watched: str, used: str) -> None:
    """Let a minute pass, with a request to one variant; SageMaker tells of it, zeros included."""
    begun = walk.clock.now().replace(second=0, microsecond=0)
    endpoint_name, variant = used.split("/")
    walk.invoke(endpoint_name, TargetVariant=variant)
    for name in watched:
        walk.running.standins.embedded_cloudwatch().put_metric_data(
            Namespace="AWS/SageMaker",
            MetricData=[
                {
                    "MetricName": "Invocations",
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": name},
                        {"Name": "VariantName", "Value": each},
                    ],
                    "Timestamp": begun,
                    "Value": float(f"{name}/{each}" == used),
                }
                for each in ("One", "Two")
            ],
        )
    walk.clock.set_to(begun + timedelta(minutes=1, seconds=1))
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


def test_what_nobody_uses_goes_and_what_is_used_or_lost_its_tag_stays(walk: Walk) -> None:
    endpoint(walk, "unused")
    endpoint(walk, "used")
    arn = endpoint(walk, "untagged")
    walk.sagemaker.delete_tags(ResourceArn=arn, TagKeys=[TAG["Key"]])

    def gone() -> bool:
        minute(walk, "unused", "used", "untagged", used="used/Two")
        return walk.status("unused") is None

    wait_for(gone, why="the endpoint that nobody uses to go")
    assert walk.status("used") == "InService"
    assert walk.status("untagged") == "InService"
    for name in ("used", "untagged"):
        walk.sagemaker.delete_endpoint(EndpointName=name)
