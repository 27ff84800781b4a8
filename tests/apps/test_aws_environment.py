"""`parkade env --aws` against a whole Parkade: real clients with nothing else in their environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.house import House, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

AWS = Path(sys.executable).parent / "aws"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("aws") / "state") as built:
        built.furnish()
        built.park()
        yield built


def parkade(built: House, *arguments: str) -> str:
    command = [sys.executable, "-m", "parkade.apps.cli", *arguments]
    told = subprocess.run(
        [*command, "--state", str(built.state)], capture_output=True, text=True, check=True
    )
    return told.stdout


def variables(built: House, *arguments: str) -> dict[str, str]:
    found = json.loads(parkade(built, "env", "--aws", "--format", "json", *arguments))
    return {str(name): str(value) for name, value in found.items()}


@pytest.fixture
def alone(served: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> House:
    """An environment with what `parkade env --aws` prints, and no other word about AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables(served).items():
        monkeypatch.setenv(name, value)
    return served


def test_boto3_invokes_with_nothing_but_its_environment(alone: House) -> None:
    client = boto3.session.Session().client("sagemaker-runtime", config=ONCE)
    answer = client.invoke_endpoint(
        EndpointName="demo", Body=b'{"text": "coin"}', ContentType="application/json"
    )
    assert json.loads(answer["Body"].read()) == alone.invoke().json()
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_the_aws_cli_does_too(alone: House, tmp_path: Path) -> None:
    lines = parkade(alone, "env", "--aws")
    script = f"""{lines}
        {AWS} sagemaker-runtime invoke-endpoint --endpoint-name demo \\
            --content-type application/json --body fileb://body answer
    """
    (tmp_path / "body").write_bytes(b'{"text": "coin"}')
    subprocess.run(
        ["sh", "-ec", script],
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_SESSION_TOKEN": "left-over"},
        capture_output=True,
    )
    assert json.loads((tmp_path / "answer").read_bytes()) == alone.invoke().json()


def test_another_tokens_key_is_that_token(alone: House) -> None:
    parkade(alone, "token", "create", "--name", "few", "--endpoint", "other")
    found = variables(alone, "--token", "few")
    session = boto3.session.Session(
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
    )
    client = session.client("sagemaker-runtime", config=ONCE)
    with pytest.raises(ClientError) as raised:
        client.invoke_endpoint(EndpointName="demo", Body=b"{}")
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "'few'" in raised.value.response["Error"]["Message"]
    parkade(alone, "token", "revoke", "few")

    def code() -> str:
        with pytest.raises(ClientError) as raised:
            client.invoke_endpoint(EndpointName="demo", Body=b"{}")
        return str(raised.value.response["Error"]["Code"])

    # The gateway has it with its next snapshot.
    wait_for(lambda: code() == "UnrecognizedClientException", why="the key to be over")


def test_a_wrong_secret_says_what_to_do(alone: House) -> None:
    client = boto3.session.Session(
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong"
    ).client("sagemaker-runtime", config=ONCE)
    with pytest.raises(ClientError) as raised:
        client.invoke_endpoint(EndpointName="demo", Body=b"{}")
    assert raised.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert "parkade env --aws" in raised.value.response["Error"]["Message"]


def test_the_keys_are_the_same_after_a_restart(alone: House) -> None:
    before = variables(alone)
    former = alone.kill("control")
    alone.wait_reborn("control", former)
    assert variables(alone) == before
    client = boto3.session.Session().client("sagemaker-runtime", config=ONCE)
    assert client.invoke_endpoint(EndpointName="demo", Body=b'{"text": "x"}')["Body"].read()
