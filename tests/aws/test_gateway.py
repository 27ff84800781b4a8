"""The gateway does what a template says, on one made by hand."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.aws.clock import SetClock
from tests.aws.gateway import Gateway
from tests.aws.integrations import Reply, Surroundings
from tests.aws.restapi import RestApi
from tests.aws.runtime_api import Answer
from tests.aws.template import Assembly
from tests.house import PATIENCE

pytestmark = pytest.mark.aws

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"
URI = "arn:aws:apigateway:us-east-1:"


def at(name: str) -> dict[str, str]:
    return {"Ref": name}


def function_uri(name: str) -> str:
    return f"{URI}lambda:path/2015-03-31/functions/{FUNCTION}{name}/invocations"


def method(on: dict[str, Any], verb: str, **given: Any) -> dict[str, Any]:
    auth = {"AuthorizationType": "CUSTOM", "AuthorizerId": at("Authorizer")}
    properties = {"RestApiId": at("Api"), "ResourceId": on, "HttpMethod": verb, **auth, **given}
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def resource(part: str, parent: Any) -> dict[str, Any]:
    properties = {"RestApiId": at("Api"), "PathPart": part, "ParentId": parent}
    return {"Type": "AWS::ApiGateway::Resource", "Properties": properties}


ROOT = {"Fn::GetAtt": ["Api", "RootResourceId"]}
PROXY = {"Type": "AWS_PROXY", "Uri": function_uri("echo"), "IntegrationHttpMethod": "POST"}
START = {
    "Type": "AWS",
    "Uri": f"{URI}states:action/StartExecution",
    "IntegrationHttpMethod": "POST",
    "Credentials": "arn:aws:iam::000000000000:role/starter",
    "PassthroughBehavior": "NEVER",
    "RequestTemplates": {
        "application/json": '{"input": "$util.escapeJavaScript($input.json(\'$\'))",'
        ' "name": "$context.authorizer.starter"}'
    },
    "IntegrationResponses": [
        {"StatusCode": "200", "ResponseTemplates": {"application/json": "$input.path('$.arn')"}},
        {
            "StatusCode": "400",
            "SelectionPattern": "4\\d{2}",
            "ResponseTemplates": {
                "application/json": '#set($context.responseOverride.status = 404){"message": "no"}'
            },
        },
    ],
}
INVOKE = {
    "Type": "AWS",
    "Uri": f"{URI}runtime.sagemaker:path/endpoints/demo/invocations",
    "IntegrationHttpMethod": "POST",
    "Credentials": "arn:aws:iam::000000000000:role/invoker",
    "RequestParameters": {
        "integration.request.header.Content-Type": "method.request.header.Content-Type",
        "integration.request.header.X-Amzn-SageMaker-Target-Model": "method.request.header.X-Model",
    },
    "IntegrationResponses": [
        {
            "StatusCode": "200",
            "ResponseParameters": {
                "method.response.header.X-Variant": "integration.response.header.x-variant"
            },
        }
    ],
}
API = "AWS::ApiGateway::"
TEMPLATE = {
    "Resources": {
        "Api": {
            "Type": f"{API}RestApi",
            "Properties": {
                "Name": "api",
                "ApiKeySourceType": "AUTHORIZER",
                "BinaryMediaTypes": ["application/octet-stream"],
            },
        },
        "Authorizer": {
            "Type": f"{API}Authorizer",
            "Properties": {
                "RestApiId": at("Api"),
                "Type": "REQUEST",
                "Name": "tokens",
                "IdentitySource": "method.request.header.Authorization",
                "AuthorizerResultTtlInSeconds": 60,
                "AuthorizerUri": function_uri("authorizer"),
            },
        },
        "Expiry": resource("endpoint-expiry", ROOT),
        "V1": resource("v1", ROOT),
        "Proxy": resource("{proxy+}", at("V1")),
        "Start": resource("startexecution", ROOT),
        "Model": resource("demo", ROOT),
        "Validator": {
            "Type": f"{API}RequestValidator",
            "Properties": {
                "RestApiId": at("Api"),
                "ValidateRequestBody": True,
                "ValidateRequestParameters": True,
            },
        },
        "Minutes": {
            "Type": f"{API}Model",
            "Properties": {
                "RestApiId": at("Api"),
                "Name": "Minutes",
                "Schema": {"type": "object", "required": ["minutes"]},
            },
        },
        "ExpiryPost": method(
            at("Expiry"),
            "POST",
            Integration=PROXY,
            RequestValidatorId=at("Validator"),
            RequestModels={"application/json": at("Minutes")},
        ),
        "ExpiryGet": method(
            at("Expiry"),
            "GET",
            Integration=PROXY,
            RequestValidatorId=at("Validator"),
            RequestParameters={"method.request.querystring.name": True},
        ),
        "V1Any": method(at("Proxy"), "ANY", Integration=PROXY, ApiKeyRequired=True),
        "StartPost": method(at("Start"), "POST", Integration=START),
        "ModelPost": method(at("Model"), "POST", Integration=INVOKE, AuthorizationType="NONE"),
        "Key": {"Type": f"{API}ApiKey", "Properties": {"Value": "the-key"}},
        "Plan": {
            "Type": f"{API}UsagePlan",
            "Properties": {
                "ApiStages": [{"ApiId": at("Api"), "Stage": at("Prod")}],
                # One an hour: what a slow machine takes gives none back.
                "Throttle": {"RateLimit": 1 / 3600, "BurstLimit": 2},
                "Quota": {"Limit": 4, "Period": "DAY"},
            },
        },
        "PlanKey": {
            "Type": f"{API}UsagePlanKey",
            "Properties": {"KeyId": at("Key"), "UsagePlanId": at("Plan"), "KeyType": "API_KEY"},
        },
        "Prod": {
            "Type": f"{API}Stage",
            "Properties": {
                "RestApiId": at("Api"),
                "StageName": "prod",
                "AccessLogSetting": {
                    "Format": '{"who":"$context.authorizer.principalId","status":"$context.status"}'
                },
            },
        },
        "Denied": {
            "Type": f"{API}GatewayResponse",
            "Properties": {
                "RestApiId": at("Api"),
                "ResponseType": "ACCESS_DENIED",
                "StatusCode": "403",
                "ResponseTemplates": {
                    "application/json": '{"error":"forbidden","told":$context.error.messageString}'
                },
            },
        },
    }
}


class World:
    """What the gateway's functions and services are here."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.calls: list[Any] = []
        self.reply = Reply(status=200, body=b'{"arn": "arn:execution"}')

    def invoke(self, function: str, event: Any) -> Answer:
        self.events.append(event)
        if function.endswith("authorizer"):
            if event["headers"]["Authorization"] == "none":
                error = {"errorMessage": "Unauthorized", "errorType": "Unauthenticated"}
                return Answer(payload=json.dumps(error).encode(), failed=True)
            statements = [
                {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*/prod/*"},
                {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*/v1/tokens*"},
            ]
            policy = {
                "principalId": event["headers"]["Authorization"],
                "policyDocument": {"Version": "2012-10-17", "Statement": statements},
                "context": {"starter": "abc"},
                "usageIdentifierKey": "the-key",
            }
            return Answer(payload=json.dumps(policy).encode())
        told = {"statusCode": 201, "headers": {"X-A": "1"}, "body": json.dumps(event["body"])}
        return Answer(payload=json.dumps(told).encode())

    def call(self, *given: Any) -> Reply:
        self.calls.append(given)
        return self.reply


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SetClock]:
    made = SetClock(tmp_path / "clock")
    yield made
    made.close()


@pytest.fixture
def gateway(tmp_path: Path, world: World, clock: SetClock) -> Iterator[Gateway]:
    artifact = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "Api.template.json"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Api": artifact}}))
    (tmp_path / "Api.template.json").write_text(json.dumps(TEMPLATE))
    assembly = Assembly(tmp_path, account="000000000000", region="us-east-1")
    (found,) = assembly.resources("AWS::ApiGateway::RestApi")
    around = Surroundings(invoke=world.invoke, call=world.call)
    made = Gateway(RestApi(assembly, found), around, clock)
    yield made
    made.close()


def ask(gateway: Gateway, verb: str, path: str, who: str = "ann", **given: Any) -> httpx.Response:
    headers = {"Authorization": who, **given.pop("headers", {})}
    return httpx.request(verb, gateway.url + path, headers=headers, timeout=PATIENCE, **given)


def test_a_function_gets_the_request_and_answers_it(gateway: Gateway, world: World) -> None:
    answer = ask(gateway, "POST", "/endpoint-expiry?a=1&a=2", json={"minutes": 5})
    assert (answer.status_code, answer.headers["X-A"]) == (201, "1")
    event = world.events[-1]
    assert json.loads(event["body"]) == {"minutes": 5}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["requestContext"]["authorizer"]["starter"] == "abc"
    assert event["requestContext"]["path"] == "/prod/endpoint-expiry"
    assert gateway.log == ['{"who":"ann","status":"201"}']


def test_binary_contents_come_in_base64(gateway: Gateway, world: World) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    ask(gateway, "PUT", "/v1/objects/a", content=b"\x00\xff", headers=kind)
    event = world.events[-1]
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"\x00\xff"
    assert event["pathParameters"] == {"proxy": "objects/a"}


def test_who_is_not_known_or_not_allowed_goes_no_further(gateway: Gateway, world: World) -> None:
    assert httpx.get(f"{gateway.url}/v1/leases", timeout=PATIENCE).status_code == 401
    assert not world.events
    assert ask(gateway, "GET", "/v1/leases", "none").status_code == 401
    denied = ask(gateway, "GET", "/v1/tokens")
    assert (denied.status_code, denied.json()["error"]) == (403, "forbidden")
    assert "explicit deny" in denied.json()["told"]
    assert ask(gateway, "GET", "/nowhere").json() == {"message": "Missing Authentication Token"}


def test_what_the_authorizer_said_is_kept_for_its_time(gateway: Gateway, clock: SetClock) -> None:
    for _ in range(2):
        ask(gateway, "POST", "/endpoint-expiry", json={"minutes": 5})
    assert gateway.authorizing.asked == 1
    clock.advance(seconds=61)
    ask(gateway, "POST", "/endpoint-expiry", json={"minutes": 5})
    assert gateway.authorizing.asked == 2


def test_bad_requests_are_told(gateway: Gateway) -> None:
    for body in (b"{}", b"nothing", b""):
        answer = ask(gateway, "POST", "/endpoint-expiry", content=body)
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid request body")
    answer = ask(gateway, "GET", "/endpoint-expiry")
    assert answer.json()["message"] == "Missing required request parameters: [name]"


def test_rate_and_quota_of_the_plan(gateway: Gateway, clock: SetClock) -> None:
    def statuses(count: int) -> list[int]:
        return [ask(gateway, "GET", "/v1/leases").status_code for _ in range(count)]

    assert max(statuses(3)) == 429
    for _ in range(2):
        clock.advance(hours=1)
        assert statuses(1) == [201]
    clock.advance(hours=1)
    answer = ask(gateway, "GET", "/v1/leases")
    assert (answer.status_code, answer.json()["message"]) == (429, "Limit Exceeded")
    clock.advance(days=1)
    assert statuses(1) == [201]


def test_a_service_is_called_with_what_the_template_makes(gateway: Gateway, world: World) -> None:
    answer = ask(gateway, "POST", "/startexecution", json={"text": 'it\'s "it"'})
    assert (answer.status_code, answer.text) == (200, "arn:execution")
    service, _, role, verb, target, _, body = world.calls[-1]
    assert (service, verb, target) == ("states", "POST", "action:StartExecution")
    assert role.endswith("role/starter")
    assert json.loads(body.decode().replace("\\'", "'"))["name"] == "abc"
    world.reply = Reply(status=400, body=b"{}")
    answer = ask(gateway, "POST", "/startexecution", json={})
    assert (answer.status_code, answer.json()) == (404, {"message": "no"})
    answer = ask(gateway, "POST", "/startexecution", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415


def test_a_model_is_invoked_with_mapped_headers(gateway: Gateway, world: World) -> None:
    world.reply = Reply(
        status=200, headers=[("Content-Type", "text/plain"), ("x-variant", "B")], body=b"COIN"
    )
    headers = {"Content-Type": "text/csv", "X-Model": "a.tar.gz"}
    url = f"{gateway.url}/demo"
    answer = httpx.post(url, content=b"coin", headers=headers, timeout=PATIENCE)
    assert (answer.text, answer.headers["X-Variant"]) == ("COIN", "B")
    assert answer.headers["Content-Type"] == "text/plain"
    service, sub, _, _, target, given, body = world.calls[-1]
    assert (service, sub, target) == ("sagemaker", "runtime", "/endpoints/demo/invocations")
    assert given == {"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Model": "a.tar.gz"}
    assert body == b"coin"
