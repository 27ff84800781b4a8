"""What the walks through the application need: tokens, requests, endpoints, a look at the record."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.shape import MAIN, TOKENS
from parkade.adapters.aws.dynamodb.table import Table
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.aws.secrets import server_key
from parkade.adapters.system.clock import SystemClock
from parkade.domain.token import Role
from parkade.services.tokens import Tokens
from tests.aws.project import IMAGE
from tests.aws.waiting import PATIENCE, wait_for
from tests.aws_account import an_account, write_config

if TYPE_CHECKING:
    from tests.aws.application import Application

_numbers = itertools.count(1)


class Walk:
    """The application as its users reach it: with an admin's token, and whoever's they make."""

    def __init__(self, running: Application) -> None:
        self.running = running
        self.clock = running.clock
        self.sagemaker = running.standins.client("sagemaker")
        self.runtime = running.standins.client("sagemaker-runtime")
        self.admin = self._first_token()

    def _first_token(self) -> str:
        """Make a token as somebody does who has the account's own credentials."""
        config = self.running.folder / "aws-config"
        write_config(config, self.running.standins.moto, region="us-east-1")
        account = an_account(config)
        told = self.running.by_handler("authorizer").spec.environment
        main = self.running.by_handler("sweep").spec.environment["PARKADE_TABLE"]
        clock = SystemClock()
        history = DynamoHistory(Table(account, main, MAIN), clock)
        store = DynamoTokenStore(Table(account, told["PARKADE_TOKENS_TABLE"], TOKENS), history)
        key = server_key(account, told["PARKADE_SERVER_KEY"])
        tokens = Tokens(store, clock=clock, key=lambda: key)
        _, secret = tokens.create(
            "first", role=Role.ADMIN, endpoints=(), lifetime=None, actor="tests"
        )
        for service in ("dynamodb", "secretsmanager"):
            account.client(service).close()
        return secret

    # -- requests ----------------------------------------------------------------------------

    def ask(self, verb: str, path: str, who: str | None = None, **given: Any) -> httpx.Response:
        """Ask through the gateway, as the admin where nobody else is named."""
        headers = {"Authorization": self.admin if who is None else who}
        headers |= given.pop("headers", {})
        url = self.running.gateway.url + path
        return httpx.request(verb, url, headers=headers, timeout=PATIENCE, **given)

    def ok(self, verb: str, path: str, who: str | None = None, **given: Any) -> Any:
        answer = self.ask(verb, path, who, **given)
        assert answer.is_success, f"{verb} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def token(self, role: str, *endpoints: str) -> str:
        """Return the secret of a new token, made through the API."""
        form = {"name": f"{role}-{next(_numbers)}", "role": role, "endpoints": list(endpoints)}
        return str(self.ok("POST", "/v1/tokens", json=form)["token"])

    # -- endpoints ---------------------------------------------------------------------------

    def config(self, name: str, *variants: str) -> str:
        """Make an endpoint config of the project's model; return its name."""
        model = self.sagemaker.list_models()["Models"]
        one = next(each["ModelName"] for each in model if "sample" in each["ModelName"].lower())
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": each,
                    "ModelName": one,
                    "InstanceType": "ml.c5.xlarge",
                    "InitialInstanceCount": 1,
                }
                for each in variants or ("AllTraffic",)
            ],
        )
        return name

    def status(self, name: str) -> str | None:
        """Return an endpoint's status, None: it is not there."""
        pages = self.sagemaker.get_paginator("list_endpoints").paginate(NameContains=name)
        found = [each for page in pages for each in page["Endpoints"]]
        return next((e["EndpointStatus"] for e in found if e["EndpointName"] == name), None)

    def wait(self, name: str, status: str | None = "InService") -> None:
        """Wait in real time until an endpoint has a status; None: until it is gone."""
        wait_for(lambda: self.status(name) == status, why=f"{name} to be {status}")

    def invoke(self, name: str, **given: Any) -> Any:
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=b'{"text": "coin"}', ContentType="application/json", **given
        )
        return json.loads(answer["Body"].read())

    def sweep(self) -> dict[str, Any]:
        """Have the minute's rule fire, and return what the sweep said."""
        self.running.rules.fire(self.running.rules.named("Minute"))
        function = self.running.by_handler("sweep")
        function.settle()
        _, answer = function.calls[-1]
        assert not answer.failed, answer.payload.decode() + function.log()
        return dict(answer.document)

    def expiry(self, name: str) -> datetime:
        return datetime.fromisoformat(self.ok("GET", f"/v1/leases/{name}")["expires_at"])

    def events(self, **query: str) -> list[dict[str, Any]]:
        """Return what was written down, oldest first."""
        found = self.ok("GET", "/v1/events", params={"limit": "1000", **query})
        return list(found["events"])

    def calls(self, operation: str, **given: Any) -> list[dict[str, Any]]:
        """Return the recorded calls of an operation with these parameters."""
        return [
            each
            for each in self.running.standins.recorded()
            if each["operation"] == operation and given.items() <= each["parameters"].items()
        ]


def until(walk: Walk, what: Any, why: str = "") -> None:
    """Go on with the clock, from one thing that happens to the next, until something is so."""
    walk.clock.until(what, held=walk.running.busy, why=why)


MINUTE = timedelta(minutes=1)
__all__ = ["IMAGE", "MINUTE", "Walk", "until"]
