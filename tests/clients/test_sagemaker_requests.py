"""Requests that no client would send, through the whole house; and what they leave untouched."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.clients.account import IMAGE, REGION, Account, account
from tests.house import PATIENCE, house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = {"X-Amz-Target": "SageMaker.ListModels"}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("requests")) as built:
        built.sagemaker.create_model(ModelName="kept", PrimaryContainer={"Image": IMAGE})
        yield built


def fault(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]
    return answer.status_code, answer.json()["__type"], answer.json()["message"]


def send(boto: Account, operation: str, content: bytes) -> httpx.Response:
    target = {"X-Amz-Target": f"SageMaker.{operation}"}
    return boto.house.call("POST", "/", headers=target, content=content)


def signed(boto: Account, content: bytes, **changes: str) -> dict[str, str]:
    held = boto.session.get_credentials()
    assert held is not None
    credentials = Credentials(
        changes.get("key", held.access_key), changes.get("secret", held.secret_key)
    )
    request = AWSRequest("POST", f"{boto.house.url}/", data=content, headers=dict(LIST))
    SigV4Auth(credentials, changes.get("service", "sagemaker"), REGION).add_auth(request)
    return dict(request.headers)


def post(boto: Account, headers: dict[str, str], content: bytes = b"{}") -> httpx.Response:
    return httpx.post(f"{boto.house.url}/", headers=headers, content=content, timeout=PATIENCE)


def test_a_signed_request_is_answered(boto: Account) -> None:
    answer = post(boto, signed(boto, b"{}"))
    assert [each["ModelName"] for each in answer.json()["Models"]] == ["kept"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key": "PKIANOBODYSKEY234567"}, "UnrecognizedClientException"),
        ({"service": "s3"}, "InvalidSignatureException"),
    ],
    ids=["secret", "key", "service"],
)
def test_a_wrong_signature_is_refused(boto: Account, changes: dict[str, str], code: str) -> None:
    status, found, _ = fault(post(boto, signed(boto, b"{}", **changes)))
    assert (status, found) == (403, code)


def test_a_body_that_was_changed_on_its_way_is_refused(boto: Account) -> None:
    status, code, _ = fault(post(boto, signed(boto, b"{}"), b'{"MaxResults": 1}'))
    assert (status, code) == (403, "InvalidSignatureException")


def test_a_request_without_any_word_of_who_sends_it_is_refused(boto: Account) -> None:
    status, code, _ = fault(post(boto, dict(LIST)))
    assert (status, code) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[]", b"nonsense", b'{"MaxResults": "ten"}'], ids=ascii
)
def test_what_is_no_request_is_a_serialization_exception(boto: Account, content: bytes) -> None:
    status, code, _ = fault(send(boto, "ListModels", content))
    assert (status, code) == (400, "SerializationException")


def test_an_unknown_member_is_named(boto: Account) -> None:
    given = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE, "Imag": "x"}, "Tag": []}
    status, code, message = fault(send(boto, "CreateModel", json.dumps(given).encode()))
    assert (status, code) == (400, "ValidationException")
    assert message.startswith("2 validation errors detected: ")
    assert "'primaryContainer.imag' failed" in message
    assert "did you mean 'Tags'?" in message


@pytest.mark.parametrize("size", [1024**2 + 1, 20 * 1024**2])
def test_a_huge_body_is_refused(boto: Account, size: int) -> None:
    answer = send(boto, "CreateModel", b" " * size)
    status, code, message = fault(answer)
    assert (status, code) == (413, "RequestEntityTooLargeException")
    assert "1048576" in message


def test_a_text_of_a_million_wrong_characters_is_answered_quickly(boto: Account) -> None:
    for wrong in ("a-" * 500_000, "-" * 1_000_000, "a" * 1_000_000 + "_"):
        given: dict[str, Any] = {"ModelName": wrong, "PrimaryContainer": {"Image": "i"}}
        status, code, message = fault(send(boto, "CreateModel", json.dumps(given).encode()))
        assert (status, code) == (400, "ValidationException")
        assert len(message) < 3000


def test_without_tokens_any_signature_is_taken(tmp_path: Path) -> None:
    with (
        house(tmp_path / "state", "--no-auth") as built,
        closing(
            boto3.client(
                "sagemaker",
                endpoint_url=built.url,
                region_name=REGION,
                aws_access_key_id="anybody",
                aws_secret_access_key="anything",
            )
        ) as client,
    ):
        assert client.list_models()["Models"] == []
        client.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE})
        (event,) = built.events(kind="model.created")
        assert event["actor"] == "anonymous"


def test_none_of_this_has_changed_anything(boto: Account) -> None:
    assert [each["ModelName"] for each in boto.sagemaker.list_models()["Models"]] == ["kept"]
