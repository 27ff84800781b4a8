"""The stacks of archives, serving and many models, as they are synthesized."""

from __future__ import annotations

import hashlib
import json
import tarfile

import pytest

from parkade.apps.cli import archives
from parkade.domain.errors import InvalidInput
from parkade.infra import assortment
from parkade.infra.naming import Title
from parkade.infra.stacks import archive
from tests.infra.projects import FILES, IMAGE, INFERENCE, WHOLE
from tests.infra.synthesizing import estate, synthesized

MODEL, CONFIG = "AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"
ENDPOINT, BUCKET = "AWS::SageMaker::Endpoint", "AWS::S3::Bucket"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


@pytest.fixture(scope="module")
def whole():
    return synthesized(WHOLE, files=FILES)


def _by(resources, member):
    return {each["Properties"][member]: each for each in resources.values()}


def _statements(assembly, title):
    for each in assembly.resources(title, "AWS::IAM::Policy").values():
        yield from each["Properties"]["PolicyDocument"]["Statement"]


def _actions(statement):
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


def _logical(assembly, title, kind, member, value):
    return next(
        name
        for name, each in assembly.resources(title, kind).items()
        if each["Properties"][member] == value
    )


def test_each_stack_is_there_for_what_the_file_has():
    titles = {name.rpartition("-")[2] for name in synthesized().stacks}
    assert titles == {Title.METER, Title.API, Title.DEPLOYER, Title.MAINTAINER}


def test_a_folder_is_stored_where_apply_stores_it(whole):
    project = estate(WHOLE, files=FILES)
    source = project.folder / "models" / "model-a"
    applied = archives.read(
        "model-a", source, bucket="textclassificationdemo-archive", prefix="TextClassificationDemo"
    )
    stored = whole.only(Title.ARCHIVING, archive.TYPE)
    assert stored["Target"] == applied.address
    model = _by(whole.resources(Title.SERVING, MODEL), "ModelName")
    urls = {each["Properties"]["PrimaryContainer"]["ModelDataUrl"] for each in model.values()}
    assert applied.address in urls


def test_what_is_uploaded_is_the_packed_folder(whole):
    stored = whole.only(Title.ARCHIVING, archive.TYPE)
    (packed,) = whole.folder.glob("asset.*.tar.gz")
    assert hashlib.sha256(packed.read_bytes()).hexdigest() == stored["Digest"]
    with tarfile.open(packed) as members:
        assert members.getnames() == ["code/inference.py"]
    manifest = json.loads(
        (whole.folder / f"{whole.prefix}-{Title.ARCHIVING}.assets.json").read_text()
    )
    (file,) = [each for each in manifest["files"].values() if each["source"]["path"] == packed.name]
    (destination,) = file["destinations"].values()
    assert stored["Source"].startswith("s3://cdk-hnb659fds-assets-123456789012-us-east-1/")
    assert stored["Source"].endswith(f"/{destination['objectKey']}")


def test_buckets_of_the_project_are_closed_encrypted_and_kept(whole):
    named = {
        each["Properties"]["BucketName"]: each
        for each in whole.resources(Title.ARCHIVING, BUCKET).values()
        if "BucketName" in each["Properties"]
    }
    assert set(named) == {
        "textclassificationdemo-archive",
        "textclassificationdemo-captured",
        "textclassificationdemo-many",
    }
    for each in named.values():
        told = each["Properties"]
        assert each["DeletionPolicy"] == "Retain"
        assert told["VersioningConfiguration"] == {"Status": "Enabled"}
        assert "BucketEncryption" in told
        assert "LoggingConfiguration" in told
        assert all(told["PublicAccessBlockConfiguration"].values())
    policies = whole.resources(Title.ARCHIVING, "AWS::S3::BucketPolicy").values()
    assert len(policies) == 4  # that of the access logs, too
    for each in policies:
        denied = [
            one
            for one in each["Properties"]["PolicyDocument"]["Statement"]
            if one["Effect"] == "Deny"
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [one["Condition"] for one in denied]


def test_a_bucket_of_somebody_else_is_not_made():
    text = WHOLE.replace("s3://textclassificationdemo-captured", "s3://shared-captures")
    assert "shared-captures" not in assortment.own_buckets(estate(text, files=FILES))


def test_without_retaining_buckets_go_with_what_is_in_them():
    text = f"project: Demo\nmodels: {{a: {{source: a, image: {IMAGE}}}}}\n"
    gone = synthesized(text, files=(("a/code/inference.py", INFERENCE),), retains=False)
    buckets = gone.resources(Title.ARCHIVING, BUCKET).values()
    assert len(buckets) == 2
    assert {each["DeletionPolicy"] for each in buckets} == {"Delete"}
    assert len(gone.resources(Title.ARCHIVING, "Custom::S3AutoDeleteObjects")) == 2
    # What nobody serves is a model all the same.
    (model,) = gone.resources(Title.SERVING, MODEL).values()
    assert model["Properties"]["ModelName"].startswith("Demo-a-")


def test_models_are_made_after_their_role_may_read_their_data(whole):
    for each in whole.resources(Title.SERVING, MODEL).values():
        assert any("Policy" in name for name in each["DependsOn"])
    read = [each for each in _statements(whole, Title.SERVING) if "s3:GetObject" in _actions(each)]
    (statement,) = read
    resources = json.dumps(statement["Resource"])
    assert "models/model-b.tar.gz" in resources
    assert "textclassificationdemo-archive/TextClassificationDemo/" in resources
    assert "*" not in resources


def test_an_endpoint_without_a_lease_is_the_stacks_own(whole):
    endpoints = _by(whole.resources(Title.SERVING, ENDPOINT), "EndpointName")
    assert set(endpoints) == {"TextClassificationDemo-text", "TextClassificationDemo-shadowed"}
    text = endpoints["TextClassificationDemo-text"]["Properties"]
    configs = _by(whole.resources(Title.SERVING, CONFIG), "EndpointConfigName")
    variants = configs[text["EndpointConfigName"]]["Properties"]["ProductionVariants"]
    assert [(each["VariantName"], each["InitialVariantWeight"]) for each in variants] == [
        ("Model-A", 9),
        ("Model-B", 1),
    ]


def test_a_leased_endpoint_is_the_meters_and_the_stack_has_its_lease(whole):
    lease = whole.only(Title.SERVING, "Custom::Lease")
    configs = _by(whole.resources(Title.SERVING, CONFIG), "EndpointConfigName")
    assert lease["EndpointName"] == "TextClassificationDemo-paid"
    assert lease["EndpointConfigName"] in configs
    content = json.loads(lease["Content"])
    assert content["minutes"] == 30
    assert content["scaling"]["AllTraffic"]["autoscalingMaxCapacity"] == 2
    ids = {
        each["Properties"]["ResourceId"] for each in whole.resources(Title.SERVING, TARGET).values()
    }
    assert ids == {"endpoint/TextClassificationDemo-text/variant/Model-A"}


def test_deploy_false_makes_the_config_alone(whole):
    names = [
        each["Properties"]["EndpointConfigName"]
        for each in whole.resources(Title.SERVING, CONFIG).values()
    ]
    assert any(name.startswith("TextClassificationDemo-ready-") for name in names)
    assert "TextClassificationDemo-ready" not in _by(
        whole.resources(Title.SERVING, ENDPOINT), "EndpointName"
    )


def test_a_shadow_variant_is_beside_the_one_that_answers(whole):
    config = next(
        each["Properties"]
        for each in whole.resources(Title.SERVING, CONFIG).values()
        if "ShadowProductionVariants" in each["Properties"]
    )
    assert [each["VariantName"] for each in config["ShadowProductionVariants"]] == ["Next"]


def test_scaling_waits_for_the_endpoint_and_its_policy_for_the_target(whole):
    endpoint = _logical(
        whole, Title.SERVING, ENDPOINT, "EndpointName", "TextClassificationDemo-text"
    )
    ((target, told),) = whole.resources(Title.SERVING, TARGET).items()
    assert endpoint in told["DependsOn"]
    (policy,) = whole.resources(Title.SERVING, POLICY).values()
    assert target in policy["DependsOn"]


def test_an_alarm_that_calls_an_update_off_is_there_before_the_endpoint(whole):
    endpoint = _by(whole.resources(Title.SERVING, ENDPOINT), "EndpointName")[
        "TextClassificationDemo-text"
    ]
    rollback = endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]
    assert rollback == {"Alarms": [{"AlarmName": "TextClassificationDemo-slow"}]}
    alarm = _logical(
        whole, Title.SERVING, "AWS::CloudWatch::Alarm", "AlarmName", "TextClassificationDemo-slow"
    )
    assert alarm in endpoint["DependsOn"]
    others = _by(whole.resources(Title.MONITOR, "AWS::CloudWatch::Alarm"), "AlarmName")
    assert "TextClassificationDemo-slow" not in others
    assert "TextClassificationDemo-hot" in others


def test_names_are_told_by_parameters(whole):
    told = {
        each["Properties"]["Name"]: each["Properties"]["Value"]
        for each in whole.resources(Title.SERVING, "AWS::SSM::Parameter").values()
    }
    room = "/parkade/TextClassificationDemo/serving"
    assert told[f"{room}/text/endpoint-name"] == "TextClassificationDemo-text"
    assert told[f"{room}/model-a/model-name"].startswith("TextClassificationDemo-model-a-")
    assert set(told) >= {f"{room}/paid/endpoint-config-name"}


def test_another_file_in_a_folder_is_another_model_config_and_address():
    changed = tuple(
        (name, content + "# changed\n" if name.endswith("inference.py") else content)
        for name, content in FILES
    )
    before, after = estate(WHOLE, files=FILES), estate(WHOLE, files=changed)
    again = estate(WHOLE, files=FILES)
    for told in (
        lambda each: [one.address for one in each.archives],
        lambda each: [one.name for one in assortment.models(each, Title.SERVING)],
        lambda each: [one.config_name for one in assortment.endpoints(each, Title.SERVING)],
    ):
        assert told(before) == told(again)
        assert told(before) != told(after)
    # The models of folders that were left alone keep their names.
    kept = {one.name for one in assortment.models(before, Title.SERVING)}
    assert len(kept & {one.name for one in assortment.models(after, Title.SERVING)}) == 1


def test_many_models_are_read_below_their_prefix_alone(whole):
    (model,) = whole.resources(Title.MULTI_MODEL, MODEL).values()
    container = model["Properties"]["PrimaryContainer"]
    assert container["Mode"] == "MultiModel"
    assert container["ModelDataUrl"] == "s3://textclassificationdemo-many/models/"
    by_action = {
        action: each for each in _statements(whole, Title.MULTI_MODEL) for action in _actions(each)
    }
    assert "textclassificationdemo-many/models/*" in json.dumps(by_action["s3:GetObject"])
    assert by_action["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": ["models/*"]}}


def test_an_image_is_built_of_its_folder_when_the_stack_is_deployed(whole):
    manifest = json.loads(
        (whole.folder / f"{whole.prefix}-{Title.MULTI_MODEL}.assets.json").read_text()
    )
    ((digest, image),) = manifest["dockerImages"].items()
    assert (whole.folder / image["source"]["directory"] / "Dockerfile").is_file()
    assert image["source"]["platform"] == "linux/amd64"
    (model,) = whole.resources(Title.MULTI_MODEL, MODEL).values()
    assert digest in json.dumps(model["Properties"]["PrimaryContainer"]["Image"])
    pulls = [
        each
        for each in _statements(whole, Title.MULTI_MODEL)
        if "ecr:BatchGetImage" in _actions(each)
    ]
    assert "cdk-hnb659fds-container-assets" in json.dumps(pulls)


def test_another_dockerfile_is_another_model():
    names = []
    for text in ("FROM scratch\n", "FROM scratch\nLABEL a=b\n"):
        files = tuple((n, text if n == "docker/Dockerfile" else c) for n, c in FILES)
        names.append(
            next(m.name for m in assortment.models(estate(WHOLE, files=files), Title.MULTI_MODEL))
        )
    assert names[0] != names[1]


def test_a_folder_that_is_no_model_is_refused():
    text = f"project: Demo\nmodels: {{a: {{source: a, image: {IMAGE}}}}}\n"
    with pytest.raises(InvalidInput, match=r"code/inference\.py"):
        estate(text, files=(("a/readme.md", ""),))
