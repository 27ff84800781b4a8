"""Asynchronous endpoints of the synthesized stack: the answer is stored, and the topic told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.aws.project import PREFIX

if TYPE_CHECKING:
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws

NAME = f"{PREFIX}-batch"


def topic_of(walk: Walk, member: str) -> str:
    """Return the topic that the endpoint's config names."""
    config = walk.sagemaker.describe_endpoint(EndpointName=NAME)["EndpointConfigName"]
    rules = walk.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    return str(rules["AsyncInferenceConfig"]["OutputConfig"]["NotificationConfig"][member])


def notice(walk: Walk, arn: str) -> dict[str, object]:
    """Return what a topic is told next."""
    topic = walk.running.topic(arn)
    return dict(json.loads(walk.running.notices(topic)[0]["Message"]))


def ask(walk: Walk, body: bytes) -> tuple[str, str]:
    """Put a request and have it answered; return where the answer, or the failure, is kept."""
    s3 = walk.running.standins.client("s3")
    buckets = {each["Name"] for each in s3.list_buckets()["Buckets"]}
    if "requests" not in buckets:
        s3.create_bucket(Bucket="requests")
    s3.put_object(Bucket="requests", Key="one.json", Body=body)
    answer = walk.runtime.invoke_endpoint_async(
        EndpointName=NAME, InputLocation="s3://requests/one.json", ContentType="application/json"
    )
    return answer["OutputLocation"], answer.get("FailureLocation", "")


def test_an_answer_is_stored_and_told(walk: Walk) -> None:
    walk.wait(NAME)
    location, _ = ask(walk, b'{"text": "coin"}')
    told = notice(walk, topic_of(walk, "SuccessTopic"))
    assert told["invocationStatus"] == "Completed"
    assert told["responseParameters"]["outputLocation"] == location  # type: ignore[index]
    parts = urlsplit(location)
    stored = walk.running.standins.client("s3").get_object(
        Bucket=parts.netloc, Key=parts.path.lstrip("/")
    )
    assert json.loads(stored["Body"].read()) == {"ok": True, "n": 4}


def test_a_failure_is_told(walk: Walk) -> None:
    ask(walk, b'{"nothing": 1}')
    told = notice(walk, topic_of(walk, "ErrorTopic"))
    assert told["invocationStatus"] == "Failed"


def test_it_is_on_the_meter(walk: Walk) -> None:
    assert walk.expiry(NAME) > walk.clock.now()
