"""Asynchronous endpoints as boto3 sees them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.clients.account import IMAGE, Account, account, refusal, variant
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SHOUT = """
import os

def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    data = data if isinstance(data, bytes) else data.encode()
    if data == b"bad":
        raise ValueError("no such animal")
    with open(os.environ["SEEN"], "ab") as seen:
        seen.write(data + b"\\n")
    return data.upper(), "text/plain"
"""


def deploy(boto: Account, folder: Path, **members: Any) -> None:
    """Deploy the endpoint `shout`, which writes down what it saw in `seen`."""
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(SHOUT)
    container = {
        "Image": IMAGE,
        "ModelDataUrl": boto.push("shout", folder),
        "Environment": {"SEEN": str(folder / "seen")},
    }
    boto.sagemaker.create_model(ModelName="shout", PrimaryContainer=container)
    rules = {
        "OutputConfig": {
            "S3OutputPath": "s3://answers/out",
            "S3FailurePath": "s3://answers/failed",
            "NotificationConfig": {
                "SuccessTopic": "arn:aws:sns:us-east-1:000000000000:done",
                "ErrorTopic": "arn:aws:sns:us-east-1:000000000000:failed",
            },
        },
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        **members,
    }
    boto.config("shout", variant(model="shout"), AsyncInferenceConfig=rules)
    boto.endpoint("shout", "shout")


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("async")
    with account(folder) as built:
        (folder / "shout").mkdir()
        deploy(built, folder / "shout")
        yield built


def accept(boto: Account, **members: Any) -> Any:
    return boto.runtime.invoke_endpoint_async(EndpointName="shout", **members)


def read(boto: Account, location: str) -> bytes:
    """Return the object once it is there."""
    parts = urlsplit(location)
    found = wait_for(
        lambda: (
            (answer := boto.house.call("GET", f"/v1/objects/{parts.netloc}{parts.path}")).is_success
            and answer
        ),
        why=location,
    )
    return bytes(found.content)


def told(boto: Account, topic: str, inference_id: str) -> dict[str, Any]:
    """Return the message of the topic about this inference."""

    def look() -> dict[str, Any] | None:
        folder = boto.house.paths.topics / topic
        for file in folder.glob("*.json"):
            message = json.loads(json.loads(file.read_text())["Message"])
            if message["inferenceId"] == inference_id:
                return dict(message)
        return None

    found = wait_for(look, why=f"topic {topic} to be told of {inference_id}")
    assert isinstance(found, dict)
    return found


@pytest.mark.semantics(
    "async.answer", "async.body", "async.notification", "invoke.paths", "invoke.stream_headers"
)
def test_an_inline_body_is_accepted_and_answered_elsewhere(boto: Account) -> None:
    accepted = accept(boto, Body=b"coin", ContentType="text/plain", InferenceId="mine")
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "mine"
    assert accepted["OutputLocation"].startswith("s3://answers/out/")
    assert accepted["FailureLocation"].startswith("s3://answers/failed/")
    assert read(boto, accepted["OutputLocation"]) == b"COIN"
    message = told(boto, "done", "mine")
    received, ended = message.pop("receivedTime"), message.pop("eventTime")
    assert INSTANT.fullmatch(received)
    assert INSTANT.fullmatch(ended)
    assert received <= ended
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {"contentType": "text/plain", "endpointName": "shout"},
        "responseParameters": {
            "contentType": "text/plain",
            "outputLocation": accepted["OutputLocation"],
        },
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def test_input_comes_from_an_object(boto: Account) -> None:
    boto.house.ok("PUT", "/v1/objects/inputs/large", content=b"x" * 5_000_000)
    location = "s3://inputs/large"
    accepted = accept(boto, InputLocation=location)
    assert read(boto, accepted["OutputLocation"]) == b"X" * 5_000_000
    message = told(boto, "done", accepted["InferenceId"])
    assert message["requestParameters"]["inputLocation"] == location


def test_a_models_error_is_in_the_failure_object_and_its_topic(boto: Account) -> None:
    accepted = accept(boto, Body=b"bad")
    assert b"no such animal" in read(boto, accepted["FailureLocation"])
    message = told(boto, "failed", accepted["InferenceId"])
    assert "no such animal" in message["failureReason"]


@pytest.mark.semantics("async.file")
def test_the_caller_names_the_file_of_its_answer(boto: Account) -> None:
    accepted = accept(boto, Body=b"coin", S3OutputPathExtension="ann", Filename="answer.txt")
    assert accepted["OutputLocation"].startswith("s3://answers/out/ann/")
    assert accepted["OutputLocation"].endswith("/answer.txt")
    assert read(boto, accepted["OutputLocation"]) == b"COIN"


@pytest.mark.semantics("async.limits", "async.body")
@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"Body": b"x" * 128_001}, "128000"),
        ({"Body": b"x" * 9_000_000}, "128000"),
        ({}, "neither"),
        ({"Body": b"x", "InputLocation": "s3://inputs/x"}, "both"),
        ({"InputLocation": "https://bucket.s3.amazonaws.com/key"}, "s3://"),
        ({"InputLocation": "s3://inputs/../x"}, "InputLocation"),
        ({"Body": b"x", "RequestTTLSeconds": 59}, "requestTTLSeconds"),
        ({"Body": b"x", "RequestTTLSeconds": 21_601}, "requestTTLSeconds"),
        ({"Body": b"x", "InvocationTimeoutSeconds": 0}, "invocationTimeoutSeconds"),
        ({"Body": b"x", "InvocationTimeoutSeconds": 3601}, "invocationTimeoutSeconds"),
        ({"Body": b"x", "InferenceId": "x" * 65}, "inferenceId"),
        ({"Body": b"x", "Filename": "../x"}, "filename"),
        ({"Body": b"x", "S3OutputPathExtension": "a/../../b"}, "S3OutputPathExtension"),
    ],
)
def test_what_cannot_be_accepted_is_refused_at_once(
    boto: Account, members: dict[str, Any], said: str
) -> None:
    code, message = refusal(boto.runtime.invoke_endpoint_async, EndpointName="shout", **members)
    assert code == "ValidationError"
    assert said.lower() in message.lower()


@pytest.mark.semantics("async.only")
def test_it_takes_asynchronous_calls_only(boto: Account) -> None:
    code, message = refusal(boto.invoke, name="shout")
    assert code == "ValidationError"
    assert "async" in message.lower()


def test_an_endpoint_without_asynchronous_rules_says_so(boto: Account) -> None:
    boto.model("plain")
    boto.config("plain", variant(model="plain"))
    boto.endpoint("plain", "plain")
    ask = boto.runtime.invoke_endpoint_async
    assert "AsyncInferenceConfig" in refusal(ask, EndpointName="plain", Body=b"x")[1]
    said = "Endpoint none of account 000000000000 not found."
    assert refusal(ask, EndpointName="none", Body=b"x") == ("ValidationError", said)


def test_a_token_limited_to_other_endpoints_is_refused(boto: Account) -> None:
    guest = boto.other("guest", role="invoker", endpoints=("else",))
    ask = guest.runtime.invoke_endpoint_async
    assert refusal(ask, EndpointName="shout", Body=b"x")[0] == "AccessDeniedException"


def test_a_backlog_survives_the_death_of_everything(tmp_path: Path) -> None:
    """Every request is answered once or reported failed, though control and workers are killed."""
    folder = tmp_path / "shout"
    folder.mkdir()
    with account(tmp_path) as boto:
        deploy(boto, folder)
        accepted = []
        for number in range(60):
            body = f"coin {number}".encode()
            accepted.append(accept(boto, Body=body, InferenceId=f"id-{number}"))
            if number == 20:
                for worker in boto.house.workers():
                    worker.kill()
            if number == 40:
                boto.house.wait_reborn("control", boto.house.kill("control"))
        answers = [read(boto, each["OutputLocation"]) for each in accepted]
        assert answers == [f"COIN {number}".encode() for number in range(60)]
        for number in range(60):
            assert told(boto, "done", f"id-{number}")["invocationStatus"] == "Completed"
        listed = boto.house.ok("GET", "/v1/objects/answers", params={"limit": "1000"}).json()
        assert len(listed["objects"]) == 60
    assert len(set((folder / "seen").read_bytes().splitlines())) == 60
