"""The command env: lines for shells, and what AWS clients need."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from parkade.apps.serverfile import ServerFile
from parkade.apps.signing.keys import access_key
from parkade.apps.statefolder import StatePaths
from tests.apps.cli.desk import desk as open_desk

NAMES = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
    "SAGEMAKER_ADMIN_CONFIG_OVERRIDE",
    "SAGEMAKER_VALIDATE_ROLE",
]


def key_of(desk, name):
    token = desk.world.services.tokens.get(name)
    return access_key(desk.world.services.server_key, token.digest)


def evaluated(lines, shell="sh"):
    """Return the environment of a program after a shell has taken the lines."""
    told = subprocess.run(
        [shell, "-c", f"{lines}\nenv"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "AWS_SESSION_TOKEN": "another account's"},
    )
    return dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)


def test_a_shell_takes_all_that_aws_clients_need(desk):
    found = evaluated(desk.ok("env", "--aws"))
    key = key_of(desk, "admin")
    url = desk.environment["PARKADE_URL"]
    assert {name: found[name] for name in NAMES} == {
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_ENDPOINT_URL_S3": f"{url}/s3",
        "AWS_ENDPOINT_URL_STS": f"{url}/sts",
        "AWS_ENDPOINT_URL_CLOUDWATCH": url,
        "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": url,
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": found["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"],
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    assert "TelemetryOptOut: true" in Path(found["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]).read_text()


def test_every_line_is_an_export_and_nothing_else_is_printed(desk):
    lines = desk.ok("env", "--aws").splitlines()
    assert [line.split("=")[0] for line in lines] == [f"export {name}" for name in NAMES]


def test_the_region_is_the_servers(desk):
    desk.world.file = ServerFile(region="eu-central-1")
    assert json.loads(desk.ok("env", "--aws", "--format", "json"))["AWS_REGION"] == "eu-central-1"


def test_an_admin_may_have_the_key_of_any_token(desk):
    printed = json.loads(desk.ok("env", "--aws", "--token", "limited", "--format", "json"))
    assert printed["AWS_ACCESS_KEY_ID"] == key_of(desk, "limited").id
    assert "no token 'nobody'" in desk.error("env", "--aws", "--token", "nobody")
    desk.world.services.tokens.revoke("limited", actor="test")
    assert "was revoked" in desk.error("env", "--aws", "--token", "limited")


def test_who_is_no_admin_has_its_own_key_alone(tmp_path):
    with open_desk(tmp_path, by="invoker") as desk:
        printed = json.loads(desk.ok("env", "--aws", "--format", "json"))
        assert printed["AWS_ACCESS_KEY_ID"] == key_of(desk, "invoker").id
        assert "this needs admin" in desk.error("env", "--aws", "--token", "admin")


def test_a_server_without_tokens_gives_a_key_too(tmp_path):
    with open_desk(tmp_path, auth=False, by="") as desk:
        assert set(json.loads(desk.ok("env", "--aws", "--format", "json"))) == set(NAMES)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:8700", "http://127.0.0.1:8700"),
        ("http://127.0.0.1:8700/prod/", "http://127.0.0.1:8700"),
        ("https://localhost", "https://127.0.0.1"),
        ("http://[::1]:8700", "http://[::1]:8700"),
        ("https://models.example.com/prod", "https://models.example.com"),
    ],
    ids=["localhost", "prod", "no-port", "ipv6", "name"],
)
def test_addresses_are_such_that_s3_clients_put_the_bucket_into_the_path(url, address):
    from parkade.apps.cli.environment import _for_aws

    assert _for_aws(url) == address


def test_dotenv_has_one_variable_a_line(desk):
    lines = desk.ok("env", "--aws", "--format", "dotenv").splitlines()
    assert dict(line.split("=", 1) for line in lines)["AWS_SECRET_ACCESS_KEY"] == (
        key_of(desk, "admin").secret
    )


def test_the_state_folder_that_is_named_is_the_one_that_is_asked(desk, tmp_path):
    paths = StatePaths(state=tmp_path / "other")
    paths.make()
    paths.url_file.write_text(desk.environment["PARKADE_URL"])
    paths.admin_token.write_text("operator-pass-code")
    printed = json.loads(desk.ok("env", "--aws", "--state", str(paths.state), "--format", "json"))
    assert printed["AWS_ACCESS_KEY_ID"] == key_of(desk, "operator").id


def test_a_name_without_aws_is_refused(desk):
    assert "--token goes with --aws" in desk.error("env", "--token", "ann")


@pytest.mark.parametrize("shell", ["sh", "fish"])
def test_a_pass_code_of_any_kind_is_quoted(desk, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    paths = StatePaths(state=Path(desk.environment["PARKADE_STATE"]))
    paths.make()
    secret = r"it's-$HOME`\'-\"quoted\"-#"
    paths.admin_token.write_text(secret)
    paths.url_file.write_text("http://127.0.0.1:8765\n")
    assert evaluated(desk.ok("env", "--format", shell), shell)["PARKADE_TOKEN"] == secret
    assert secret.replace("\\", "\\\\").replace('"', '\\"') in desk.ok("env", "--format", "dotenv")
