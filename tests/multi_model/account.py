"""A house with a multi-model endpoint, its callers, and archives to put before them."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor

from tests.clients.account import Account
from tests.house import wait_for

BUCKET, PREFIX = "models", "many"


def packed(**files):
    """An archive of these files; two underscores in a name stand for a slash, one for a dot."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()


class Many:
    """A multi-model endpoint `many`, and who asks it."""

    def __init__(self, house, *, image, instances=1, cache=None, environment=None):
        self.house = house
        self.account = Account(house)
        container = {
            "Image": image,
            "Mode": "MultiModel",
            "ModelDataUrl": f"s3://{BUCKET}/{PREFIX}/",
            "Environment": environment or {},
        }
        if cache is not None:
            container["MultiModelConfig"] = {"ModelCacheSetting": cache}
        sagemaker = self.account.sagemaker
        role = "arn:aws:iam::000000000000:role/many-models"
        sagemaker.create_model(ModelName="many", ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": "many",
            "InstanceType": "ml.c5.large",
            "InitialInstanceCount": instances,
        }
        sagemaker.create_endpoint_config(EndpointConfigName="many", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="many", EndpointConfigName="many")
        wait_for(lambda: self.status() != "Creating", why="the endpoint to be in service")
        assert self.status() == "InService", sagemaker.describe_endpoint(EndpointName="many")

    def status(self):
        return self.account.sagemaker.describe_endpoint(EndpointName="many")["EndpointStatus"]

    def put(self, target, archive):
        self.house.ok("PUT", f"/v1/objects/{BUCKET}/{PREFIX}/{target}", content=archive)

    def delete(self, target):
        self.house.ok("DELETE", f"/v1/objects/{BUCKET}/{PREFIX}/{target}")

    def ask(self, target, **body):
        """Return the answer's status and what it holds."""
        answer = self.house.call(
            "POST",
            "/endpoints/many/invocations",
            json=body or {"x": 1},
            headers={"X-Amzn-SageMaker-Target-Model": target},
        )
        return answer.status_code, answer.json()

    def ok(self, target, **body):
        status, answer = self.ask(target, **body)
        assert status == 200, answer
        return answer

    def ask_all(self, targets, **body):
        """Ask for all at a time."""
        with ThreadPoolExecutor(len(targets)) as pool:
            return list(pool.map(lambda target: self.ask(target, **body), targets))

    def models(self):
        return self.house.ok("GET", "/v1/endpoints/many/models", params={"limit": 1000}).json()

    def loaded(self):
        """The target models by name, with the instances that have them loaded."""
        return {
            each["target"]: sorted(copy["instance_id"] for copy in each["loaded"])
            for each in self.models()["models"]
            if each["loaded"]
        }

    def refused(self, target, **body):
        """Ask as boto3 does for what is refused; return the error's name and text."""
        runtime = self.account.runtime
        try:
            runtime.invoke_endpoint(
                EndpointName="many", TargetModel=target, Body=json.dumps(body or {"x": 1})
            )
        except runtime.exceptions.ClientError as error:
            return type(error).__name__, error.response
        raise AssertionError(f"{target} was answered")
