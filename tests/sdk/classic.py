"""What people do with version 2 of SageMaker's Python SDK; run by its Python, in an empty folder.

Prints a line of JSON for each of its steps.
"""

import json
import tarfile
from pathlib import Path

import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.sklearn import SKLearnModel

SCRIPT = """
import json

def model_fn(model_dir):
    with open(model_dir + "/factor.json") as file:
        return json.load(file)

def predict_fn(data, model):
    return [each * model for each in data]
"""
#: The SDK looks every half minute whether an endpoint is there; this does it for itself.
SOON = {"wait": False, "initial_instance_count": 1, "instance_type": "ml.c5.large"}


def tell(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)  # noqa: T201  for the test that runs this


def packed(name, **files):
    for path, text in files.items():
        Path(path).write_text(text)
    with tarfile.open(name, "w:gz") as tar:
        for path in files:
            tar.add(path, "code/inference.py" if path.endswith(".py") else path)
    return name


class Account:
    def __init__(self):
        self.session = sagemaker.Session()
        self.bucket = self.session.default_bucket()
        region = self.session.boto_region_name
        self.image = sagemaker.image_uris.retrieve(
            "sklearn", region, version="1.2-1", instance_type="ml.c5.large"
        )

    def predictor(self, name, kind=Predictor):
        self.session.wait_for_endpoint(name, poll=1)
        serializer, deserializer = sagemaker.serializers.JSONSerializer(), JSONDeserializer()
        plain = Predictor(name, self.session, serializer=serializer, deserializer=deserializer)
        return plain if kind is Predictor else kind(plain)

    def plain(self, name, **members):
        data = self.session.upload_data("whole.tar.gz", key_prefix=name)
        model = Model(self.image, data, name=name, sagemaker_session=self.session)
        model.deploy(endpoint_name=name, **SOON, **members)


def script_beside_the_model(account):
    data = account.session.upload_data("bare.tar.gz", key_prefix="models")
    model = SKLearnModel(
        data, entry_point="serve.py", framework_version="1.2-1", name="script",
        role="arn:aws:iam::000000000000:role/any",
    )  # fmt: skip
    model.deploy(endpoint_name="script", **SOON)
    predictor = account.predictor("script")
    tell("script", data=data, answer=predictor.predict([1, 2]))
    predictor.delete_model()
    predictor.delete_endpoint(delete_endpoint_config=False)
    left = [each["ModelName"] for each in account.session.sagemaker_client.list_models()["Models"]]
    tell("script-gone", models=left)


def captured(account):
    rule = DataCaptureConfig(enable_capture=True, sampling_percentage=100)
    account.plain("captured", data_capture_config=rule)
    predictor = account.predictor("captured")
    answer = predictor.predict([3])
    described = account.session.sagemaker_client.describe_endpoint(EndpointName="captured")
    tell("captured", answer=answer, capture=described["DataCaptureConfig"])


def asynchronous(account):
    account.plain("later", async_inference_config=AsyncInferenceConfig())
    predictor = account.predictor("later", AsyncPredictor)
    waited = WaiterConfig(max_attempts=60, delay=1)
    answer = predictor.predict_async([4])
    tell("async", path=answer.output_path, answer=answer.get_result(waited))


def many(account):
    prefix = f"s3://{account.bucket}/many/"
    models = MultiDataModel(
        "many", prefix, image_uri=account.image, sagemaker_session=account.session,
        role="arn:aws:iam::000000000000:role/any",
    )  # fmt: skip
    models.deploy(endpoint_name="many", **SOON)
    predictor = account.predictor("many")
    models.add_model("whole.tar.gz", "a/first.tar.gz")
    answer = predictor.predict([5], target_model="a/first.tar.gz")
    tell("many", models=list(models.list_models()), answer=answer)


def refused(account):
    model = Model(account.image, f"s3://{account.bucket}/none.tar.gz", name="none")
    model.deploy(endpoint_name="none", **SOON)
    try:
        account.session.wait_for_endpoint("none", poll=1)
    except UnexpectedStatusException as error:
        tell("refused", why=str(error))


def main():
    packed("bare.tar.gz", **{"factor.json": "10"})
    Path("serve.py").write_text(SCRIPT)
    packed("whole.tar.gz", **{"factor.json": "100", "serve.py": SCRIPT})
    account = Account()
    tell("bucket", name=account.bucket)
    for step in (script_beside_the_model, captured, asynchronous, many, refused):
        step(account)


if __name__ == "__main__":
    main()
