"""Deployments on a whole Parkade: the manual's lines, and what boto3 sees of a payload that was sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from tests.clients.account import Account, account
from tests.deployments import a_payload
from tests.house import PATIENCE, ROOT, wait_for
from tests.walks import blocks, needs_a_shell, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "deployed"
RESOURCE = f"endpoint/{NAME}/variant/AllTraffic"
AWAKE = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give the admin's account of a house with a model, and nothing that runs."""
    with account(tmp_path_factory.mktemp("deploying")) as made:
        made.model("text")
        yield made


@pytest.fixture(scope="module")
def scaling(boto: Account) -> Iterator[Any]:
    client = boto.session.client(
        "application-autoscaling",
        endpoint_url=boto.house.url,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
    )
    with closing(client) as made:
        yield made


def parkade(boto: Account, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as the machine's own user does."""
    return subprocess.run(
        [sys.executable, "-m", "parkade.apps.cli", *arguments],
        input=given,
        env={"PARKADE_STATE": str(boto.house.state), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def deploy(boto: Account, payload: dict[str, Any]) -> dict[str, Any]:
    """Deploy at the command line; return what the API tells of the deployment."""
    ran = parkade(boto, "deploy", "-", "--wait", "--json", given=json.dumps(payload))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert told["status"] == "succeeded", told
    return told


def serves(boto: Account) -> tuple[str, list[int], str]:
    """Return the config that serves, its instances, and whose model answers."""
    described = boto.sagemaker.describe_endpoint(EndpointName=NAME)
    assert described["EndpointStatus"] == "InService"
    counts = [each["CurrentInstanceCount"] for each in described["ProductionVariants"]]
    answer = boto.invoke(NAME)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    return described["EndpointConfigName"], counts, answer["InvokedProductionVariant"]


def assert_scaled_as_ordered(scaling: Any) -> None:
    """Look for what the first deployer's two functions set."""
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[RESOURCE])
    (target,) = found["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert target["SuspendedState"] == AWAKE
    described = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=RESOURCE)
    (policy,) = described["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 5000.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    }


def test_the_payload_deploys_from_nothing_and_updates_what_runs(
    boto: Account, scaling: Any
) -> None:
    created = deploy(boto, a_payload(NAME))
    assert created["former_config_name"] == ""
    assert serves(boto) == (created["config_name"], [1], "AllTraffic")
    assert_scaled_as_ordered(scaling)
    arn = boto.sagemaker.describe_endpoint(EndpointName=NAME)["EndpointArn"]
    assert boto.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "environment", "Value": "development"}
    ]

    # What scaling has added stays, by the name of the variant.
    boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
    )
    boto.wait(NAME)
    updated = deploy(boto, a_payload(NAME, patience=1200))
    assert updated["former_config_name"] == created["config_name"] != updated["config_name"]
    assert serves(boto) == (updated["config_name"], [2], "AllTraffic")
    assert_scaled_as_ordered(scaling)

    # The same once more changes nothing.
    again = deploy(boto, updated["order"])
    assert again["config_name"] == updated["config_name"]
    assert serves(boto) == (updated["config_name"], [2], "AllTraffic")
    assert_scaled_as_ordered(scaling)


def test_what_fails_leaves_what_served_and_says_why_by_its_status(
    boto: Account, scaling: Any
) -> None:
    before = deploy(boto, a_payload(NAME))
    (boto.house.state.parent / "broken" / "code").mkdir(parents=True)
    script = boto.house.state.parent / "broken" / "code" / "inference.py"
    script.write_text("raise RuntimeError('it cannot be loaded')\n")
    boto.model("broken", script.parent.parent)
    payload = a_payload(NAME)
    payload["productionVariants"][0]["ModelName"] = "broken"
    ran = parkade(boto, "deploy", "-", "--wait", given=json.dumps(payload))
    assert (ran.returncode, ran.stdout) == (1, "")
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("error: deployment ")
    assert "it cannot be loaded" in last
    assert serves(boto)[0] == before["config_name"]
    assert_scaled_as_ordered(scaling)
    listed = parkade(boto, "deployments", "ls", "--json")
    newest = json.loads(listed.stdout)[0]
    configs = boto.sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert newest["status"] == "failed"
    assert newest["config_name"] not in {each["EndpointConfigName"] for each in configs}


def test_it_is_told_while_both_fleets_run_and_steered_by_hand(boto: Account) -> None:
    former = deploy(boto, a_payload(NAME))["config_name"]
    strategy = {"kind": "canary", "percent": 50, "waitSeconds": 3600}
    payload = a_payload(NAME, patience=1800, strategy=strategy)
    ran = parkade(boto, "deploy", "-", "--json", given=json.dumps(payload))
    begun = json.loads(ran.stdout)["id"]

    def told() -> dict[str, Any]:
        return dict(boto.house.ok("GET", f"/v1/deployments/{begun}").json())

    def both() -> object:
        seen = told()
        return seen if seen["fleets"] and len(seen["fleets"]["fleets"]) == 2 else None

    seen = wait_for(both, why="both fleets to run")
    assert isinstance(seen, dict)
    assert [each["config_name"] for each in seen["fleets"]["fleets"]] == [
        former, seen["config_name"],
    ]  # fmt: skip
    one, two = (each["hourly"]["usd"] for each in seen["fleets"]["fleets"])
    assert float(seen["fleets"]["hourly"]["usd"]) == pytest.approx(float(one) + float(two))
    shown = parkade(boto, "show", NAME).stdout
    assert "old fleet" in shown
    assert "new fleet" in shown
    assert "together" in shown
    ran = parkade(boto, "deployments", "promote", begun, "--wait")
    assert ran.returncode == 0, ran.stderr
    assert serves(boto)[0] == seen["config_name"]


@needs_a_shell
def test_the_manuals_example_works_line_by_line(boto: Account) -> None:
    assert len(blocks("docs/deploy.md")) == 3
    folder = boto.house.state.parent / "walk"
    shutil.copytree(ROOT / "examples", folder / "examples")
    ran = walk("docs/deploy.md", folder, boto.house)
    assert "It would create test-endpoint" in ran.stdout
    assert '{"success": "true", "label": 2}' in ran.stdout
    assert ran.stdout.count(" serves, after ") == 2
    assert ran.stdout.count("✓ succeeded") == 2
    listed = json.loads(parkade(boto, "deployments", "ls", "--json").stdout)
    assert [each["order"]["strategy"]["kind"] for each in listed[:2]] == ["canary", "all_at_once"]
