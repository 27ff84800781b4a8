"""boto3 takes endpoints through their lives: created, described, updated, scaled, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import WaiterError

from tests.clients.account import IMAGE, Account, account, arn, invalid, refusal, variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = count()
FAST = {"Delay": 1, "MaxAttempts": 120}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("endpoints")) as built:
        built.model("no-op")
        built.config("one", variant())
        built.config("two", variant("blue", InitialVariantWeight=3), variant("green"))
        yield built


@pytest.fixture
def name() -> str:
    return f"e-{next(_numbers)}"


@pytest.fixture(scope="module")
def slow(boto: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config `slow` of a model that loads until the file is there that is returned."""
    folder = tmp_path_factory.mktemp("slow")
    gate = folder / "gate"
    (folder / "model" / "code").mkdir(parents=True)
    (folder / "model" / "code" / "inference.py").write_text(
        "import pathlib, time\n"
        "def model_fn(folder):\n"
        f"    while not pathlib.Path({str(gate)!r}).exists():\n"
        "        time.sleep(0.05)\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    return body\n"
    )
    boto.model("slow", folder / "model")
    boto.config("slow", variant(model="slow"))
    return gate


@pytest.fixture(scope="module")
def broken(boto: Account, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A config of a model that cannot be loaded."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text("raise RuntimeError('no such luck')\n")
    boto.model("broken", folder)
    boto.config("broken", variant(model="broken"))
    return "broken"


def summary(described: dict[str, Any], variant_name: str = "AllTraffic") -> dict[str, Any]:
    found = {each["VariantName"]: each for each in described["ProductionVariants"]}
    return dict(found[variant_name])


@pytest.mark.semantics("states.create")
def test_an_endpoint_lives(boto: Account, name: str) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    made = boto.sagemaker.create_endpoint(
        EndpointName=name,
        EndpointConfigName="one",
        Tags=[{"Key": "auto-maintain", "Value": "yes"}],
    )
    assert made["EndpointArn"] == arn("endpoint", name)
    boto.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=FAST)
    described = boto.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointArn"] == arn("endpoint", name)
    assert described["EndpointConfigName"] == "one"
    assert begun < described["CreationTime"] <= described["LastModifiedTime"] <= datetime.now(UTC)
    (shown,) = described["ProductionVariants"]
    (image,) = shown.pop("DeployedImages")
    assert (image["SpecifiedImage"], image["ResolvedImage"]) == (IMAGE, IMAGE)
    assert shown == {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
    assert not described.keys() & {"FailureReason", "PendingDeploymentSummary", "DataCaptureConfig"}
    assert boto.invoke(name)["InvokedProductionVariant"] == "AllTraffic"
    tags = boto.sagemaker.list_tags(ResourceArn=arn("endpoint", name))["Tags"]
    assert tags == [{"Key": "auto-maintain", "Value": "yes"}]
    boto.sagemaker.delete_endpoint(EndpointName=name)
    boto.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=FAST)
    assert "Could not find" in invalid(boto.sagemaker.list_tags, ResourceArn=arn("endpoint", name))


@pytest.mark.semantics("states.errors", "limits.waiters")
def test_an_unknown_endpoint_is_not_found_by_any_operation(boto: Account, name: str) -> None:
    client = boto.sagemaker
    missing = f'Could not find endpoint "{arn("endpoint", name)}".'
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    assert invalid(client.describe_endpoint, EndpointName=name) == missing
    assert invalid(client.delete_endpoint, EndpointName=name) == missing
    assert invalid(client.update_endpoint, EndpointName=name, EndpointConfigName="one") == missing
    assert missing == invalid(
        client.update_endpoint_weights_and_capacities,
        EndpointName=name,
        DesiredWeightsAndCapacities=weights,
    )
    # One waiter gives up at once, and for the other that is the end it waits for.
    with pytest.raises(WaiterError, match="ValidationException"):
        client.get_waiter("endpoint_in_service").wait(EndpointName=name)
    client.get_waiter("endpoint_deleted").wait(EndpointName=name)


@pytest.mark.semantics("states.errors")
def test_an_unknown_config_is_not_found(boto: Account, name: str) -> None:
    missing = f'Could not find endpoint configuration "{arn("endpoint-config", "absent")}".'
    assert missing == invalid(
        boto.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName="absent"
    )
    boto.endpoint(name, "one")
    assert missing == invalid(
        boto.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName="absent"
    )
    boto.delete(name)


def test_a_config_whose_model_is_gone_makes_no_endpoint(boto: Account, name: str) -> None:
    boto.sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE})
    boto.config(name, variant(model=name))
    boto.sagemaker.delete_model(ModelName=name)
    assert f'Could not find model "{arn("model", name)}".' == invalid(
        boto.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name
    )


@pytest.mark.semantics("states.errors", "states.config_in_use", "states.delete_keeps")
def test_a_name_is_taken_until_its_endpoint_is_gone(boto: Account, name: str) -> None:
    client = boto.sagemaker
    boto.config(f"{name}-config", variant())
    boto.endpoint(name, f"{name}-config")
    for config in ("one", f"{name}-config"):
        assert invalid(client.create_endpoint, EndpointName=name, EndpointConfigName=config) == (
            f'Cannot create already existing endpoint "{arn("endpoint", name)}".'
        )
    told = invalid(client.delete_endpoint_config, EndpointConfigName=f"{name}-config")
    assert arn("endpoint-config", f"{name}-config") in told
    assert f"'{name}'" in told
    boto.delete(name)
    client.describe_endpoint_config(EndpointConfigName=f"{name}-config")
    client.delete_endpoint_config(EndpointConfigName=f"{name}-config")
    client.describe_model(ModelName="no-op")


@pytest.mark.semantics("names.endpoint")
@pytest.mark.parametrize("wrong", ["", "-a", "a-", "a_b", "a.b", "é", "a" * 64])
def test_endpoints_have_sagemakers_names(boto: Account, wrong: str) -> None:
    for operation, given in (
        ("create_endpoint", {"EndpointName": wrong, "EndpointConfigName": "one"}),
        ("describe_endpoint", {"EndpointName": wrong}),
        ("update_endpoint", {"EndpointName": wrong, "EndpointConfigName": "one"}),
        ("delete_endpoint", {"EndpointName": wrong}),
    ):
        told = invalid(getattr(boto.sagemaker, operation), **given)
        assert f"Value '{wrong}' at 'endpointName' failed to satisfy constraint" in told


@pytest.mark.semantics("states.busy", "states.variant")
def test_an_endpoint_that_is_on_its_way_is_left_alone(boto: Account, name: str, slow: Path) -> None:
    client = boto.sagemaker
    client.create_endpoint(EndpointName=name, EndpointConfigName="slow")
    described = client.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Creating"
    shown = summary(described)
    assert [each["Status"] for each in shown["VariantStatus"]] == ["Creating"]
    assert (shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]) == (0, 1)
    require_busy(boto, name)
    slow.touch()
    boto.wait(name)
    slow.unlink()
    boto.delete(name)


def require_busy(boto: Account, name: str) -> None:
    client = boto.sagemaker
    busy = f'Cannot update in-progress endpoint "{arn("endpoint", name)}".'
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    assert invalid(client.delete_endpoint, EndpointName=name) == busy
    assert invalid(client.update_endpoint, EndpointName=name, EndpointConfigName="one") == busy
    assert busy == invalid(
        client.update_endpoint_weights_and_capacities,
        EndpointName=name,
        DesiredWeightsAndCapacities=weights,
    )


@pytest.mark.semantics(
    "states.update", "states.blue_green", "states.busy", "states.config_in_use", "states.variant"
)
def test_an_update_is_described_while_the_old_fleet_serves(
    boto: Account, name: str, slow: Path
) -> None:
    client = boto.sagemaker
    boto.endpoint(name, "one")
    updated = client.update_endpoint(EndpointName=name, EndpointConfigName="slow")
    assert updated["EndpointArn"] == arn("endpoint", name)
    described = client.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Updating"
    assert described["EndpointConfigName"] == "one"
    pending = described["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == "slow"
    assert pending["StartTime"] == described["LastModifiedTime"]
    (rising,) = pending["ProductionVariants"]
    assert rising["VariantName"] == "AllTraffic"
    assert (rising["CurrentInstanceCount"], rising["DesiredInstanceCount"]) == (0, 1)
    assert [each["Status"] for each in rising["VariantStatus"]] == ["Creating"]
    assert [each["Status"] for each in summary(described)["VariantStatus"]] == ["Updating"]
    assert boto.invoke(name)["Body"].read()
    require_busy(boto, name)
    assert "is in use" in invalid(client.delete_endpoint_config, EndpointConfigName="slow")
    slow.touch()
    described = boto.wait(name)
    slow.unlink()
    assert described["EndpointConfigName"] == "slow"
    assert "PendingDeploymentSummary" not in described
    assert "FailureReason" not in described
    boto.delete(name)


@pytest.mark.semantics("states.failed", "limits.waiters")
def test_a_failed_endpoint_says_why_and_can_only_be_deleted(
    boto: Account, name: str, broken: str
) -> None:
    client = boto.sagemaker
    client.create_endpoint(EndpointName=name, EndpointConfigName=broken)
    with pytest.raises(WaiterError, match="Failed"):
        client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=FAST)
    described = client.describe_endpoint(EndpointName=name)
    assert "no such luck" in described["FailureReason"]
    assert len(described["FailureReason"]) <= 1024
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    only = "DeleteEndpoint is the only operation that can be performed"
    assert only in invalid(client.update_endpoint, EndpointName=name, EndpointConfigName="one")
    assert only in invalid(
        client.update_endpoint_weights_and_capacities,
        EndpointName=name,
        DesiredWeightsAndCapacities=weights,
    )
    boto.delete(name)


@pytest.mark.semantics("states.update_failed")
def test_a_failed_update_leaves_the_old_fleet_and_says_why(
    boto: Account, name: str, broken: str
) -> None:
    boto.endpoint(name, "one")
    boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    described = boto.wait(name)
    assert described["EndpointConfigName"] == "one"
    assert "no such luck" in described["FailureReason"]
    assert boto.invoke(name)["Body"].read()
    boto.delete(name)


@pytest.mark.semantics("states.update", "limits.weight")
def test_weights_and_counts_change_while_it_serves(boto: Account, name: str) -> None:
    boto.endpoint(name, "two")
    changed = boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "blue", "DesiredWeight": 0.0},
            {"VariantName": "green", "DesiredInstanceCount": 2},
        ],
    )
    assert changed["EndpointArn"] == arn("endpoint", name)
    described = boto.wait(name)
    blue, green = summary(described, "blue"), summary(described, "green")
    assert (blue["CurrentWeight"], blue["DesiredWeight"]) == (0.0, 0.0)
    assert (green["CurrentWeight"], green["CurrentInstanceCount"]) == (1.0, 2)
    assert {boto.invoke(name)["InvokedProductionVariant"] for _ in range(20)} == {"green"}
    boto.delete(name)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([], "length greater than or equal to 1"),
        ([{"VariantName": "red", "DesiredWeight": 1.0}], "'red'"),
        ([{"VariantName": "blue", "DesiredWeight": -1.0}], "greater than or equal to 0"),
        ([{"VariantName": "blue", "DesiredInstanceCount": 0}], "less than 1"),
        ([{"VariantName": "blue"}, {"VariantName": "blue"}], "twice"),
        (
            [
                {"VariantName": "blue", "DesiredWeight": 0},
                {"VariantName": "green", "DesiredWeight": 0},
            ],
            "add up to 0",
        ),
        (
            [{"VariantName": "blue", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}],
            "ServerlessUpdateConfig is not supported",
        ),
    ],
    ids=range(7),
)
def test_weights_that_cannot_be_are_refused_and_change_nothing(
    boto: Account, weighed: str, wanted: list[dict[str, Any]], told: str
) -> None:
    before = boto.sagemaker.describe_endpoint(EndpointName=weighed)["ProductionVariants"]
    assert told in invalid(
        boto.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=weighed,
        DesiredWeightsAndCapacities=wanted,
    )
    described = boto.sagemaker.describe_endpoint(EndpointName=weighed)
    assert (described["EndpointStatus"], described["ProductionVariants"]) == ("InService", before)


@pytest.fixture(scope="module")
def weighed(boto: Account) -> Iterator[str]:
    boto.endpoint("weighed", "two")
    yield "weighed"
    boto.delete("weighed")


CAPTURED = {
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.mark.semantics("states.retain")
@pytest.mark.parametrize(
    ("members", "weight", "instances", "captured"),
    [
        ({}, 5.0, 1, None),
        ({"RetainAllVariantProperties": True}, 2.0, 2, 50),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [
                    {"VariantPropertyType": "DesiredWeight"},
                    {"VariantPropertyType": "DataCaptureConfig"},
                ],
            },
            5.0,
            2,
            None,
        ),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [
                    {"VariantPropertyType": "DesiredInstanceCount"}
                ],
            },
            2.0,
            1,
            50,
        ),
    ],
    ids=["default", "all", "excluded", "counts-excluded"],
)
def test_an_update_retains_what_it_is_told_to(
    boto: Account,
    name: str,
    members: dict[str, Any],
    weight: float,
    instances: int,
    captured: int | None,
) -> None:
    boto.config(f"{name}-a", variant(), DataCaptureConfig=CAPTURED)
    boto.config(f"{name}-b", variant(InitialVariantWeight=5))
    boto.endpoint(name, f"{name}-a")
    summary_of = boto.sagemaker.describe_endpoint(EndpointName=name)["DataCaptureConfig"]
    assert summary_of == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 50,
        "DestinationS3Uri": "s3://captured",
        "KmsKeyId": "",
    }
    boto.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "AllTraffic", "DesiredWeight": 2.0, "DesiredInstanceCount": 2}
        ],
    )
    boto.wait(name)
    boto.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-b", **members)
    described = boto.wait(name)
    shown = summary(described)
    assert (shown["CurrentWeight"], shown["CurrentInstanceCount"]) == (weight, instances)
    assert described.get("DataCaptureConfig", {}).get("CurrentSamplingPercentage") == captured
    boto.delete(name)


def test_what_there_is_no_room_for_is_refused(boto: Account, name: str) -> None:
    boto.config(name, variant(InitialInstanceCount=1000))
    code, told = refusal(boto.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name)
    assert code == "ResourceLimitExceeded"
    assert "limits.workers" in told
    assert "Could not find" in invalid(boto.sagemaker.describe_endpoint, EndpointName=name)


@pytest.mark.semantics("limits.list_endpoints")
def test_endpoints_are_listed(boto: Account, name: str, broken: str) -> None:
    names = [f"{name}-{letter}" for letter in "abc"]
    for each in names:
        config = broken if each.endswith("c") else "one"
        boto.sagemaker.create_endpoint(EndpointName=each, EndpointConfigName=config)
    boto.wait(names[2], "Failed")
    for each in names[:2]:
        boto.wait(each)

    def listed(**given: Any) -> list[str]:
        pages = boto.sagemaker.get_paginator("list_endpoints").paginate(NameContains=name, **given)
        return [each["EndpointName"] for page in pages for each in page["Endpoints"]]

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == names
    assert listed(SortBy="Status", SortOrder="Ascending") == [names[2], names[0], names[1]]
    assert listed(StatusEquals="Failed") == [names[2]]
    assert listed(StatusEquals="Creating") == []
    (first,) = boto.sagemaker.list_endpoints(NameContains=names[0])["Endpoints"]
    described = boto.sagemaker.describe_endpoint(EndpointName=names[0])
    assert first == {member: described[member] for member in first}
    later = described["LastModifiedTime"] + timedelta(hours=1)
    assert listed(LastModifiedTimeAfter=later) == listed(CreationTimeAfter=later) == []
    assert listed(LastModifiedTimeBefore=later) == listed(CreationTimeBefore=later) == names[::-1]
    for given in ({"MaxResults": 101}, {"NameContains": "_"}, {"StatusEquals": "Fine"}):
        invalid(boto.sagemaker.list_endpoints, **given)
    for each in names:
        boto.sagemaker.delete_endpoint(EndpointName=each)
    for each in names:
        boto.wait_gone(each)


def test_a_token_limited_to_endpoints_touches_those_only(boto: Account, name: str) -> None:
    own = f"{name}-own"
    limited = boto.other(name, role="operator", endpoints=(own,))
    boto.endpoint(f"{name}-others", "one")
    limited.endpoint(own, "one")
    found = limited.sagemaker.list_endpoints()["Endpoints"]
    assert [each["EndpointName"] for each in found] == [own]
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    others = {"EndpointName": f"{name}-others"}
    for operation, given in (
        ("describe_endpoint", others),
        ("delete_endpoint", others),
        ("create_endpoint", {**others, "EndpointConfigName": "one"}),
        ("update_endpoint", {**others, "EndpointConfigName": "one"}),
        (
            "update_endpoint_weights_and_capacities",
            {**others, "DesiredWeightsAndCapacities": weights},
        ),
        ("list_tags", {"ResourceArn": arn("endpoint", f"{name}-others")}),
    ):
        code, told = refusal(getattr(limited.sagemaker, operation), **given)
        assert code == "AccessDeniedException"
        assert f"user/{name} is not authorized to perform: sagemaker:" in told
    limited.delete(own)
    boto.delete(f"{name}-others")


def test_an_endpoint_survives_its_model_and_its_control_process(boto: Account, name: str) -> None:
    boto.model(name)
    boto.config(name, variant(model=name))
    boto.endpoint(name, name)
    boto.sagemaker.delete_model(ModelName=name)
    former = boto.house.kill("control")
    boto.house.wait_reborn("control", former)
    described = boto.wait(name)
    assert summary(described)["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert boto.invoke(name)["Body"].read()
    boto.delete(name)
