"""What people do with version 3 of SageMaker's Python SDK; run by its Python, in an empty folder.

Prints a line of JSON for each of its steps.
"""

import json
import tarfile
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.serve.model_builder import ModelBuilder

IMAGE = "sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::000000000000:role/any"
SCRIPT = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    return [each * 10 for each in data]
"""


def tell(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)  # noqa: T201  for the test that runs this


def upload(session):
    Path("inference.py").write_text(SCRIPT)
    with tarfile.open("model.tar.gz", "w:gz") as tar:
        tar.add("inference.py", "code/inference.py")
    return session.upload_data("model.tar.gz", key_prefix="models")


def invoked(endpoint):
    endpoint.wait_for_status("InService", poll=1)
    return json.loads(endpoint.invoke(body="[1, 2]", content_type="application/json").body.read())


def resources(data):
    container = ContainerDefinition(image=IMAGE, model_data_url=data)
    model = Model.create(model_name="m", primary_container=container, execution_role_arn=ROLE)
    variant = ProductionVariant(
        variant_name="AllTraffic", model_name=model, initial_instance_count=1,
        instance_type="ml.c5.large",
    )  # fmt: skip
    config = EndpointConfig.create(endpoint_config_name="c", production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="e", endpoint_config_name=config)
    tell("resources", answer=invoked(endpoint), data=data)
    endpoint.delete()
    endpoint.wait_for_delete(poll=1)
    config.delete()
    model.delete()
    tell(
        "gone",
        left=[
            each.get_name() for kind in (Endpoint, EndpointConfig, Model) for each in kind.get_all()
        ],
    )


def built(session, data):
    builder = ModelBuilder(
        s3_model_data_url=data, image_uri=IMAGE, sagemaker_session=session, role_arn=ROLE,
        instance_type="ml.c5.large",
    )  # fmt: skip
    builder.build(model_name="built")
    endpoint = builder.deploy(endpoint_name="built", initial_instance_count=1, wait=False)
    tell("built", answer=invoked(endpoint))


def main():
    session = Session()
    data = upload(session)
    resources(data)
    built(session, data)


if __name__ == "__main__":
    main()
