"""Foundation models: JumpStart ids looked up, and what their stack makes of them."""

from __future__ import annotations

import pytest

from parkade.adapters.aws.jumpstart import JumpStartModel
from parkade.domain.errors import InvalidInput, Unavailable
from parkade.infra.naming import Title
from tests.infra.synthesizing import assembled, estate, synthesized

_IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.30.0-lmi"
FALCON = """
project: Demo
region: us-east-1
models:
  falcon: {jumpstart: "huggingface-llm-falcon-40b@2.*", environment: {OPTION: mine}}
endpoints:
  falcon: {deploy: false, lease: {minutes: 30}, variants: [{model: falcon, type: ml.g5.12xlarge}]}
"""


class Catalog:
    """Knows one model, as JumpStart would."""

    def __init__(self, **told):
        self.asked = []
        self._told = {"image": _IMAGE, "data_url": "s3://cache/falcon.tar.gz"} | told

    def resolve(self, model_id, *, version="*", instance_type=""):
        self.asked.append((model_id, version, instance_type))
        return JumpStartModel(
            model_id=model_id,
            version="2.1.0",
            instance_type=instance_type,
            environment={"OPTION": "theirs", "OTHER": "1"},
            **self._told,
        )


class Nothing:
    def resolve(self, model_id, *, version="*", instance_type=""):
        raise Unavailable("JumpStart cannot be asked", hint="give image and data")


def _model(catalog, text=FALCON):
    assembly = assembled(estate(text, catalog=catalog))
    return assembly.only(Title.FOUNDATION_MODELS, "AWS::SageMaker::Model")["PrimaryContainer"]


def test_an_id_becomes_image_data_and_environment_where_the_files_own_comes_first():
    catalog = Catalog()
    container = _model(catalog)
    assert container["Image"] == _IMAGE
    assert container["ModelDataUrl"] == "s3://cache/falcon.tar.gz"
    assert container["Environment"] == {"OPTION": "mine", "OTHER": "1"}
    assert set(catalog.asked) == {("huggingface-llm-falcon-40b", "2.*", "ml.g5.12xlarge")}


def test_data_that_are_no_archive_are_named_as_the_prefix_that_they_are():
    container = _model(Catalog(data_url="s3://cache/falcon/artifacts/"))
    assert "ModelDataUrl" not in container
    assert container["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": "s3://cache/falcon/artifacts/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }


def test_terms_are_accepted_by_who_says_so_and_by_nobody_else():
    with pytest.raises(InvalidInput, match="terms that have to be accepted") as error:
        estate(FALCON, catalog=Catalog(gated=True))
    assert "models.falcon.accept_eula: " in error.value.message
    accepted = FALCON.replace("environment:", "accept_eula: true, environment:")
    source = _model(Catalog(gated=True), accepted)["ModelDataSource"]["S3DataSource"]
    assert source["ModelAccessConfig"] == {"AcceptEula": True}


def test_a_model_that_is_a_package_is_named_by_it():
    arn = "arn:aws:sagemaker:us-east-1:865070037744:model-package/falcon"
    container = _model(Catalog(image="", data_url="", package=arn))
    assert container["ModelPackageName"] == arn
    assert "Image" not in container


def test_without_a_way_to_jumpstart_the_model_is_named_and_what_to_do():
    with pytest.raises(Unavailable, match="model falcon: JumpStart cannot be asked") as error:
        estate(FALCON, catalog=Nothing())
    assert error.value.hint == "give image and data"


def test_models_and_config_are_made_and_the_endpoint_is_the_meters():
    assembly = assembled(estate(FALCON, catalog=Catalog()))
    assert not assembly.resources(Title.FOUNDATION_MODELS, "AWS::SageMaker::Endpoint")
    (config,) = assembly.resources(
        Title.FOUNDATION_MODELS, "AWS::SageMaker::EndpointConfig"
    ).values()
    (model_id,) = assembly.resources(Title.FOUNDATION_MODELS, "AWS::SageMaker::Model")
    assert model_id in config["DependsOn"]


def test_what_is_remembered_of_the_file_is_the_id():
    document = estate(FALCON, catalog=Catalog()).project.document
    assert document["models"]["falcon"]["jumpstart"] == "huggingface-llm-falcon-40b@2.*"
    assert "image" not in document["models"]["falcon"]


def test_an_asynchronous_endpoint_that_names_no_topics_gets_two_of_its_own():
    text = (
        "project: Demo\n"
        f"models: {{m: {{image: {_IMAGE}, data: s3://mine/m.tar.gz}}}}\n"
        "endpoints: {later: {variants: [{model: m, type: ml.c5.large}],"
        " async: {output: s3://mine/out/}}}\n"
    )
    assembly = synthesized(text)
    topics = assembly.resources(Title.FOUNDATION_MODELS, "AWS::SNS::Topic")
    assert len(topics) == 2
    config = assembly.only(Title.FOUNDATION_MODELS, "AWS::SageMaker::EndpointConfig")
    told = config["AsyncInferenceConfig"]["OutputConfig"]["NotificationConfig"]
    assert {told["SuccessTopic"]["Ref"], told["ErrorTopic"]["Ref"]} == set(topics)
    named = text.replace(
        "s3://mine/out/", "s3://mine/out/, error_topic: 'arn:aws:sns:us-east-1:1:mine'"
    )
    assert not synthesized(named).resources(Title.FOUNDATION_MODELS, "AWS::SNS::Topic")
