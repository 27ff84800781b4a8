"""What stands for AWS: moto for most services, and Parkade's embedded runtime for SageMaker.

Endpoints there are served by real worker processes; what watches and scales them is the embedded
cloud's as well (application-autoscaling, CloudWatch, and S3, where models are read from and answers
written to). Functions and state machines are the harness's own, behind the switchboard. Everyone
has credentials of his own, and the calls of each are told apart by the record that he leaves.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import botocore.auth
import yaml
from botocore.config import Config

from tests.aws.account_server import ACCOUNT, account_server
from tests.aws.runtime_api import SHIM
from tests.aws.waiting import PATIENCE
from tests.clients.account import Account
from tests.house import House

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.aws.clock import SetClock
    from tests.aws.runtime_api import Spec

REGION = "us-east-1"
#: The subscriber of the embedded runtime that is told its events, and those of its alarms.
_BUS = "bus"
_EMBEDDED = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "APPLICATION_AUTO_SCALING", "S3")
#: CloudWatch is the embedded one, with composite alarms in front of it.
_SWITCHBOARD = ("LAMBDA", "SFN", "EVENTBRIDGE", "RESOURCE_GROUPS_TAGGING_API", "CLOUDWATCH")
#: By botocore's names, as `_EMBEDDED` and `_SWITCHBOARD` have them by those of the environment.
_NAMES = {
    "sagemaker": "SAGEMAKER", "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "application-autoscaling": "APPLICATION_AUTO_SCALING", "cloudwatch": "CLOUDWATCH", "s3": "S3",
    "lambda": "LAMBDA", "stepfunctions": "SFN", "events": "EVENTBRIDGE",
    "resourcegroupstaggingapi": "RESOURCE_GROUPS_TAGGING_API",
}  # fmt: skip


class Standins:
    """The servers of one test module, and who may speak to them."""

    def __init__(
        self, folder: Path, clock: SetClock, switchboard: str, topics: Iterable[str]
    ) -> None:
        """Start them. What SageMaker and its alarms tell `topics`, by name, goes to SNS."""
        self.clock = clock
        #: Where each process writes down its calls, a line of JSON each.
        self.calls = folder / "calls"
        self.calls.mkdir()
        self._switchboard = switchboard
        self._clients: dict[str, Any] = {}
        self._keys: dict[str, Mapping[str, str]] = {}
        self._lock = threading.RLock()
        # What was started ends where another cannot be.
        with ExitStack() as opening:
            self._open = opening
            self.moto = opening.enter_context(account_server())
            # Clients of this process sign by the clock that the embedded runtime goes by.
            plain = botocore.auth.get_current_datetime
            moved = lambda *given, **named: plain(*given, **named) + clock.ahead  # noqa: E731
            opening.enter_context(patch.object(botocore.auth, "get_current_datetime", moved))
            self.house = self._house(folder, topics)
            self.account = Account(self.house)
            opening.callback(self.account.close)
            self._open = opening.pop_all()

    def _house(self, folder: Path, topics: Iterable[str]) -> House:
        settings = folder / "server.yaml"
        settings.write_text(
            yaml.safe_dump(
                {
                    "limits": {"startup_seconds": PATIENCE, "grace_seconds": 2},
                    "topics": {name: f"{self._switchboard}/topics/{name}" for name in topics},
                    "subscribers": [
                        {
                            "name": _BUS,
                            "kind": "webhook",
                            "shape": "eventbridge",
                            "url": f"{self._switchboard}/bus",
                        }
                    ],
                }
            )
        )
        built = House(folder / "state", "--config", str(settings))
        self._open.callback(built.end)
        surroundings = {
            "PYTHONPATH": str(SHIM),
            "PARKADE_TEST_CLOCK": str(self.clock.file),
            "PARKADE_TEST_MINUTES": "1",
        }
        with patch.dict(os.environ, surroundings):
            built.up()
        return built

    def url(self, service: str) -> str:
        name = _NAMES.get(service)
        if name in _SWITCHBOARD:
            return self._switchboard
        if name == "S3":
            return f"{self.house.url}/s3"
        return self.house.url if name in _EMBEDDED else self.moto

    def client(self, service: str) -> Any:
        """Return the client of a service, with all rights; whoever closes this closes it."""
        with self._lock:
            return self._client(service)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            made = self.account.session.client(
                service,
                endpoint_url=self.url(service),
                region_name=REGION,
                config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
            )
            self._open.callback(made.close)
            self._clients[service] = made
        return self._clients[service]

    def embedded_cloudwatch(self) -> Any:
        """Return the client of the embedded CloudWatch itself, without composite alarms."""
        with self._lock:
            if "embedded" not in self._clients:
                made = self.account.session.client("cloudwatch", endpoint_url=self.house.url)
                self._open.callback(made.close)
                self._clients["embedded"] = made
            return self._clients["embedded"]

    def key(self, who: str) -> Mapping[str, str]:
        """Return credentials that nobody else has."""
        with self._lock:
            return self._key(who)

    def _key(self, who: str) -> Mapping[str, str]:
        if who not in self._keys:
            name = f"aws-{len(self._keys)}"
            form = {"name": name, "role": "admin"}
            token = self.house.ok("POST", "/v1/tokens", json=form).json()["token"]
            headers = {"Authorization": token}
            key = self.house.ok("POST", "/v1/aws-key", headers=headers).json()
            self._keys[who] = {
                "AWS_ACCESS_KEY_ID": key["access_key_id"],
                "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            }
        return self._keys[who]

    def session(self, who: str) -> boto3.session.Session:
        key = self.key(who)
        return boto3.session.Session(
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def surroundings(self, spec: Spec) -> dict[str, str]:
        """Return what a function is told beside what its template tells it."""
        return {
            "AWS_ENDPOINT_URL": self.moto,
            **{f"AWS_ENDPOINT_URL_{name}": self.url(each) for each, name in _NAMES.items()},
            **self.key(spec.name),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PARKADE_TEST_CLOCK": str(self.clock.file),
            "PARKADE_TEST_CALLS": str(self.calls / spec.name),
        }

    def recorded(self) -> list[dict[str, Any]]:
        """Return the calls that were made so far: who, which service, which operation, with what."""
        # Behind the last end of a line is one that is being written.
        told = [file.read_text().rpartition("\n")[0] for file in sorted(self.calls.iterdir())]
        return [json.loads(line) for text in told for line in text.splitlines()]

    def changing(self) -> bool:
        """Tell whether an endpoint is on its way to somewhere, or the bus has not heard of it."""
        endpoints = self.client("sagemaker").list_endpoints(MaxResults=100)["Endpoints"]
        if any(
            each["EndpointStatus"] not in {"InService", "Failed", "OutOfService"}
            for each in endpoints
        ):
            return True
        return bool(self.house.ok("GET", f"/v1/subscribers/{_BUS}").json()["waiting"])

    def tagged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetResources: SageMaker's endpoints and their tags, of which moto knows nothing."""
        assert set(given.get("ResourceTypeFilters", ())) == {"sagemaker:endpoint"}, given
        wanted = {each["Key"]: set(each.get("Values", ())) for each in given.get("TagFilters", ())}
        client, found = self.client("sagemaker"), []
        for page in client.get_paginator("list_endpoints").paginate():
            for endpoint in page["Endpoints"]:
                tags = client.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
                told = {each["Key"]: each["Value"] for each in tags}
                if all(k in told and (not v or told[k] in v) for k, v in wanted.items()) and tags:
                    found.append({"ResourceARN": endpoint["EndpointArn"], "Tags": tags})
        return {"ResourceTagMappingList": found, "PaginationToken": ""}

    def close(self) -> None:
        self._open.close()


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
