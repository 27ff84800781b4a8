"""`parkade --cloud aws`: the command line without a server, over an account.

Endpoints are those of a whole embedded Parkade, which speaks SageMaker's API; all else is moto's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.prices import DynamoPriceLists
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.system.clock import SystemClock
from parkade.apps.cli.main import app
from parkade.apps.cloud import deployed
from parkade.apps.cloud.parameters import Shared, parameter_name
from parkade.domain.price import PriceList
from tests.aws_account import a_table, an_account, moto, unique, write_config
from tests.builders import NOW
from tests.clients.account import REGION, Account, account
from tests.deployments import a_payload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

#: Services that the embedded Parkade plays.
PLAYED = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "APPLICATION_AUTO_SCALING", "CLOUDWATCH", "S3", "STS")


class Cloud:
    """A command line, the account that it sees, and what runs endpoints there."""

    def __init__(self, boto: Account, url: str, folder: Path) -> None:
        self.boto = boto
        self.folder = folder
        key = boto.session.get_credentials().get_frozen_credentials()
        config = folder / "config"
        write_config(
            config,
            url,
            region=REGION,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
        )
        #: Moto's clients: what the Meter's and the API's stacks would make.
        self.moto = an_account(config)
        self.environment = {
            "PATH": os.environ["PATH"],
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PARKADE_STATE": str(folder / "state"),
            "COLUMNS": "120",
            **{f"AWS_ENDPOINT_URL_{each}": boto.house.url for each in PLAYED},
        }
        for each in ("S3", "STS"):
            self.environment[f"AWS_ENDPOINT_URL_{each}"] += f"/{each.lower()}"

    def run(self, *arguments: str) -> Result:
        """Run a command against the account, in this process."""
        with contextlib.chdir(self.folder):
            return CliRunner().invoke(app, ["--cloud", "aws", *arguments], env=self.environment)

    def ok(self, *arguments: str) -> str:
        """Run a command that has to succeed; return what it printed."""
        done = self.run(*arguments)
        assert done.exit_code == 0, (done.stdout, done.stderr, done.exception)
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command that has to succeed, and read its JSON."""
        return json.loads(self.ok(*arguments, "--json"))

    def stacks(self, **settings: object) -> str:
        """Make what the Meter and the API deploy of tables and parameters; return the prefix."""
        prefix = unique("project")
        main, tokens = a_table(self.moto), a_table(self.moto, TOKENS, unique("auth"))
        secret = self.moto.client("secretsmanager").create_secret(
            Name=unique("key"), SecretString="a key of tests " * 4
        )
        told = {
            Shared.TABLE: main.name,
            Shared.TOKENS: tokens.name,
            Shared.SERVER_KEY: secret["ARN"],
            Shared.SETTINGS: json.dumps(settings),
        }
        for shared, value in told.items():
            self.moto.client("ssm").put_parameter(
                Name=parameter_name(prefix, shared), Value=value, Type="String"
            )
        return prefix


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with account(tmp_path_factory.mktemp("played")) as boto, moto() as url:
        boto.model("text")
        boto.config("small", {"VariantName": "main", "ModelName": "text", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1})  # fmt: skip
        yield Cloud(boto, url, folder)


def test_without_a_stack_everything_is_seen_and_told_and_nothing_can_be_leased(cloud):
    cloud.boto.endpoint("seen", "small")
    assert "seen" in cloud.ok("ls")
    assert cloud.json("show", "seen")["status"] == "InService"
    findings = cloud.ok("audit")
    assert "seen" in findings
    assert "nobody" in cloud.ok("why", "seen") or "lease" in cloud.ok("why", "seen")
    assert "small" in cloud.ok("config", "ls")
    assert "text" in cloud.ok("model", "ls")
    assert cloud.json("cost")["lines"] == []
    refused = cloud.run("add", "seen", "--config", "small", "--minutes", "5")
    assert refused.exit_code == 1
    assert "has no Meter in region" in refused.stderr
    assert "parkade cloud deploy" in refused.stderr
    refused = cloud.run("token", "create", "--name", "ann")
    assert refused.exit_code == 1
    assert "deploy the Meter and the API" in refused.stderr
    cloud.boto.delete("seen")


def test_it_is_a_command_like_any_other(cloud):
    done = subprocess.run(
        [sys.executable, "-m", "parkade.apps.cli", "plan"],
        env={**cloud.environment, "PARKADE_CLOUD": "aws"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing is due" in done.stdout


def test_without_a_stack_a_payload_is_deployed_by_the_command_itself(cloud):
    payload = a_payload("by-hand", metered=False)
    (cloud.folder / "payload.json").write_text(json.dumps(payload))
    told = cloud.ok("deploy", "payload.json", "--wait")
    assert "serves" in told
    assert cloud.boto.status("by-hand") == "InService"
    cloud.boto.delete("by-hand")


def test_an_endpoint_is_invoked_by_the_runtime_as_it_answers(cloud):
    cloud.boto.config(
        "two",
        *(
            {"VariantName": name, "ModelName": "text", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
            for name in ("one", "other")
        ),
    )  # fmt: skip
    cloud.boto.endpoint("asked", "two")
    given = ("invoke", "asked", "--json", '{"text": "coin"}')
    (answer,) = {cloud.ok(*given), cloud.ok(*given, "--variant", "other")}
    assert answer == cloud.boto.invoke("asked")["Body"].read().decode()
    failed = cloud.run("invoke", "asked", "--json", "{}")
    assert failed.exit_code == 1
    assert "error: ModelError: Received server error (500)" in failed.stderr
    refused = cloud.run(*given, "--variant", "none")
    assert refused.exit_code == 1
    assert "none" in refused.stderr
    misspelt = cloud.run("invoke", "askd", "--json", "{}")
    assert misspelt.exit_code == 1
    assert "did you mean 'asked'?" in misspelt.stderr
    cloud.boto.delete("asked")


def test_what_does_not_run_says_why_and_is_waited_for(cloud):
    prefix = cloud.stacks()
    cloud.ok("--stacks", prefix, "add", "over", "--config", "small", "--minutes", "30")
    cloud.ok("--stacks", prefix, "stop", "over")
    refused = cloud.run("--stacks", prefix, "invoke", "over", "--json", "{}", "--wait", "60")
    assert refused.exit_code == 1
    assert "Endpoint over is not running" in refused.stderr
    assert "parkade start over" in refused.stderr
    cloud.ok("--stacks", prefix, "remove", "over")


def test_what_one_machine_alone_has_is_told_with_what_there_is_in_its_place(cloud):
    for asked, wanted in (
        (("projects", "ls"), "parkade cloud deploy"),
        (("scale", "show", "any"), "aws application-autoscaling describe-scalable-targets"),
        (("models", "any"), "SageMaker loads and unloads"),
    ):
        refused = cloud.run(*asked)
        assert refused.exit_code == 1
        assert wanted in refused.stderr


def test_leases_are_kept_in_the_meters_table_by_whoever_calls(cloud):
    prefix = cloud.stacks()

    def lease():
        (found,) = [each for each in cloud.json("--stacks", prefix, "ls") if each["lease"]]
        return found["name"], found["lease"]["config_name"], found["lease"]["expires_at"]

    cloud.ok("--stacks", prefix, "add", "leased", "--config", "small", "--minutes", "30")
    name, config, before = lease()
    assert (name, config) == ("leased", "small")
    cloud.ok("--stacks", prefix, "extend", "leased", "--minutes", "10")
    assert lease()[-1] > before
    assert "start" in cloud.ok("--stacks", prefix, "plan")
    assert "lease.extended" in cloud.ok("--stacks", prefix, "events")
    cloud.ok("--stacks", prefix, "stop", "leased")
    cloud.ok("--stacks", prefix, "remove", "leased")
    assert not [each for each in cloud.json("--stacks", prefix, "ls") if each["lease"]]


def test_a_command_decides_by_the_settings_and_prices_that_the_functions_have(cloud):
    stacks = ("--stacks", cloud.stacks(limits={"max_minutes_ahead": 60}))
    refused = cloud.run(*stacks, "add", "long", "--config", "small", "--minutes", "90")
    assert refused.exit_code == 1
    assert "60" in refused.stderr
    table = Table(cloud.moto, deployed.find(cloud.moto, stacks[1]).value(Shared.TABLE), MAIN)
    odd = PriceList(
        region=REGION,
        dated=NOW.date(),
        origin="here",
        quoted={"ml.x.odd": Decimal(7)},
        unconfirmed={},
    )
    DynamoPriceLists(DynamoHistory(table, SystemClock())).put(odd)
    (price,) = cloud.json(*stacks, "prices", "ls", "ml.x.odd")["prices"]
    assert Decimal(price["usd_per_hour"]) == 7


@pytest.mark.parametrize(
    ("content", "words"), [('{"limts": {}}', "did you mean 'limits'"), ("{", "not JSON")]
)
def test_settings_of_another_version_are_told_by_their_place(cloud, content, words):
    prefix = cloud.stacks()
    name = parameter_name(prefix, Shared.SETTINGS)
    cloud.moto.client("ssm").put_parameter(Name=name, Value=content, Overwrite=True)
    refused = cloud.run("--stacks", prefix, "ls")
    assert refused.exit_code == 1
    assert name in refused.stderr
    assert words in refused.stderr
    assert "parkade cloud deploy MeterStack" in refused.stderr


def test_tokens_are_made_by_the_key_of_the_secret(cloud):
    prefix = cloud.stacks()
    assert cloud.ok("--stacks", prefix, "token", "create", "--name", "ann").startswith("pk_")
    assert [each["name"] for each in cloud.json("--stacks", prefix, "token", "ls")] == ["ann"]
    cloud.ok("--stacks", prefix, "token", "revoke", "ann")


def test_of_several_meters_one_has_to_be_named(cloud):
    names = sorted([cloud.stacks(), cloud.stacks()])
    refused = cloud.run("ls")
    assert refused.exit_code == 1
    assert all(each in refused.stderr for each in names)
    assert "--stacks" in refused.stderr
    assert REGION in refused.stderr
    unknown = cloud.run("--stacks", "nobody", "ls")
    assert "no Meter" in unknown.stderr
