"""Functions as Lambda runs them: processes under its own runtime, and what they import."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import parkade
from parkade.adapters.aws.dynamodb.tokens import DynamoTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.apps.cloud import hosting
from parkade.apps.lambdas import start
from parkade.apps.settings import FunctionSettings
from parkade.domain.token import Role
from parkade.services.tokens import Tokens
from tests.aws.runtime_api import Function, Spec
from tests.aws_account import REGION, tables, unique

KEY = "0123456789abcdef0123456789abcdef"
SOURCE = Path(parkade.__file__).parent.parent
ROUTES = {"/falcon": {"endpoint": "falcon"}}
STAGE = f"arn:aws:execute-api:{REGION}:123456789012:abcdef/prod"
#: What makes cold starts slow, and what nothing in a function is for.
HEAVY = ("fastapi", "starlette", "aws_cdk", "uvicorn", "httpx", "typer", "rich", "boto3", "moto")


class Deployed:
    """What stacks would have made, and functions over it."""

    def __init__(self, account, config):
        self.main, self.tokens = tables(account)
        made = account.client("secretsmanager").create_secret(Name=unique("key"), SecretString=KEY)
        from parkade.adapters.aws.dynamodb.events import DynamoHistory

        store = DynamoTokenStore(self.tokens, DynamoHistory(self.main, SystemClock()))
        kept = Tokens(store, clock=SystemClock(), key=KEY.encode)
        _, self.secret = kept.create(
            "ann", role=Role.INVOKER, endpoints=["falcon"], lifetime=None, actor="test"
        )
        self.environment = {
            "AWS_CONFIG_FILE": str(config),
            "AWS_REGION": REGION,
            "PARKADE_PROJECT": "Demo",
            "PARKADE_TABLE": self.main.name,
            "PARKADE_TOKENS_TABLE": self.tokens.name,
            "PARKADE_SERVER_KEY": made["ARN"],
            "PARKADE_ROUTES": json.dumps(ROUTES),
        }

    def function(self, name, **changes):
        return Function(
            Spec(
                name=name,
                handler=f"parkade.apps.lambdas.{name}.handler",
                code=SOURCE,
                timeout=300,  # far beyond what a slow machine takes
                json_logs=True,
                environment={**self.environment, **changes},
            )
        )


@pytest.fixture(scope="module")
def deployed(aws, aws_config):
    return Deployed(aws, aws_config)


def test_the_authorizer_lets_in_and_keeps_out_under_lambda_s_own_runtime(deployed):
    event = {"methodArn": f"{STAGE}/POST/falcon", "headers": {"authorization": deployed.secret}}
    with deployed.function("authorizer") as function:
        answer = function.invoke(event)
        assert answer.failed is False, function.log()
        assert answer.document["principalId"] == "ann"
        (allowed,) = [
            each["Resource"]
            for each in answer.document["policyDocument"]["Statement"]
            if each["Effect"] == "Allow"
        ]
        assert f"{STAGE}/POST/falcon" in allowed
        refused = function.invoke({**event, "headers": {"Authorization": "unknown"}})
        # The whole of what API Gateway makes a 401 of.
        assert (refused.failed, refused.error_message) == (True, "Unauthorized")
        assert function.started == 1


def test_the_sweep_of_an_empty_account_tells_its_figures_with_request_and_trace(deployed):
    with deployed.function("sweep") as function:
        answer = function.invoke({})
        assert answer.failed is False, function.log()
        assert answer.document["leases"] == 0
        figures = [json.loads(line) for line in function.log().splitlines() if "_aws" in line]
        assert figures[0]["Leases"] == 0
        assert figures[0]["Project"] == "Demo"


def test_what_lacks_in_the_environment_is_named_by_the_call_that_misses_it(deployed):
    with deployed.function("sweep", PARKADE_TABLE="") as function:
        answer = function.invoke({})
        assert answer.error_type == "InvalidInput"
        assert "PARKADE_TABLE" in answer.error_message
        lines = [json.loads(line) for line in function.log().splitlines() if "requestId" in line]
        (told,) = [line for line in lines if line.get("level") == "ERROR" and "hint" in line]
        assert told["traceId"].startswith("Root=1-")
        assert "parkade cloud deploy" in told["hint"]


@pytest.mark.parametrize(
    "name",
    ["sweep", "timer", "authorizer", "invoke", "execution", "notices", "deployer", "maintainer",
     "leasing", "ending"],
)  # fmt: skip
def test_every_function_is_built_of_what_it_was_told_and_asks_nobody(name, deployed, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody is there
    told = {
        "AWS_LAMBDA_FUNCTION_NAME": "Demo-Sweep",
        "PARKADE_TIMER": f"arn:aws:states:{REGION}:123456789012:stateMachine:Timer",
        "PARKADE_TOPIC": f"arn:aws:sns:{REGION}:123456789012:notices",
        "PARKADE_BUS": "events",
        "PARKADE_BUCKET": "answers",
        "PARKADE_SWEEP": "Demo-Sweep",
    }
    module = importlib.import_module(f"parkade.apps.lambdas.{name}")
    assert callable(module._build(FunctionSettings({**deployed.environment, **told})))
    assert isinstance(module.handler, start.Function)


@pytest.mark.parametrize(
    ("modules", "without"),
    [
        (["authorizer", "means"], (*HEAVY, "pydantic", "asyncio", "cbor2", "sqlite3")),
        (["invoke", "invoking"], (*HEAVY, "pydantic", "sqlite3")),
        (["sweep", "meterwork"], (*HEAVY, "sqlite3")),
        (["timer", "meterwork"], (*HEAVY, "sqlite3")),
        (["notices"], (*HEAVY, "pydantic", "sqlite3")),
    ],
)
def test_functions_that_begin_quickly_import_nothing_that_they_do_not_need(modules, without):
    names = [f"parkade.apps.lambdas.{module}" for module in modules]
    code = f"import sys, {', '.join(names)}; print(*sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {each.partition(".")[0] for each in told.stdout.split()}
    assert "parkade" in imported
    assert imported.isdisjoint(without), imported & set(without)


@pytest.mark.parametrize("name", ["sweep", "timer", "maintainer", "deployer", "leasing", "ending"])
def test_what_becomes_of_endpoints_is_told_by_the_sweep_alone(deployed, monkeypatch, name):
    told = []
    build = hosting.build

    def watched(*given, sweeps=False, **more):
        told.append(sweeps)
        return build(*given, sweeps=sweeps, **more)

    monkeypatch.setattr(hosting, "build", watched)
    module = importlib.import_module(f"parkade.apps.lambdas.{name}")
    own = {"AWS_LAMBDA_FUNCTION_NAME": "Demo-Sweep"}
    module._build(FunctionSettings({**deployed.environment, **own}))
    assert told == [name == "sweep"]
