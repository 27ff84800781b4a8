"""Asynchronous endpoints as boto3 sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.clients.aws import Account, unique, variant
from tests.house import house, wait_for

if TYPE_CHECKING:
    from pathlib import Path

SHOUT = """
import os

def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    if data == b"bad":
        raise ValueError("no such animal")
    with open(os.environ["SEEN"], "ab") as seen:
        seen.write(data + b"\\n")
    return data.upper(), "text/plain"
"""


def deploy(account: Account, seen: Path, **members: Any) -> str:
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
    model = account.model(SHOUT, SEEN=str(seen))
    return account.endpoint(account.config(variant(model), AsyncInferenceConfig=rules))


@pytest.fixture(scope="module")
def endpoint(account: Account, tmp_path_factory: pytest.TempPathFactory) -> str:
    return deploy(account, tmp_path_factory.mktemp("seen") / "seen")


def read(account: Account, location: str) -> bytes:
    """Return the object once it is there."""
    parts = urlsplit(location)

    def look() -> tuple[bytes] | None:
        try:
            answer = account.s3.get_object(Bucket=parts.netloc, Key=parts.path[1:])
        except account.s3.exceptions.NoSuchKey:
            return None
        return (answer["Body"].read(),)

    found = wait_for(look, why=location)
    assert isinstance(found, tuple)
    return bytes(found[0])


def told(account: Account, topic: str, inference_id: str) -> dict[str, Any]:
    """Return the message of the topic about this inference."""

    def look() -> dict[str, Any] | None:
        folder = account.house.paths.topics / topic
        for file in folder.glob("*.json"):
            message = json.loads(json.loads(file.read_text())["Message"])
            if message["inferenceId"] == inference_id:
                return dict(message)
        return None

    found = wait_for(look, why=f"topic {topic} to be told of {inference_id}")
    assert isinstance(found, dict)
    return found


@pytest.mark.semantics("async.answer", "async.body", "async.notification", "invoke.paths")
def test_an_inline_body_is_accepted_and_answered_elsewhere(account: Account, endpoint: str) -> None:
    accepted = account.runtime.invoke_endpoint_async(
        EndpointName=endpoint, Body=b"coin", ContentType="text/plain", InferenceId="mine"
    )
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "mine"
    assert accepted["OutputLocation"].startswith("s3://answers/out/")
    assert accepted["FailureLocation"].startswith("s3://answers/failed/")
    assert read(account, accepted["OutputLocation"]) == b"COIN"
    message = told(account, "done", "mine")
    assert message["invocationStatus"] == "Completed"
    assert message["responseParameters"]["outputLocation"] == accepted["OutputLocation"]


def test_input_comes_from_an_object(account: Account, endpoint: str) -> None:
    location = account.put("large", b"x" * 5_000_000, bucket="inputs")
    accepted = account.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation=location)
    assert read(account, accepted["OutputLocation"]) == b"X" * 5_000_000


def test_a_models_error_is_in_the_failure_object_and_its_topic(
    account: Account, endpoint: str
) -> None:
    accepted = account.runtime.invoke_endpoint_async(EndpointName=endpoint, Body=b"bad")
    assert b"no such animal" in read(account, accepted["FailureLocation"])
    message = told(account, "failed", accepted["InferenceId"])
    assert "no such animal" in message["failureReason"]


def test_the_caller_names_the_file_of_its_answer(account: Account, endpoint: str) -> None:
    accepted = account.runtime.invoke_endpoint_async(
        EndpointName=endpoint, Body=b"coin", S3OutputPathExtension="ann", Filename="answer.txt"
    )
    assert accepted["OutputLocation"].startswith("s3://answers/out/ann/")
    assert accepted["OutputLocation"].endswith("/answer.txt")
    assert read(account, accepted["OutputLocation"]) == b"COIN"


@pytest.mark.semantics("async.limits", "async.body")
@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"Body": b"x" * 128_001}, "128000"),
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
    account: Account, endpoint: str, members: dict[str, Any], said: str
) -> None:
    unchecked = Account(account.house, parameter_validation=False)
    with pytest.raises(ClientError, match=f"(?i){said}") as error:
        unchecked.runtime.invoke_endpoint_async(EndpointName=endpoint, **members)
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.semantics("async.only")
def test_it_takes_asynchronous_calls_only(account: Account, endpoint: str) -> None:
    with pytest.raises(ClientError, match="(?i)async") as error:
        account.invoke(endpoint)
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_an_endpoint_without_asynchronous_rules_says_so(account: Account) -> None:
    plain = account.deployed()
    with pytest.raises(ClientError, match="AsyncInferenceConfig"):
        account.runtime.invoke_endpoint_async(EndpointName=plain, Body=b"x")
    with pytest.raises(ClientError, match="Endpoint none of account 000000000000 not found"):
        account.runtime.invoke_endpoint_async(EndpointName="none", Body=b"x")


def test_a_token_limited_to_other_endpoints_is_refused(account: Account, endpoint: str) -> None:
    with account.limited(unique("guest"), "invoker", "else") as guest:
        with pytest.raises(ClientError) as error:
            guest.runtime.invoke_endpoint_async(EndpointName=endpoint, Body=b"x")
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_backlog_survives_the_death_of_everything(tmp_path: Path) -> None:
    """Every request is answered once or reported failed, though control and workers are killed."""
    seen = tmp_path / "seen"
    with house(tmp_path / "state") as built:
        account = Account(built)
        name = deploy(account, seen)
        accepted = []
        for number in range(60):
            accepted.append(
                account.runtime.invoke_endpoint_async(
                    EndpointName=name, Body=f"coin {number}".encode(), InferenceId=f"id-{number}"
                )
            )
            if number == 20:
                for worker in built.workers():
                    worker.kill()
            if number == 40:
                built.wait_reborn("control", built.kill("control"))
                wait_for(built.is_ready, why="Parkade to be back")
        answers = [read(account, each["OutputLocation"]) for each in accepted]
        assert answers == [f"COIN {number}".encode() for number in range(60)]
        for number in range(60):
            assert told(account, "done", f"id-{number}")["invocationStatus"] == "Completed"
        keys = {
            each["Key"] for each in account.s3.list_objects_v2(Bucket="answers").get("Contents", ())
        }
        assert len(keys) == 60
    assert len(set(seen.read_bytes().splitlines())) == 60
