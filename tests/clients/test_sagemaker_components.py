"""boto3 puts inference components on an endpoint, scales them, and takes them away."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import IMAGE, Account, account, arn, invalid, refusal, variant
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = count()
ONE = {"CopyCount": 1}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("components")) as built:
        built.model("no-op")
        built.model("other")
        built.config("host", variant(model=None))
        built.config("plain", variant())
        built.endpoint("host", "host")
        built.endpoint("plain", "plain")
        yield built


@pytest.fixture
def name() -> str:
    return f"c-{next(_numbers)}"


def create(boto: Account, name: str, specification: dict[str, Any], **members: Any) -> Any:
    given = {
        "InferenceComponentName": name,
        "EndpointName": "host",
        "VariantName": "AllTraffic",
        "Specification": specification,
        "RuntimeConfig": ONE,
        **members,
    }
    return boto.sagemaker.create_inference_component(
        **{member: value for member, value in given.items() if value is not None}
    )


def described(boto: Account, name: str) -> dict[str, Any]:
    found = boto.sagemaker.describe_inference_component(InferenceComponentName=name)
    assert isinstance(found, dict)
    return found


def wait(boto: Account, name: str, status: str = "InService") -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found = described(boto, name)
        return found if found["InferenceComponentStatus"] == status else None

    found = wait_for(there, why=f"{name} to be {status}")
    assert isinstance(found, dict)
    return found


def delete(boto: Account, name: str) -> None:
    boto.sagemaker.delete_inference_component(InferenceComponentName=name)

    def gone() -> bool:
        found = boto.sagemaker.list_inference_components(NameContains=name)
        return found["InferenceComponents"] == []

    wait_for(gone, why=f"{name} to be gone")


COMPUTE = {"NumberOfCpuCoresRequired": 1.0, "MinMemoryRequiredInMb": 128}


@pytest.mark.semantics("states.component", "limits.counts")
def test_a_component_lives(boto: Account, name: str) -> None:
    specification = {
        "ModelName": "no-op",
        "ComputeResourceRequirements": COMPUTE,
        "StartupParameters": {
            "ModelDataDownloadTimeoutInSeconds": 60,
            "ContainerStartupHealthCheckTimeoutInSeconds": 61,
        },
        "SchedulingConfig": {"PlacementStrategy": "SPREAD"},
    }
    made = create(boto, name, specification, Tags=[{"Key": "team", "Value": "blue"}])
    own = arn("inference-component", name)
    assert made["InferenceComponentArn"] == own
    found = wait(boto, name)
    assert found["Specification"] == specification
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert (found["EndpointName"], found["EndpointArn"]) == ("host", arn("endpoint", "host"))
    assert (found["VariantName"], found["InferenceComponentArn"]) == ("AllTraffic", own)
    assert found["CreationTime"] <= found["LastModifiedTime"]
    assert boto.invoke("host", InferenceComponentName=name)["Body"].read()
    tags = boto.sagemaker.list_tags(ResourceArn=own)["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    for copies in (2, 0, 1):
        boto.sagemaker.update_inference_component_runtime_config(
            InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": copies}
        )
        found = wait(boto, name)
        wanted = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
        assert found["RuntimeConfig"] == wanted
    delete(boto, name)
    missing = f'Could not find inference component "{own}".'
    for operation in ("describe_inference_component", "delete_inference_component"):
        assert invalid(getattr(boto.sagemaker, operation), InferenceComponentName=name) == missing


def test_a_component_may_spell_its_container_out(boto: Account, name: str) -> None:
    container = {
        "Image": IMAGE, "ArtifactUrl": "s3://models/no-op.tar.gz", "Environment": {"A": "b"}
    }  # fmt: skip
    create(boto, name, {"Container": container})
    shown = wait(boto, name)["Specification"]["Container"]
    assert shown.pop("DeployedImage")["SpecifiedImage"] == IMAGE
    assert shown == {key: value for key, value in container.items() if key != "Image"}
    delete(boto, name)


def test_a_component_is_updated_to_another_model_and_number(boto: Account, name: str) -> None:
    create(boto, name, {"ModelName": "no-op"})
    wait(boto, name)
    updated = boto.sagemaker.update_inference_component(
        InferenceComponentName=name,
        Specification={"ModelName": "other"},
        RuntimeConfig={"CopyCount": 2},
    )
    assert updated["InferenceComponentArn"] == arn("inference-component", name)
    found = wait(boto, name)
    assert found["Specification"] == {"ModelName": "other"}
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    delete(boto, name)


@pytest.mark.semantics("limits.lists")
def test_components_are_listed(boto: Account, name: str) -> None:
    names = [f"{name}-{letter}" for letter in "abc"]
    for each in names:
        create(boto, each, {"ModelName": "no-op"})
    for each in names:
        wait(boto, each)

    def listed(**given: Any) -> list[str]:
        pages = boto.sagemaker.get_paginator("list_inference_components").paginate(
            NameContains=name, **given
        )
        return [
            each["InferenceComponentName"] for page in pages for each in page["InferenceComponents"]
        ]

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == names
    assert listed(EndpointNameEquals="host", VariantNameEquals="AllTraffic") == names[::-1]
    assert listed(EndpointNameEquals="plain") == listed(VariantNameEquals="Other") == []
    assert listed(StatusEquals="InService") == names[::-1]
    assert listed(StatusEquals="Failed") == []
    first = boto.sagemaker.list_inference_components(NameContains=names[0])
    (shown,) = first["InferenceComponents"]
    found = described(boto, names[0])
    assert shown == {member: found[member] for member in shown}
    for each in names:
        delete(boto, each)


@pytest.mark.semantics("limits.counts")
@pytest.mark.parametrize(
    ("specification", "members", "told"),
    [
        ({"ModelName": "absent"}, {}, f'Could not find model "{arn("model", "absent")}".'),
        ({"ModelName": "no-op", "Container": {"Image": IMAGE}}, {}, "either a ModelName or"),
        ({}, {}, "either a ModelName or"),
        ({"Container": {}}, {}, "Specification.Container.Image must be given"),
        ({"ModelName": "no-op"}, {"RuntimeConfig": {"CopyCount": 0}}, "less than 1"),
        ({"ModelName": "no-op"}, {"RuntimeConfig": {"CopyCount": -1}}, "equal to 0"),
        ({"ModelName": "no-op"}, {"RuntimeConfig": None}, "RuntimeConfig must be given"),
        ({"ModelName": "no-op"}, {"VariantName": None}, "VariantName must be given"),
        ({"ModelName": "no-op"}, {"VariantName": "Other"}, "no variant 'Other'"),
        ({"ModelName": "no-op"}, {"EndpointName": "plain"}, "have no ModelName"),
        (
            {"ModelName": "no-op"},
            {"EndpointName": "absent"},
            f'Could not find endpoint "{arn("endpoint", "absent")}".',
        ),
        ({"BaseInferenceComponentName": "b"}, {}, "BaseInferenceComponentName is not supported"),
        (
            {"ModelName": "no-op"},
            {"Specifications": [{"ModelName": "no-op"}]},
            "Specifications is not supported",
        ),
        (
            {"ModelName": "no-op", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1}},
            {},
            "greater than or equal to 128",
        ),
    ],
    ids=range(14),
)
def test_a_component_that_cannot_be_is_refused(
    boto: Account, name: str, specification: dict[str, Any], members: dict[str, Any], told: str
) -> None:
    def given() -> Any:
        return create(boto, name, specification, **members)

    assert told in invalid(given)
    assert boto.sagemaker.list_inference_components(NameContains=name)["InferenceComponents"] == []


def test_a_component_that_is_there_or_not_or_on_its_way_is_told(boto: Account, name: str) -> None:
    create(boto, name, {"ModelName": "no-op"})
    taken = (
        f'Cannot create already existing inference component "{arn("inference-component", name)}".'
    )
    assert invalid(lambda: create(boto, name, {"ModelName": "no-op"})) == taken
    client = boto.sagemaker
    wait(boto, name)
    assert "must be given" in invalid(
        client.update_inference_component, InferenceComponentName=name
    )
    assert "DeploymentConfig is not supported" in invalid(
        client.update_inference_component,
        InferenceComponentName=name,
        DeploymentConfig={
            "RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "COPY_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0,
            }
        },
    )  # fmt: skip
    delete(boto, name)
    for operation, given in (
        ("update_inference_component", {"RuntimeConfig": ONE}),
        ("update_inference_component_runtime_config", {"DesiredRuntimeConfig": ONE}),
    ):
        told = invalid(getattr(client, operation), InferenceComponentName=name, **given)
        assert told.startswith("Could not find inference component")


def test_a_token_limited_to_endpoints_touches_their_components_only(
    boto: Account, name: str
) -> None:
    create(boto, name, {"ModelName": "no-op"})
    wait(boto, name)
    limited = boto.other(name, role="operator", endpoints=("plain",))
    assert limited.sagemaker.list_inference_components()["InferenceComponents"] == []
    own = {"InferenceComponentName": name}
    for operation, given in (
        ("describe_inference_component", own),
        ("delete_inference_component", own),
        ("update_inference_component", {**own, "RuntimeConfig": ONE}),
        ("update_inference_component_runtime_config", {**own, "DesiredRuntimeConfig": ONE}),
        ("list_tags", {"ResourceArn": arn("inference-component", name)}),
    ):
        code, _ = refusal(getattr(limited.sagemaker, operation), **given)
        assert code == "AccessDeniedException"
    delete(boto, name)


@pytest.mark.semantics("states.delete_keeps")
def test_components_outlive_their_endpoint_and_block_its_name(boto: Account, name: str) -> None:
    boto.endpoint(name, "host")
    create(boto, name, {"ModelName": "no-op"}, EndpointName=name)
    wait(boto, name)
    boto.delete(name)
    found = wait(boto, name, "Failed")
    assert "was deleted" in found["FailureReason"]
    told = invalid(boto.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName="host")
    assert "inference components" in told
    assert name in told
    delete(boto, name)
    boto.endpoint(name, "host")
    boto.delete(name)
