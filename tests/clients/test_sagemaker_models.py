"""boto3 makes, describes, lists and deletes models and endpoint configs, and tags them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import IMAGE, Account, account, arn, invalid, refusal, variant

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = count()
ROLE = "arn:aws:iam::000000000000:role/service-role/parkade"


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("models")) as built:
        built.sagemaker.create_model(ModelName="no-op", PrimaryContainer={"Image": IMAGE})
        yield built


@pytest.fixture
def name() -> str:
    return f"n-{next(_numbers)}"


# -- models ----------------------------------------------------------------------------------

CONTAINERS: dict[str, dict[str, Any]] = {
    "least": {"Image": IMAGE},
    "whole": {
        "Image": IMAGE,
        "ContainerHostname": "first",
        "ModelDataUrl": "s3://models/a/b.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "EMPTY": ""},
        "Mode": "SingleModel",
        "ImageConfig": {"RepositoryAccessMode": "Platform"},
        "ContainerMetricsConfig": {"MetricsEndpoints": [{"MetricsEndpointPath": "/metrics"}]},
    },
    "source": {
        "Image": IMAGE,
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": "s3://models/a.tar.gz",
                "S3DataType": "S3Object",
                "CompressionType": "Gzip",
                "ModelAccessConfig": {"AcceptEula": True},
            }
        },
    },
    "many": {
        "Image": IMAGE,
        "Mode": "MultiModel",
        "ModelDataUrl": "s3://models/many/",
        "MultiModelConfig": {"ModelCacheSetting": "Disabled"},
    },
    "cached": {
        "Image": IMAGE,
        "Mode": "MultiModel",
        "ModelDataUrl": "s3://models/many/",
        "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
    },
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_model_is_described_as_it_was_given(boto: Account, name: str, kind: str) -> None:
    given = {
        "PrimaryContainer": CONTAINERS[kind],
        "ExecutionRoleArn": ROLE,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    before = datetime.now(UTC)
    made = boto.sagemaker.create_model(ModelName=name, EnableNetworkIsolation=False, **given)
    assert made["ModelArn"] == arn("model", name)
    described = boto.sagemaker.describe_model(ModelName=name)
    assert before - timedelta(seconds=1) <= described.pop("CreationTime") <= datetime.now(UTC)
    described.pop("ResponseMetadata")
    given["PrimaryContainer"] = {"Mode": "SingleModel", **CONTAINERS[kind]}
    assert described == {
        **given,
        "ModelName": name,
        "ModelArn": arn("model", name),
        "EnableNetworkIsolation": False,
    }


@pytest.mark.parametrize("size", [1, 2, 15])
def test_a_pipeline_is_described_in_its_order(boto: Account, name: str, size: int) -> None:
    containers = [
        {"Image": IMAGE, "Mode": "SingleModel", "ContainerHostname": f"c{number}"}
        for number in range(size)
    ]
    boto.sagemaker.create_model(
        ModelName=name, Containers=containers, InferenceExecutionConfig={"Mode": "Direct"}
    )
    described = boto.sagemaker.describe_model(ModelName=name)
    assert described["Containers"] == containers
    assert "PrimaryContainer" not in described
    assert described["InferenceExecutionConfig"] == {"Mode": "Direct"}


def source(**changes: Any) -> dict[str, Any]:
    given = {
        "S3Uri": "s3://models/a.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"
    }  # fmt: skip
    return {"Image": IMAGE, "ModelDataSource": {"S3DataSource": {**given, **changes}}}


@pytest.mark.parametrize(
    ("container", "member"),
    [
        ({}, "PrimaryContainer.Image must be given"),
        ({"Image": IMAGE, "ModelPackageName": "p"}, "PrimaryContainer.ModelPackageName"),
        ({"Image": IMAGE, "InferenceSpecificationName": "p"}, "InferenceSpecificationName"),
        (
            {
                "Image": IMAGE,
                "AdditionalModelDataSources": [{"ChannelName": "c", **source()["ModelDataSource"]}],
            },
            "AdditionalModelDataSources",
        ),
        (source(S3DataType="S3Prefix"), "S3DataSource.S3DataType S3Prefix"),
        (source(CompressionType="None"), "S3DataSource.CompressionType None"),
        (source(ManifestS3Uri="s3://models/m"), "ManifestS3Uri"),
        (source(HubAccessConfig={"HubContentArn": "a"}), "HubAccessConfig"),
        ({**source(), "ModelDataUrl": "s3://models/a.tar.gz"}, "cannot both be given"),
        ({"Image": IMAGE, "ModelDataSource": {}}, "ModelDataSource.S3DataSource must be given"),
        ({"Image": IMAGE, "ModelDataUrl": "https://models/a.tar.gz"}, "s3://bucket/key"),
        ({"Image": IMAGE, "Mode": "MultiModel"}, "ModelDataUrl must be given"),
        ({"Image": IMAGE, "MultiModelConfig": {}}, "MultiModelConfig"),
        ({"Image": "nobody-knows-it"}, "nobody-knows-it"),
        ({"Image": "two words"}, "'primaryContainer.image'"),
        ({"Image": IMAGE, "Environment": {"1": "a"}}, "'primaryContainer.environment'"),
        ({"Image": IMAGE, "Mode": "Several"}, "enum value set: [SingleModel, MultiModel]"),
    ],
)
def test_a_container_that_cannot_be_is_refused_by_its_member(
    boto: Account, name: str, container: dict[str, Any], member: str
) -> None:
    create = boto.sagemaker.create_model
    assert member in invalid(create, ModelName=name, PrimaryContainer=container)
    assert "Could not find" in invalid(boto.sagemaker.describe_model, ModelName=name)


@pytest.mark.semantics("container.pipeline")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "PrimaryContainer"),
        ({"Containers": []}, "1 to 15"),
        ({"Containers": [{"Image": IMAGE}] * 16}, "length less than or equal to 15"),
        ({"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]}, "both"),
        ({"Containers": [{"Image": IMAGE, "ContainerHostname": "a"}] * 2}, "'a' is used twice"),
        (
            {
                "Containers": [{"Image": IMAGE}] * 2,
                "InferenceExecutionConfig": {"Mode": "Direct"},
            },
            "ContainerHostname",
        ),
        ({"Containers": [{"Image": IMAGE}, CONTAINERS["many"]]}, "MultiModel"),
        (
            {"PrimaryContainer": {"Image": IMAGE}, "EnableNetworkIsolation": True},
            "EnableNetworkIsolation is not supported",
        ),
        ({"PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": "x" * 20}, "executionRoleArn"),
        (
            {
                "PrimaryContainer": {"Image": IMAGE},
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
            },
            "twice",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused(
    boto: Account, name: str, given: dict[str, Any], told: str
) -> None:
    assert told in invalid(boto.sagemaker.create_model, ModelName=name, **given)


@pytest.mark.semantics("names.model")
@pytest.mark.parametrize("wrong", ["", "-a", "a-", "a_b", "a.b", "é", "a" * 64])
def test_models_have_sagemakers_names(boto: Account, wrong: str) -> None:
    told = invalid(boto.sagemaker.create_model, ModelName=wrong, PrimaryContainer={"Image": IMAGE})
    assert "at 'modelName' failed to satisfy constraint" in told


def test_a_name_is_given_once_and_again_after_it_was_deleted(boto: Account, name: str) -> None:
    create = boto.sagemaker.create_model
    given = {"ModelName": name, "PrimaryContainer": {"Image": IMAGE}}
    create(**given)
    assert invalid(create, **given) == (
        f'Cannot create already existing model "{arn("model", name)}".'
    )
    boto.sagemaker.delete_model(ModelName=name)
    missing = f'Could not find model "{arn("model", name)}".'
    assert invalid(boto.sagemaker.delete_model, ModelName=name) == missing
    assert invalid(boto.sagemaker.describe_model, ModelName=name) == missing
    create(**given)


@pytest.mark.semantics("limits.lists")
def test_models_are_listed_in_pages(boto: Account) -> None:
    made = [f"paged-{number:02}" for number in range(23)]
    for each in made:
        boto.sagemaker.create_model(ModelName=each, PrimaryContainer={"Image": IMAGE})
    assert len(boto.sagemaker.list_models()["Models"]) == 10
    pages = list(
        boto.sagemaker.get_paginator("list_models").paginate(
            NameContains="paged", SortBy="Name", SortOrder="Ascending", MaxResults=5
        )
    )
    assert [len(each["Models"]) for each in pages] == [5, 5, 5, 5, 3]
    assert [model["ModelName"] for each in pages for model in each["Models"]] == made
    newest = boto.sagemaker.list_models(NameContains="paged", MaxResults=1)["Models"][0]
    assert newest["ModelName"] == made[-1]
    assert newest["ModelArn"] == arn("model", made[-1])
    later = newest["CreationTime"] + timedelta(minutes=1)
    assert boto.sagemaker.list_models(CreationTimeAfter=later)["Models"] == []
    assert len(boto.sagemaker.list_models(CreationTimeBefore=later, MaxResults=100)["Models"]) >= 23


@pytest.mark.semantics("limits.lists")
@pytest.mark.parametrize(
    ("given", "member"),
    [
        ({"MaxResults": 0}, "maxResults"),
        ({"MaxResults": 101}, "maxResults"),
        ({"SortBy": "Status"}, "sortBy"),
        ({"SortOrder": "Sideways"}, "sortOrder"),
        ({"NameContains": "a_b"}, "nameContains"),
        ({"NextToken": "made up"}, "NextToken"),
        ({"NextToken": "a" * 8193}, "nextToken"),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_given_is_refused(
    boto: Account, given: dict[str, Any], member: str
) -> None:
    assert member in invalid(boto.sagemaker.list_models, **given)
    assert member in invalid(boto.sagemaker.list_endpoint_configs, **given)


# -- endpoint configs ------------------------------------------------------------------------


@pytest.mark.semantics("limits.serverless", "limits.timeouts")
def test_a_config_is_described_as_it_was_given(boto: Account, name: str) -> None:
    given: dict[str, Any] = {
        "ProductionVariants": [
            variant(
                "blue",
                InitialVariantWeight=3.5,
                ModelDataDownloadTimeoutInSeconds=60,
                ContainerStartupHealthCheckTimeoutInSeconds=3600,
                RoutingConfig={"RoutingStrategy": "RANDOM"},
                VolumeSizeInGB=30,
            ),
            {
                "VariantName": "green",
                "ModelName": "no-op",
                "InitialVariantWeight": 0.0,
                "ServerlessConfig": {
                    "MemorySizeInMB": 2048, "MaxConcurrency": 5, "ProvisionedConcurrency": 1,
                },
            },
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 0,
            "DestinationS3Uri": "s3://captured/here",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"],
            },
        },
        "KmsKeyId": "alias/key",
        "ExecutionRoleArn": ROLE,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "MetricsConfig": {"EnableEnhancedMetrics": True},
    }  # fmt: skip
    made = boto.sagemaker.create_endpoint_config(EndpointConfigName=name, **given)
    assert made["EndpointConfigArn"] == arn("endpoint-config", name)
    described = boto.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    described.pop("ResponseMetadata")
    assert (datetime.now(UTC) - described.pop("CreationTime")) < timedelta(minutes=5)
    assert described == {
        **given,
        "EndpointConfigName": name,
        "EndpointConfigArn": arn("endpoint-config", name),
        "EnableNetworkIsolation": False,
    }


def test_a_config_with_a_shadow_is_described_as_it_was_given(boto: Account, name: str) -> None:
    given: dict[str, Any] = {
        "ProductionVariants": [variant("blue", InitialVariantWeight=1.0)],
        "ShadowProductionVariants": [variant("green", InitialVariantWeight=0.5)],
    }
    boto.sagemaker.create_endpoint_config(EndpointConfigName=name, **given)
    described = boto.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert {member: described[member] for member in given} == given


def test_an_asynchronous_config_is_described_as_it_was_given(boto: Account, name: str) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:topic"
    given: dict[str, Any] = {
        "ProductionVariants": [variant("blue", InitialVariantWeight=1.0)],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
            "OutputConfig": {
                "S3OutputPath": "s3://answers/out",
                "S3FailurePath": "s3://answers/failed",
                "NotificationConfig": {
                    "SuccessTopic": topic,
                    "ErrorTopic": topic,
                    "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
                },
            },
        },
    }
    boto.sagemaker.create_endpoint_config(EndpointConfigName=name, **given)
    described = boto.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert {member: described[member] for member in given} == given


@pytest.mark.semantics("limits.weight")
def test_a_weight_is_1_where_none_is_given(boto: Account, name: str) -> None:
    boto.config(name, variant())
    described = boto.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert described["ProductionVariants"][0]["InitialVariantWeight"] == 1.0


@pytest.mark.parametrize("kind", ["least", "whole"])
def test_managed_scaling_is_kept_for_endpoints_of_components(
    boto: Account, name: str, kind: str
) -> None:
    scaling: dict[str, Any] = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
    if kind == "whole":
        scaling["ScaleInPolicy"] = {
            "Strategy": "CONSOLIDATION", "MaximumStepSize": 100, "CooldownInMinutes": 5,
        }  # fmt: skip
    boto.config(name, variant(model=None, ManagedInstanceScaling=scaling))
    described = boto.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert described["ProductionVariants"][0]["ManagedInstanceScaling"] == scaling


@pytest.mark.semantics("limits.managed_scaling")
@pytest.mark.parametrize(
    ("changes", "member", "rule"),
    [
        ({"MinInstanceCount": -1}, "minInstanceCount", "equal to 0"),
        ({"MaxInstanceCount": 0}, "maxInstanceCount", "equal to 1"),
        ({"ScaleInPolicy": {"Strategy": "SLEEP"}}, "strategy", "IDLE_RELEASE"),
        ({"ScaleInPolicy": {"MaximumStepSize": 0}}, "maximumStepSize", "equal to 1"),
        ({"ScaleInPolicy": {"MaximumStepSize": 101}}, "maximumStepSize", "equal to 100"),
        ({"ScaleInPolicy": {"CooldownInMinutes": 4}}, "cooldownInMinutes", "equal to 5"),
        ({"ScaleInPolicy": {"CooldownInMinutes": 1441}}, "cooldownInMinutes", "equal to 1440"),
    ],
    ids=range(7),
)
def test_managed_scaling_has_sagemakers_limits(
    boto: Account, name: str, changes: dict[str, Any], member: str, rule: str
) -> None:
    told = invalid(
        boto.sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[variant(model=None, ManagedInstanceScaling=changes)],
    )
    assert f"{member}' failed to satisfy constraint" in told
    assert rule in told


SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}


@pytest.mark.semantics(
    "limits.managed_scaling", "limits.counts", "limits.routing", "limits.timeouts"
)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"ManagedInstanceScaling": {"MinInstanceCount": 1}},
            "ManagedInstanceScaling is only supported for inference component endpoints",
        ),
        ({"InitialInstanceCount": 0}, "'productionVariants.1.member.initialInstanceCount'"),
        ({"InitialInstanceCount": None}, "ProductionVariants.1.InitialInstanceCount"),
        ({"InstanceType": None}, "ProductionVariants.1.InstanceType"),
        ({"InstanceType": "ml.none"}, "'productionVariants.1.member.instanceType'"),
        ({"InitialVariantWeight": -1}, "greater than or equal to 0"),
        ({"InitialVariantWeight": 0}, "add up to 0"),
        ({"VariantName": "a_b"}, "'productionVariants.1.member.variantName'"),
        ({"VariantName": None}, "Value null at 'productionVariants.1.member.variantName'"),
        ({"ModelDataDownloadTimeoutInSeconds": 59}, "greater than or equal to 60"),
        ({"ContainerStartupHealthCheckTimeoutInSeconds": 3601}, "less than or equal to 3600"),
        ({"ServerlessConfig": SERVERLESS}, "cannot be given together with ServerlessConfig"),
        ({"RoutingConfig": {"RoutingStrategy": "KV_AWARE"}}, "RoutingStrategy KV_AWARE"),
        (
            {
                "RoutingConfig": {
                    "RoutingStrategy": "RANDOM",
                    "PrefixAwareRoutingConfig": {"PrefixLength": 1024},
                }
            },
            "PrefixAwareRoutingConfig",
        ),
        ({"InstancePools": [{"InstanceType": "ml.c5.xlarge", "Priority": 1}]}, "InstancePools"),
        ({"CoreDumpConfig": {"DestinationS3Uri": "s3://a"}}, "CoreDumpConfig"),
        ({"EnableSSMAccess": True}, "EnableSSMAccess"),
        (
            {
                "CapacityReservationConfig": {
                    "CapacityReservationPreference": "capacity-reservations-only"
                }
            },
            "CapacityReservationConfig",
        ),
        ({"AcceleratorPartitionLayouts": [{}]}, "AcceleratorPartitionLayouts"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_a_variant_that_cannot_be_is_refused_by_its_member(
    boto: Account, name: str, changes: dict[str, Any], told: str
) -> None:
    given = {key: value for key, value in variant(**changes).items() if value is not None}
    assert told in invalid(
        boto.sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=[given]
    )


CAPTURE = {
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.mark.semantics("limits.variants", "limits.serverless", "async.concurrency")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ProductionVariants": []}, "length greater than or equal to 1"),
        ({"ProductionVariants": [variant(f"v{n}") for n in range(11)]}, "less than or equal to 10"),
        ({"ProductionVariants": [variant(), variant()]}, "'AllTraffic' is used twice"),
        ({"ProductionVariants": [variant(model="absent")]}, f'"{arn("model", "absent")}"'),
        ({"ProductionVariants": [variant(), variant("other", None)]}, "ModelName"),
        (
            {"ShadowProductionVariants": [variant("a"), variant("b")]},
            "exactly one of each",
        ),
        ({"ShadowProductionVariants": [variant()]}, "'AllTraffic' is used twice"),
        (
            {
                "ProductionVariants": [
                    {
                        "VariantName": "a",
                        "ModelName": "no-op",
                        "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1},
                    }
                ]
            },
            "1024, 2048",
        ),
        (
            {"ProductionVariants": [{"VariantName": "a", "ServerlessConfig": SERVERLESS}]},
            "ModelName must be given",
        ),
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation"),
        (
            {
                "ExplainerConfig": {
                    "ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}
                }
            },
            "ExplainerConfig is not supported",
        ),
        (
            {
                "CrossRegionTrafficConfig": {
                    "MaxInvocationsPerSecondPerInstance": 1,
                    "MaxCrossRegionPercentPerEndpoint": 1,
                }
            },
            "CrossRegionTrafficConfig",
        ),
        (
            {
                "DataCaptureConfig": {
                    **CAPTURE,
                    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
                }
            },
            "InputAndOutput",
        ),
        ({"DataCaptureConfig": {**CAPTURE, "InitialSamplingPercentage": 101}}, "equal to 100"),
        ({"DataCaptureConfig": {**CAPTURE, "DestinationS3Uri": "https://x"}}, "DestinationS3Uri"),
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "S3OutputPath must be given"),
        (
            {
                "AsyncInferenceConfig": {
                    "OutputConfig": {"S3OutputPath": "s3://a"},
                    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1001},
                }
            },
            "less than or equal to 1000",
        ),
    ],
)
def test_a_config_that_cannot_be_is_refused(
    boto: Account, name: str, given: dict[str, Any], told: str
) -> None:
    whole = {"ProductionVariants": [variant()], **given}
    create = boto.sagemaker.create_endpoint_config
    assert told in invalid(create, EndpointConfigName=name, **whole)
    assert "Could not find" in invalid(
        boto.sagemaker.describe_endpoint_config, EndpointConfigName=name
    )


def test_a_config_name_is_given_once(boto: Account, name: str) -> None:
    boto.config(name, variant())
    create = boto.sagemaker.create_endpoint_config
    own = arn("endpoint-config", name)
    assert invalid(create, EndpointConfigName=name, ProductionVariants=[variant()]) == (
        f'Cannot create already existing endpoint configuration "{own}".'
    )
    boto.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    missing = f'Could not find endpoint configuration "{own}".'
    assert invalid(boto.sagemaker.delete_endpoint_config, EndpointConfigName=name) == missing
    assert invalid(boto.sagemaker.describe_endpoint_config, EndpointConfigName=name) == missing


def test_configs_are_listed_in_pages(boto: Account) -> None:
    made = [f"listed-{number}" for number in range(7)]
    for each in made:
        boto.config(each, variant())
    pages = boto.sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains="listed", MaxResults=3
    )
    found = [config for each in pages for config in each["EndpointConfigs"]]
    assert [each["EndpointConfigName"] for each in found] == made[::-1]
    assert found[0]["EndpointConfigArn"] == arn("endpoint-config", made[-1])


# -- tags ------------------------------------------------------------------------------------


def tags_of(boto: Account, own: str) -> dict[str, str]:
    pages = boto.sagemaker.get_paginator("list_tags").paginate(ResourceArn=own)
    return {tag["Key"]: tag["Value"] for each in pages for tag in each["Tags"]}


def listed(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.mark.parametrize("kind", ["model", "endpoint-config"])
def test_what_is_created_with_tags_has_them_until_it_is_deleted(
    boto: Account, name: str, kind: str
) -> None:
    def create(**members: Any) -> None:
        if kind == "model":
            boto.sagemaker.create_model(
                ModelName=name, PrimaryContainer={"Image": IMAGE}, **members
            )
        else:
            boto.config(name, variant(), **members)

    create(Tags=listed(team="blue", cost="7"))
    own = arn(kind, name)
    assert tags_of(boto, own) == {"team": "blue", "cost": "7"}
    added = boto.sagemaker.add_tags(ResourceArn=own, Tags=listed(team="red", ключ="да"))
    assert {tag["Key"]: tag["Value"] for tag in added["Tags"]} == tags_of(boto, own)
    assert tags_of(boto, own) == {"team": "red", "cost": "7", "ключ": "да"}
    boto.sagemaker.delete_tags(ResourceArn=own, TagKeys=["cost", "absent"])
    assert tags_of(boto, own) == {"team": "red", "ключ": "да"}
    if kind == "model":
        boto.sagemaker.delete_model(ModelName=name)
    else:
        boto.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    assert "Could not find" in invalid(boto.sagemaker.list_tags, ResourceArn=own)
    create()
    assert tags_of(boto, own) == {}


@pytest.mark.semantics("limits.tags")
def test_something_has_50_tags_at_most(boto: Account, name: str) -> None:
    boto.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE},
        Tags=listed(**{f"k{number}": "" for number in range(50)}),
    )
    own = arn("model", name)
    boto.sagemaker.add_tags(ResourceArn=own, Tags=listed(k0="again"))
    assert "51 tags; 50 are allowed" in invalid(
        boto.sagemaker.add_tags, ResourceArn=own, Tags=listed(more="")
    )
    assert len(tags_of(boto, own)) == 50


@pytest.mark.semantics("limits.tags")
@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ({"Key": "", "Value": "x"}, "greater than or equal to 1"),
        ({"Key": "k" * 129, "Value": "x"}, "less than or equal to 128"),
        ({"Key": "k", "Value": "x" * 257}, "less than or equal to 256"),
        ({"Key": "off=(M-F,19)", "Value": "x"}, "regular expression pattern"),
        ({"Key": "aws:own", "Value": "x"}, "reserved"),
        ({"Key": "k"}, "Value null at 'tags.1.member.value'"),
    ],
    ids=["empty", "key", "value", "custodian", "reserved", "half"],
)
def test_a_tag_that_cannot_be_is_refused(boto: Account, tag: dict[str, str], told: str) -> None:
    own = arn("model", "no-op")
    assert told in invalid(boto.sagemaker.add_tags, ResourceArn=own, Tags=[tag])


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (arn("model", "absent"), 'Could not find model "'),
        (arn("endpoint", "absent"), 'Could not find endpoint "'),
        (arn("endpoint-config", "absent"), 'Could not find endpoint configuration "'),
        (arn("inference-component", "absent"), 'Could not find inference component "'),
        (arn("training-job", "absent"), "inference-component/NAME"),
        ("arn:aws:sagemaker:eu-west-1:000000000000:model/no-op", "another region or account"),
        ("arn:aws:sagemaker:us-east-1:123456789012:model/no-op", "another region or account"),
        ("no-op", "'resourceArn'"),
    ],
)
def test_what_is_not_here_has_no_tags(boto: Account, own: str, told: str) -> None:
    assert told in invalid(boto.sagemaker.list_tags, ResourceArn=own)
    assert told in invalid(boto.sagemaker.add_tags, ResourceArn=own, Tags=[])
    assert told in invalid(boto.sagemaker.delete_tags, ResourceArn=own, TagKeys=["k"])


# -- who may ---------------------------------------------------------------------------------


def test_an_operator_reads_and_does_not_write(boto: Account, name: str) -> None:
    operator = boto.other(name, role="operator")
    assert operator.sagemaker.describe_model(ModelName="no-op")["ModelName"] == "no-op"
    code, told = refusal(
        operator.sagemaker.create_model, ModelName="m", PrimaryContainer={"Image": IMAGE}
    )
    assert code == "AccessDeniedException"
    assert told.startswith(
        f"User: arn:aws:iam::000000000000:user/{name} is not authorized to perform: "
        "sagemaker:CreateModel on resource: * because"
    )


def test_an_event_says_who_made_a_model(boto: Account, name: str) -> None:
    boto.sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE})
    (event,) = [
        each
        for each in boto.house.events(kind="model.created")
        if isinstance(each["data"], dict) and each["data"]["name"] == name
    ]
    assert event["actor"] == "admin"


@pytest.mark.semantics("clients.unknown")
def test_an_operation_that_is_not_built_is_named_and_counted(boto: Account) -> None:
    code, told = refusal(boto.sagemaker.list_training_jobs)
    assert code == "UnknownOperationException"
    assert "'SageMaker.ListTrainingJobs'" in told
    assert "CreateEndpoint," in told
    (event,) = boto.house.events(kind="sagemaker.unknown_operation")
    assert event["data"] == {
        "operation": "ListTrainingJobs", "asked": "SageMaker.ListTrainingJobs", "count": 1,
    }  # fmt: skip
