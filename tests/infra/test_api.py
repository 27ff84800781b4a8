"""The API's stack, as it is synthesized, and its mapping templates, as API Gateway carries them out."""

from __future__ import annotations

import json
import re

import pytest

from parkade.adapters.aws.dynamodb import shape
from parkade.infra import layers
from parkade.infra.constructs import modelroutes, templates
from parkade.infra.naming import Title
from tests.aws.mapping import variables
from tests.aws.vtl import render
from tests.infra.synthesizing import assembled, estate, synthesized

ROUTES = """
project: Demo
models:
  m: {image: 763104351884.dkr.ecr.us-east-1.amazonaws.com/m:1, data: s3://mine/m.tar.gz}
endpoints:
  text: {variants: [{model: m, type: ml.c5.large}]}
  other: {variants: [{model: m, type: ml.c5.large}]}
  later: {variants: [{model: m, type: ml.c5.large}], async: {output: s3://mine/out/}}
routes:
  /text: {endpoint: text, rate: {per_second: 5, burst: 10}, timeout_seconds: 12}
  /quick: {endpoint: other, kind: direct}
  /open: {endpoint: text, auth: public}
  /long: {endpoint: text, kind: execution}
  /queue: {endpoint: later, kind: direct}
"""
METHOD = "AWS::ApiGateway::Method"
_MACHINE = "arn:aws:states:us-east-1:1:stateMachine:Demo-Executions"
_EXECUTIONS = "arn:aws:states:us-east-1:1:execution:Demo-Executions"


def _methods(text=ROUTES):
    assembly = synthesized(text)
    paths = {
        name: each["Properties"]
        for name, each in assembly.resources(Title.API, "AWS::ApiGateway::Resource").items()
    }

    def path(reference):
        if "Ref" not in reference:
            return ""
        told = paths[reference["Ref"]]
        return f"{path(told['ParentId'])}/{told['PathPart']}"

    return {
        (each["Properties"]["HttpMethod"], path(each["Properties"]["ResourceId"])): each[
            "Properties"
        ]
        for each in assembly.resources(Title.API, METHOD).values()
    }


def test_the_api_has_the_paths_of_the_seed_of_the_management_and_of_the_file():
    assert set(_methods()) == {
        ("GET", "/endpoint-expiry"),
        ("POST", "/endpoint-expiry"),
        ("ANY", "/v1/{proxy+}"),
        ("POST", "/startexecution"),
        ("POST", "/describeexecution"),
        ("POST", "/text"),
        ("POST", "/quick"),
        ("POST", "/open"),
        ("POST", "/long"),
        ("POST", "/queue"),
    }
    stage = synthesized(ROUTES).only(Title.API, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "prod"


def test_only_what_the_file_calls_public_is_open():
    for (verb, path), method in _methods().items():
        public = path == "/open"
        assert method["AuthorizationType"] == ("NONE" if public else "CUSTOM"), (verb, path)
        assert method["ApiKeyRequired"] is not public, (verb, path)


def test_the_table_of_tokens_is_the_one_that_the_stores_read_and_write():
    table = synthesized().only(Title.API, "AWS::DynamoDB::Table")
    told = shape.TOKENS.description()
    assert {name: table[name] for name in told} == told


def test_the_authorizer_is_asked_by_token_method_and_path_and_kept_for_half_a_minute():
    authorizer = synthesized().only(Title.API, "AWS::ApiGateway::Authorizer")
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] == 30
    assert set(authorizer["IdentitySource"].split(",")) == {
        "method.request.header.Authorization",
        "context.httpMethod",
        "context.path",
    }


def test_a_route_of_a_function_has_the_time_that_the_file_gives_it():
    integration = _methods()["POST", "/text"]["Integration"]
    assert integration["Type"] == "AWS_PROXY"
    assert integration["TimeoutInMillis"] == 12_000


def test_rates_of_routes_are_limits_of_their_methods():
    stage = synthesized(ROUTES).only(Title.API, "AWS::ApiGateway::Stage")
    (found,) = [each for each in stage["MethodSettings"] if each.get("ResourcePath") == "/~1text"]
    assert found["ThrottlingRateLimit"] == 5
    assert found["ThrottlingBurstLimit"] == 10
    assert found["HttpMethod"] == "POST"


def test_a_direct_route_asks_the_runtime_itself_and_passes_what_callers_steer_by():
    method = _methods()["POST", "/quick"]
    integration = method["Integration"]
    assert integration["Type"] == "AWS"
    assert "runtime.sagemaker:path/endpoints/Demo-other/invocations" in json.dumps(
        integration["Uri"]
    )
    for name in modelroutes.HEADERS:
        assert integration["RequestParameters"][f"integration.request.header.{name}"] == (
            f"method.request.header.{name}"
        )
        assert method["RequestParameters"][f"method.request.header.{name}"] is False
    assert "Authorization" not in json.dumps(integration["RequestParameters"])


def test_a_direct_route_of_an_asynchronous_endpoint_needs_the_objects_address():
    method = _methods()["POST", "/queue"]
    assert "endpoints/Demo-later/async-invocations" in json.dumps(method["Integration"]["Uri"])
    needed = [name for name, given in method["RequestParameters"].items() if given]
    assert needed == ["method.request.header.X-Amzn-SageMaker-InputLocation"]


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        ("400", "400"),
        ("403", "403"),
        ("413", "400"),
        ("424", "424"),
        ("429", "429"),
        ("500", "500"),
        ("502", "500"),
        ("503", "503"),
        ("530", "530"),
    ],
)
def test_each_status_of_the_runtime_is_of_exactly_one_answer(status, answered):

    responses = _methods()["POST", "/quick"]["Integration"]["IntegrationResponses"]
    found = [
        each["StatusCode"]
        for each in responses
        if "SelectionPattern" in each and re.fullmatch(each["SelectionPattern"], status)
    ]
    assert found == [answered]


def test_the_role_of_direct_routes_reaches_their_endpoints_alone():
    policies = synthesized(ROUTES).resources(Title.API, "AWS::IAM::Policy")
    (found,) = [each for name, each in policies.items() if name.startswith("DirectRole")]
    told = {
        each["Action"]: json.dumps(each["Resource"])
        for each in found["Properties"]["PolicyDocument"]["Statement"]
    }
    assert set(told) == {"sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"}
    assert "endpoint/demo-other" in told["sagemaker:InvokeEndpoint"]
    assert "endpoint/demo-later" in told["sagemaker:InvokeEndpointAsync"]
    assert not any("demo-text" in each or "*" in each for each in told.values())


def test_the_management_api_starts_from_a_snapshot_of_its_current_version():
    functions = synthesized().resources(Title.API, "AWS::Lambda::Function")
    snapped = [
        name
        for name, each in functions.items()
        if each["Properties"].get("SnapStart") == {"ApplyOn": "PublishedVersions"}
    ]
    assert len(snapped) == 1
    alias = synthesized().only(Title.API, "AWS::Lambda::Alias")
    assert alias["Name"] == "live"
    assert alias["FunctionName"] == {"Ref": snapped[0]}


def test_other_libraries_are_another_version_of_the_management_api(monkeypatch):
    """The alias would go on with the former layer otherwise, whatever was mended in the new one."""

    def version():
        (name,) = assembled(estate()).resources(Title.API, "AWS::Lambda::Version")
        return name

    former = version()
    assert version() == former
    monkeypatch.setattr(layers, "PYTHON", "3.13.99")
    assert version() != former


def test_refusals_of_the_gateway_are_json_in_the_shape_of_all_errors():
    responses = synthesized().resources(Title.API, "AWS::ApiGateway::GatewayResponse")
    assert len(responses) >= 9
    for each in responses.values():
        told = json.loads(each["Properties"]["ResponseTemplates"]["application/json"])
        assert set(told["error"]) == {"code", "message", "hint"}


# -- executions -------------------------------------------------------------------------------


def _context(mark="0a1b", endpoints=""):
    return {
        "requestId": "6d0c6a2e-7d5c-4a5e-9d61-000000000001",
        "authorizer": {"starter": mark, "endpoints": endpoints},
        "responseOverride": {},
    }


def _started(body, **context):
    given = variables(body=body, context=_context(**context))
    return json.loads(render(templates.start(_MACHINE), given))


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": 'it\'s "quoted" \\ and\nbroken'},
        "a text",
        ["a", 1, None],
        {"nested": {"unicode": "größer ☃"}},
    ],
)
def test_an_execution_is_begun_with_the_body_as_it_was_sent(body):
    form = {"endpointname": "Demo-text", "body": body}
    told = _started(json.dumps(form))
    assert json.loads(told["input"]) == form
    assert told["stateMachineArn"] == _MACHINE
    assert told["name"] == "0a1b__6d0c6a2e-7d5c-4a5e-9d61-000000000001"


@pytest.mark.parametrize(
    ("endpoints", "asked", "may"),
    [
        ("", "anything", True),
        ("Demo-text", "Demo-text", True),
        ("a,Demo-text,b", "Demo-text", True),
        ("Demo-text", "Demo-tex", False),
        ("Demo-text", "text", False),
        ("Demo-text", "other", False),
    ],
)
def test_a_token_that_is_limited_begins_executions_of_its_endpoints_alone(endpoints, asked, may):
    told = _started(json.dumps({"endpointname": asked, "body": "x"}), endpoints=endpoints)
    assert (told["stateMachineArn"] == _MACHINE) is may


def test_a_route_of_executions_passes_the_whole_body_to_its_endpoint():
    body = '{"inputs": "it\'s \\"so\\""}'
    given = variables(body=body, context=_context())
    told = json.loads(render(templates.start_for(_MACHINE, "Demo-text"), given))
    assert json.loads(told["input"]) == {"endpointname": "Demo-text", "body": body}


@pytest.mark.parametrize(
    "arn",
    [
        f"{_EXECUTIONS}:ffff__6d0c6a2e",
        f"{_EXECUTIONS}:ffff",
        "ffff__x__y",
        "",
        'x__","executionArn":"stolen',
        "arn:aws:states:us-east-1:2:execution:Another:0a1b__x",
    ],
)
def test_whatever_is_asked_for_is_described_under_the_callers_own_mark(arn):
    given = variables(body=json.dumps({"executionArn": arn}), context=_context("0a1b"))
    told = json.loads(render(templates.describe(_EXECUTIONS), given))
    assert set(told) == {"executionArn"}
    assert told["executionArn"].startswith(f"{_EXECUTIONS}:0a1b__")


def test_an_execution_of_ones_own_is_described():
    arn = f"{_EXECUTIONS}:0a1b__6d0c6a2e-7d5c-4a5e-9d61-000000000001"
    given = variables(body=json.dumps({"executionArn": arn}), context=_context("0a1b"))
    assert json.loads(render(templates.describe(_EXECUTIONS), given))["executionArn"] == arn


def test_an_endpoint_that_is_not_the_tokens_is_refused_with_403():
    context = _context()
    answer = json.dumps({"__type": "x#AccessDeniedException", "message": "no"})
    told = json.loads(render(templates.not_started(), variables(body=answer, context=context)))
    assert told["error"]["code"] == "forbidden"
    assert context["responseOverride"] == {"status": 403}


def test_what_step_functions_does_not_take_is_told_in_its_words():
    context = _context()
    answer = json.dumps({"__type": "ValidationException", "message": 'it\'s "long"'})
    told = json.loads(render(templates.not_started(), variables(body=answer, context=context)))
    assert told["error"]["message"] == 'it\'s "long"'
    assert context["responseOverride"] == {}
