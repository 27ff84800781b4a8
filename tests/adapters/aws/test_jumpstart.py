"""JumpStart ids, from a bucket with manifests and descriptions in the form of AWS's own."""

import json

import pytest

from parkade.adapters.aws.jumpstart import JumpStart
from parkade.domain.errors import Forbidden, InvalidInput, Unavailable
from tests.aws_account import REGION, an_account, write_config
from tests.stubbed import stubbed

BUCKET = f"jumpstart-cache-prod-{REGION}"
REGISTRY = f"763104351884.dkr.ecr.{REGION}.amazonaws.com"


def a_header(model_id, version, key=None):
    return {
        "model_id": model_id,
        "version": version,
        "min_version": "2.49.0",
        "spec_key": key or f"community_models/{model_id}/specs_v{version}.json",
    }


def a_spec(model_id, version, **changes):
    return {
        "model_id": model_id,
        "url": "https://huggingface.co/it",
        "version": version,
        "min_sdk_version": "2.49.0",
        "hosting_artifact_key": f"{model_id}/artifacts/inference/v1.0.0/",
        "hosting_script_key": f"{model_id}/scripts/inference.tar.gz",
        "hosting_prepacked_artifact_key": f"{model_id}/artifacts/inference-prepack/v1.0.0/",
        "hosting_use_script_uri": False,
        "inference_environment_variables": [
            {"name": "SAGEMAKER_PROGRAM", "type": "text", "default": "inference.py", "scope": "container", "required_for_model_class": True},
            {"name": "MODEL_CACHE_ROOT", "type": "text", "default": "/opt/ml/model", "scope": "container"},
            {"name": "OPTION_TENSOR_PARALLEL", "type": "int", "default": 1, "scope": "container"},
        ],
        "default_inference_instance_type": "ml.g5.2xlarge",
        "supported_inference_instance_types": ["ml.g5.2xlarge", "ml.g5.12xlarge", "ml.m5.large"],
        "hosting_instance_type_variants": {
            "regional_aliases": {
                REGION: {
                    "gpu_ecr_uri_1": f"{REGISTRY}/djl-inference:0.27.0",
                    "cpu_ecr_uri_1": f"{REGISTRY}/pytorch-inference:2.1.0-cpu",
                }
            },
            "variants": {
                "g5": {
                    "regional_properties": {"image_uri": "$gpu_ecr_uri_1"},
                    "properties": {"environment_variables": {"FAMILY": "g5", "SIZE": "any"}},
                },
                "m5": {"regional_properties": {"image_uri": "$cpu_ecr_uri_1"}},
                "ml.g5.12xlarge": {
                    "properties": {
                        "environment_variables": {"OPTION_TENSOR_PARALLEL": "4", "SIZE": "12xlarge"},
                        "prepacked_artifact_key": f"{model_id}/artifacts/four-gpus.tar.gz",
                    }
                },
            },
        },
        **changes,
    }  # fmt: skip


SPECS = {
    ("falcon-7b", "2.9.0"): {},
    ("falcon-7b", "2.10.0"): {},
    ("falcon-7b", "1.4.0"): {"deprecated": True, "deprecated_message": "take version 2"},
    ("llama", "1.0.0"): {"gated_bucket": True, "inference_vulnerable": True, "inference_vulnerabilities": ["CVE-1"]},
    ("old", "1.0.0"): {"hosting_prepacked_artifact_key": None, "hosting_use_script_uri": True},
    ("plain", "1.0.0"): {"hosting_prepacked_artifact_key": None, "inference_enable_network_isolation": True},
    ("nowhere", "1.0.0"): {"hosting_instance_type_variants": {"regional_aliases": {}, "variants": {}}},
    ("ranked", "1.0.0"): {
        "inference_config_rankings": {"overall": {"description": "best", "rankings": ["fast", "cheap"]}},
        "inference_configs": {"fast": {"component_names": ["lmi"]}, "cheap": {"component_names": []}},
        "inference_config_components": {"lmi": {"component_name": "lmi", "hosting_prepacked_artifact_key": "fast/v1/"}},
    },
}  # fmt: skip
PACKAGE = f"arn:aws:sagemaker:{REGION}:865070037744:model-package/sold-1"


@pytest.fixture(scope="module")
def account(aws):
    """The shared account, with JumpStart's bucket in it."""
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(key, content):
        client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content).encode())

    put("models_manifest.json", [a_header(*each) for each in SPECS])
    put("proprietary-sdk-manifest.json", [a_header("sold", "3.0.0")])
    for (model_id, version), changes in SPECS.items():
        put(a_header(model_id, version)["spec_key"], a_spec(model_id, version, **changes))
    sold = a_spec("sold", "3.0.0", hosting_model_package_arns={REGION: PACKAGE})
    put(a_header("sold", "3.0.0")["spec_key"], sold)
    yield aws
    for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]:
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="module")
def jumpstart(account):
    return JumpStart(account)


def test_an_id_is_an_image_data_and_an_environment(jumpstart):
    found = jumpstart.resolve("falcon-7b")
    assert (found.version, found.instance_type) == ("2.10.0", "ml.g5.2xlarge")
    assert found.image == f"{REGISTRY}/djl-inference:0.27.0"
    assert found.data_url == f"s3://{BUCKET}/falcon-7b/artifacts/inference-prepack/v1.0.0/"
    assert not found.archived
    assert found.environment == {
        "SAGEMAKER_PROGRAM": "inference.py", "MODEL_CACHE_ROOT": "/opt/ml/model",
        "OPTION_TENSOR_PARALLEL": "1", "FAMILY": "g5", "SIZE": "any",
    }  # fmt: skip
    assert (found.package, found.gated, found.isolated, found.warning) == ("", False, False, "")


def test_a_type_of_instance_has_what_is_its_own(jumpstart):
    found = jumpstart.resolve("falcon-7b", instance_type="ml.g5.12xlarge")
    assert found.image == f"{REGISTRY}/djl-inference:0.27.0"
    assert found.data_url == f"s3://{BUCKET}/falcon-7b/artifacts/four-gpus.tar.gz"
    assert found.archived
    assert found.environment["OPTION_TENSOR_PARALLEL"] == "4"
    assert found.environment["SIZE"] == "12xlarge"
    assert jumpstart.resolve("falcon-7b", instance_type="ml.m5.large").image.endswith("-cpu")


@pytest.mark.parametrize(
    ("version", "found"), [("*", "2.10.0"), ("2.*", "2.10.0"), ("2.9.0", "2.9.0"), ("1.*", "1.4.0")]
)
def test_the_newest_of_the_versions_that_are_meant(jumpstart, version, found):
    assert jumpstart.resolve("falcon-7b", version=version).version == found


def test_what_speaks_against_a_version_is_told(jumpstart):
    assert jumpstart.resolve("falcon-7b", version="1.4.0").warning == "take version 2"
    assert "CVE-1" in jumpstart.resolve("llama").warning


def test_a_gated_model_lies_in_a_bucket_of_its_own(jumpstart):
    found = jumpstart.resolve("llama")
    assert found.gated
    assert found.data_url.startswith(f"s3://jumpstart-private-cache-prod-{REGION}/llama/")


def test_a_model_that_is_sold_is_a_package(jumpstart):
    found = jumpstart.resolve("sold")
    assert (found.package, found.image, found.data_url) == (PACKAGE, "", "")


def test_the_configuration_that_is_ranked_first_counts(jumpstart):
    assert jumpstart.resolve("ranked").data_url == f"s3://{BUCKET}/fast/v1/"


def test_data_that_need_no_packing_are_taken_as_they_are(jumpstart):
    found = jumpstart.resolve("plain")
    assert found.data_url == f"s3://{BUCKET}/plain/artifacts/inference/v1.0.0/"
    assert found.isolated


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"model_id": "falcon-7"}, "no model 'falcon-7' in eu-west-1", "image and data in place"),
        ({"model_id": "falcon-7"}, "no model", "falcon-7b"),
        ({"model_id": "falcon-7b", "version": "9.*"}, "no version '9.*'", "1.4.0, 2.9.0, 2.10.0"),
        ({"model_id": "falcon-7b", "instance_type": "ml.p4d.24xlarge"}, "not for", "ml.m5.large"),
        ({"model_id": "old"}, "packed together", "image and data in place"),
        ({"model_id": "nowhere"}, "no image for ml.g5.2xlarge", "image and data in place"),
    ],
)
def test_what_jumpstart_does_not_have_is_told_with_what_to_do(jumpstart, asked, message, hint):
    with pytest.raises(InvalidInput) as refused:
        jumpstart.resolve(**asked)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_without_a_network_it_says_that_locations_can_be_given(tmp_path):
    write_config(tmp_path / "config", "http://127.0.0.1:9", max_attempts=1)
    account = an_account(tmp_path / "config")
    account.client("s3").meta.events.register("needs-retry.s3", lambda **_: None)
    with pytest.raises(Unavailable, match="JumpStart cannot be asked") as refused:
        JumpStart(account).resolve("falcon-7b")
    assert "image and data in place" in refused.value.hint


def test_without_the_permission_it_names_it(aws):
    text = "User x is not authorized to perform: s3:GetObject on resource: it"
    with stubbed(aws, "s3") as (stub, _):
        stub.add_client_error("get_object", "AccessDenied", text, http_status_code=403)
        with pytest.raises(Forbidden) as refused:
            JumpStart(aws).resolve("falcon-7b")
    assert "s3:GetObject" in refused.value.hint
    assert "image and data in place" in refused.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>a proxy says hello</html>", "is not JSON"),
        (b'[{"name": "falcon-7b"}]', "form that is not known"),
        (b'{"models": []}', "form that is not known"),
    ],
)
def test_a_manifest_that_is_none_is_unavailable(account, content, message):
    client = account.client("s3")
    key = "models_manifest.json"
    whole = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    client.put_object(Bucket=BUCKET, Key=key, Body=content)
    try:
        with pytest.raises(Unavailable, match=message):
            JumpStart(account).resolve("falcon-7b")
    finally:
        client.put_object(Bucket=BUCKET, Key=key, Body=whole)
