"""The limits of models, configs and variants."""

import math

import pytest

from parkade.domain.blueprint import Retained
from parkade.domain.catalog import Asynchronous, Capture, Serverless
from parkade.domain.errors import InvalidInput
from parkade.domain.names import s3_prefix
from tests.builders import (
    a_blueprint,
    a_component,
    a_config,
    a_container,
    a_model,
    a_variant,
)

MULTI = a_container(multi_model=True, data_url="s3://models/many/")


@pytest.mark.semantics("names.endpoint", "limits.environment", "names.model")
@pytest.mark.parametrize(
    ("build", "changes", "field"),
    [
        (a_model, {"name": "a_b"}, "ModelName"),
        (a_model, {"image": ""}, "Image"),
        (a_model, {"image": "a b"}, "Image"),
        (a_model, {"image": "a" * 256}, "Image"),
        (a_model, {"data_url": "https://example.com/model.tar.gz"}, "ModelDataUrl"),
        (a_model, {"environment": {"1A": "x"}}, "Environment"),
        (a_model, {"environment": {"A B": "x"}}, "Environment"),
        (a_model, {"environment": {"A": "x" * 1025}}, "Environment"),
        (a_model, {"environment": {"A" * 1025: "x"}}, "Environment"),
        (a_model, {"environment": {"A": "x\0y"}}, "Environment"),
        (a_model, {"environment": {f"K{n}": "" for n in range(101)}}, "Environment"),
        (a_variant, {"name": "a.b"}, "VariantName"),
        (a_variant, {"model_name": "-"}, "ModelName"),
        (a_variant, {"instance_type": "c5.xlarge"}, "InstanceType"),
        (a_variant, {"instance_count": -1}, "DesiredInstanceCount"),
        (a_variant, {"instance_count": True}, "DesiredInstanceCount"),
        (a_variant, {"weight": -0.1}, "InitialVariantWeight"),
        (a_variant, {"weight": math.nan}, "InitialVariantWeight"),
        (a_variant, {"weight": math.inf}, "InitialVariantWeight"),
        (a_model, {"data_url": "", "multi_model": True}, "ModelDataUrl"),
        (a_model, {"hostname": "a_b"}, "ContainerHostname"),
        (a_model, {"containers": (a_container(),) * 16}, "Containers"),
        (a_model, {"containers": (a_container(hostname="a"),) * 2}, "Containers"),
        (a_model, {"containers": (a_container(), MULTI)}, "Containers"),
        (a_model, {"direct": True}, "ContainerHostname"),
        (a_variant, {"download_timeout": 59}, "ModelDataDownloadTimeoutInSeconds"),
        (a_variant, {"startup_timeout": 3601}, "ContainerStartupHealthCheckTimeoutInSeconds"),
        (Serverless, {"memory_mb": 1000, "concurrency": 1}, "MemorySizeInMB"),
        (Serverless, {"memory_mb": 7168, "concurrency": 1}, "MemorySizeInMB"),
        (Serverless, {"memory_mb": 1024, "concurrency": 201}, "MaxConcurrency"),
        (
            Serverless,
            {"memory_mb": 1024, "concurrency": 2, "provisioned": 3},
            "ProvisionedConcurrency",
        ),
        (Capture, {"destination": "bucket", "percentage": 1}, "DestinationS3Uri"),
        (Capture, {"destination": "s3://bucket", "percentage": 101}, "InitialSamplingPercentage"),
        (Asynchronous, {"output": ""}, "S3OutputPath"),
        (Asynchronous, {"output": "s3://bucket", "failure": "here"}, "S3FailurePath"),
        (
            Asynchronous,
            {"output": "s3://bucket", "concurrency": 1001},
            "MaxConcurrentInvocationsPerInstance",
        ),
        (a_component, {"name": "a_b"}, "InferenceComponentName"),
        (a_component, {"copies": -1}, "CopyCount"),
        (a_config, {"shadows": (a_variant(),)}, "ProductionVariants"),
        (a_config, {"shadows": (a_variant("a"), a_variant("b"))}, "ShadowProductionVariants"),
        (
            a_config,
            {"variants": (a_variant("a"), a_variant("b")), "shadows": (a_variant("c"),)},
            "ShadowProductionVariants",
        ),
        (a_config, {"variants": (a_variant("a"), a_variant("b", model_name=""))}, "ModelName"),
        (
            a_config,
            {
                "asynchronous": Asynchronous(output="s3://answers"),
                "capture": Capture(destination="s3://taken", percentage=100),
            },
            "DataCaptureConfig",
        ),
        (
            a_config,
            {
                "asynchronous": Asynchronous(output="s3://answers"),
                "shadows": (a_variant("shade"),),
            },
            "ShadowProductionVariants",
        ),
        (a_config, {"name": "a b"}, "EndpointConfigName"),
        (a_config, {"variants": ()}, "ProductionVariants"),
        (a_config, {"variants": (a_variant(), a_variant())}, "ProductionVariants"),
        (
            a_config,
            {"variants": tuple(a_variant(f"v{n}") for n in range(11))},
            "ProductionVariants",
        ),
        (a_config, {"variants": (a_variant(weight=0),)}, "InitialVariantWeight"),
    ],
)
def test_what_is_over_its_limit_is_refused_by_the_name_of_its_field(build, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        build(**changes)
    assert refusal.value.field == field


def test_the_limits_themselves_are_allowed():
    a_model("m" * 63, image="i" * 255, environment={f"K{n}": "v" * 1024 for n in range(100)})
    a_model(data_url="")
    a_config(variants=tuple(a_variant(f"v{n}", weight=n) for n in range(10)))
    a_variant(instance_type="ml.inf2.48xlarge", instance_count=64)


def test_a_deployment_takes_other_counts_and_weights_for_the_variants_named():
    config = a_config(variants=(a_variant("a"),), shadows=(a_variant("b", weight=0.5),))
    changed = a_blueprint(config).changed({"a": 4}, {"b": 0.25}).config
    assert [(each.name, each.instance_count, each.weight) for each in changed.every] == [
        ("a", 4, 1.0),
        ("b", 1, 0.25),
    ]


def test_no_endpoint_begins_without_an_instance():
    config = a_config(variants=(a_variant(), a_variant("green", instance_count=0)))
    with pytest.raises(InvalidInput, match="InitialInstanceCount 0 is less than 1"):
        config.require_initial()


@pytest.mark.parametrize(
    ("asynchronous", "kept"), [(Asynchronous(output="s3://answers/b"), 0), (None, 1)]
)
def test_a_count_of_none_is_retained_by_asynchronous_endpoints_alone(asynchronous, kept):
    former = a_blueprint(
        a_config(
            variants=(a_variant(instance_count=0),),
            asynchronous=Asynchronous(output="s3://answers/b"),
        )
    )
    following = a_blueprint(
        a_config(variants=(a_variant(instance_count=2),), asynchronous=asynchronous)
    ).retaining(former, {Retained.COUNTS})
    assert [each.instance_count for each in following.config.variants] == [kept]


def test_a_config_without_models_hosts_components():
    assert a_config(variants=(a_variant(model_name=""),)).hosts_components
    assert not a_config().hosts_components


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://bucket", ("bucket", "")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://bucket/a/b", ("bucket", "a/b/")),
        ("s3://bucket/a/b/", ("bucket", "a/b/")),
    ],
)
def test_a_prefix_ends_with_a_slash_or_is_empty(address, parts):
    assert s3_prefix(address) == parts


@pytest.mark.parametrize("address", ["", "bucket", "s3://", "s3://b", "s3://bucket/../x", None])
def test_what_is_no_prefix_is_refused(address):
    with pytest.raises(InvalidInput, match=r"s3://|key"):
        s3_prefix(address)


def test_a_shadow_test_has_no_multi_model_endpoint():
    config = a_config(variants=(a_variant("a"),), shadows=(a_variant("b"),))
    with pytest.raises(InvalidInput, match="ShadowProductionVariants"):
        a_blueprint(config, [a_model(containers=(MULTI,))])


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"shadows": (a_variant("shade", weight=0.5),)}, "ShadowProductionVariants"),
        ({"asynchronous": Asynchronous(output="s3://answers")}, "AsyncInferenceConfig"),
    ],
    ids=["shadow", "asynchronous"],
)
def test_what_names_no_target_model_does_not_go_with_many(members, field):
    many = a_model("falcon-model", multi_model=True, data_url="s3://models/many/")
    assert a_blueprint(a_config(), [many])
    with pytest.raises(InvalidInput) as error:
        a_blueprint(a_config(**members), [many])
    assert error.value.field == field
