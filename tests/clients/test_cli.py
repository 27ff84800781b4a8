"""The AWS CLI deploys, waits, invokes and cleans up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import IMAGE, Account, account

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.semantics("clients.cli")
AWS = Path(sys.executable).parent / "aws"


class Shell:
    """A shell after `eval "$(parkade env --aws)"`, with nothing else about AWS in it."""

    def __init__(self, boto: Account, home: Path) -> None:
        self.house = boto.house
        self.home = home
        told = subprocess.run(
            [sys.executable, "-m", "parkade.apps.cli", "env", "--aws", "--format", "json",
             "--state", str(boto.house.state)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        plain = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.environment = {**plain, **json.loads(told.stdout), "HOME": str(home), "AWS_PAGER": ""}

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Return what the command prints, or with `fails` what it complains about."""
        ran = subprocess.run(
            [str(AWS), *arguments],
            env=self.environment, cwd=self.home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert bool(ran.returncode) is fails, f"{arguments}: {ran.stdout}{ran.stderr}"
        return ran.stderr if fails else ran.stdout

    def __call__(self, *arguments: str) -> Any:
        """Return what a command of `aws sagemaker` prints."""
        printed = self.run("sagemaker", *arguments)
        return json.loads(printed) if printed else None


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("cli")
    with account(folder) as boto:
        boto.push("no-op")
        (folder / "home").mkdir()
        yield Shell(boto, folder / "home")


def test_a_model_is_deployed_invoked_and_cleaned_up(shell: Shell) -> None:
    container = f"Image={IMAGE},ModelDataUrl=s3://models/no-op.tar.gz"
    shell("create-model", "--model-name", "m", "--primary-container", container)
    shell(
        "create-endpoint-config", "--endpoint-config-name", "c", "--production-variants",
        "VariantName=blue,ModelName=m,InitialInstanceCount=1,InstanceType=ml.c5.xlarge",
    )  # fmt: skip
    made = shell("create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c")
    assert made["EndpointArn"] == "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"
    shell("wait", "endpoint-in-service", "--endpoint-name", "e")
    described = shell("describe-endpoint", "--endpoint-name", "e")
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    printed = shell.run(
        "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "e", "--content-type",
        "application/json", "--body", '{"text": "coin"}', "answer.json",
    )  # fmt: skip
    assert json.loads(printed)["InvokedProductionVariant"] == "blue"
    assert (shell.home / "answer.json").read_bytes()
    shell("delete-endpoint", "--endpoint-name", "e")
    shell("wait", "endpoint-deleted", "--endpoint-name", "e")
    shell("delete-endpoint-config", "--endpoint-config-name", "c")
    shell("delete-model", "--model-name", "m")
    assert shell("list-endpoints")["Endpoints"] == []
    assert shell("list-models")["Models"] == []


def test_what_goes_wrong_is_told_in_awss_words(shell: Shell) -> None:
    said = shell.run("sagemaker", "describe-endpoint", "--endpoint-name", "none", fails=True)
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/none"
    assert f'Could not find endpoint "{arn}"' in said
    said = shell.run("sagemaker", "list-training-jobs", fails=True)
    assert "UnknownOperationException" in said
    assert "CreateEndpoint" in said


def test_who_am_i(shell: Shell) -> None:
    assert json.loads(shell.run("sts", "get-caller-identity"))["Account"] == "000000000000"


def test_files_go_to_and_fro(shell: Shell) -> None:
    (shell.home / "file").write_bytes(b"content")
    shell.run("s3", "cp", "file", "s3://bucket-of-cli/folder/file")
    assert "folder/file" in shell.run("s3", "ls", "--recursive", "s3://bucket-of-cli")
    shell.run("s3", "cp", "s3://bucket-of-cli/folder/file", "back")
    assert (shell.home / "back").read_bytes() == b"content"
