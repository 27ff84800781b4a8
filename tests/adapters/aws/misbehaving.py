"""A SageMaker that does as little as is needed to misbehave: throttles, denies, lags, hangs up."""

import json
import threading
from collections import Counter
from types import SimpleNamespace

from botocore import xform_name

from parkade.adapters.aws.sagemaker.arns import Arns
from parkade.adapters.aws.sagemaker.hosting import SageMakerHosting
from parkade.adapters.aws.sagemaker.provisioner import SageMakerProvisioner
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.aws.sagemaker.tags import Tags
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.remains import MemoryRemainsStore
from parkade.adapters.memory.sights import MemorySightStore
from tests.aws_account import REGION, write_config
from tests.builders import NOW
from tests.wired import NUMBER, Server, account_of, identity, json_answer

VARIANT = {
    "VariantName": "main",
    "ModelName": "m",
    "InstanceType": "ml.c5.xlarge",
    "InitialInstanceCount": 1,
    "InitialVariantWeight": 1.0,
    "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
}

SERVING = {
    "VariantName": "main",
    "CurrentInstanceCount": 1,
    "DesiredInstanceCount": 1,
    "DesiredWeight": 1.0,
}


def arn(kind, name):
    return f"arn:aws:sagemaker:{REGION}:{NUMBER}:{kind}/{name}"


class Refused(Exception):
    """What the server answers instead."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def absent(kind, name):
    noun = {"endpoint-config": "endpoint configuration"}.get(kind, kind)
    return Refused("ValidationException", f'Could not find {noun} "{arn(kind, name)}".')


def taken(kind, name):
    return Refused(
        "ValidationException", f'Cannot create already existing {kind} "{arn(kind, name)}".'
    )


class SageMaker:
    """Endpoints and configs by name; everything else goes wrong as it is told to."""

    def __init__(self):
        self.now = NOW.timestamp()
        self.endpoints = {}
        self.configs = {"config": [VARIANT], "other": [VARIANT]}
        #: The PendingDeploymentSummary of what is Updating.
        self.pending = None
        #: Names that no list has yet.
        self.unlisted = set()
        #: How often each operation was asked for.
        self.asked = Counter()
        #: What was asked of each, in order.
        self.given = []
        #: Called before an operation; it may raise Refused.
        self.before = lambda operation, given: None
        #: Operations of which the next answer is lost, after they were carried out.
        self.lost = Counter()
        self._lock = threading.Lock()
        self._server = Server(self._answer)
        self.url = self._server.url

    def close(self):
        self._server.close()

    def place(self, name, *, status="InService", config="config"):
        """Have an endpoint, changed now."""
        made = self.endpoints.get(name, {"created": self.now})
        self.endpoints[name] = {**made, "status": status, "config": config, "changed": self.now}

    def _answer(self, headers, body):
        target = headers.get("X-Amz-Target")
        if target is None:
            return identity(body)
        operation, given = target.rpartition(".")[2], json.loads(body)
        with self._lock:
            self.asked[operation] += 1
            self.given.append((operation, given))
            try:
                self.before(operation, given)
                told = getattr(self, xform_name(operation))(given)
            except Refused as refused:
                told = {"__type": refused.code, "message": refused.message}
                return json_answer(told, refused.status)
            if self.lost[operation]:
                self.lost[operation] -= 1
                return None
        return json_answer(told)

    def list_endpoints(self, given):
        found = sorted(self.endpoints.keys() - self.unlisted)
        begin = int(given.get("NextToken", 0))
        page = found[begin : begin + given["MaxResults"]]
        more = begin + len(page)
        told = {"Endpoints": [self._summary(name) for name in page]}
        return {**told, "NextToken": str(more)} if more < len(found) else told

    def _summary(self, name):
        held = self.endpoints[name]
        return {
            "EndpointName": name,
            "EndpointArn": arn("endpoint", name),
            "EndpointStatus": held["status"],
            "CreationTime": held["created"],
            "LastModifiedTime": held["changed"],
        }

    def describe_endpoint(self, given):
        name = given["EndpointName"]
        if name not in self.endpoints:
            raise absent("endpoint", name)
        told = {
            **self._summary(name),
            "EndpointConfigName": self.endpoints[name]["config"],
            "ProductionVariants": [SERVING],
        }
        return {**told, "PendingDeploymentSummary": self.pending} if self.pending else told

    def describe_endpoint_config(self, given):
        name = given["EndpointConfigName"]
        if name not in self.configs:
            raise absent("endpoint-config", name)
        return {
            "EndpointConfigName": name,
            "EndpointConfigArn": arn("endpoint-config", name),
            "ProductionVariants": self.configs[name],
            "CreationTime": NOW.timestamp(),
        }

    def describe_model(self, given):
        return {
            "ModelName": given["ModelName"],
            "ModelArn": arn("model", given["ModelName"]),
            "PrimaryContainer": {"Image": "registry.example.com/own:1"},
            "CreationTime": NOW.timestamp(),
        }

    def create_endpoint(self, given):
        name = given["EndpointName"]
        if name in self.endpoints:
            raise taken("endpoint", name)
        if given["EndpointConfigName"] not in self.configs:
            raise absent("endpoint-config", given["EndpointConfigName"])
        self.place(name, status="Creating", config=given["EndpointConfigName"])
        return {"EndpointArn": arn("endpoint", name)}

    def update_endpoint(self, given):
        name = given["EndpointName"]
        self.place(name, status="Updating", config=self.endpoints[name]["config"])
        return {"EndpointArn": arn("endpoint", name)}

    def create_endpoint_config(self, given):
        name = given["EndpointConfigName"]
        if name in self.configs:
            raise taken("endpoint-config", name)
        self.configs[name] = given["ProductionVariants"]
        return {"EndpointConfigArn": arn("endpoint-config", name)}

    def delete_endpoint(self, given):
        if given["EndpointName"] not in self.endpoints:
            raise absent("endpoint", given["EndpointName"])
        del self.endpoints[given["EndpointName"]]
        return {}

    def list_tags(self, _given):
        return {"Tags": []}


def over(server, folder, *, told=lambda _before, _after: None):
    """The adapters over a server, with a clock and stores of their own."""
    config = folder / "aws-config"
    write_config(config, server.url)
    account = account_of(config)
    clock, remains, history = ManualClock(NOW), MemoryRemainsStore(), MemoryHistory()
    store = MemorySightStore()
    sights = Sights(account, store, clock, shelf=Shelf(account), told=told)
    tags = Tags(account, Arns(account), MemoryCatalogStore(history, remains))
    hosting = SageMakerHosting(account, sights=sights, tags=tags, remains=remains, clock=clock)
    return SimpleNamespace(
        account=account,
        clock=clock,
        history=history,
        remains=remains,
        store=store,
        sights=sights,
        hosting=hosting,
        provisioner=SageMakerProvisioner(
            account, sights=sights, hosting=hosting, tags=tags, history=history, clock=clock
        ),
    )
