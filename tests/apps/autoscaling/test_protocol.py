"""What goes for all operations: pages, who may call, what is no request, what is not built."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkade.apps.autoscaling.door import BODY_LIMIT, TARGET_PREFIX
from parkade.apps.autoscaling.known import KNOWN
from parkade.apps.autoscaling.operations import OPERATIONS
from parkade.apps.wire import description
from parkade.domain.token import Role
from parkade.ports.events import EventQuery
from tests.apps.api.world import World
from tests.apps.autoscaling.calls import invalid, one, policies, refusal, register, targets, track
from tests.apps.sagemaker.shapes import lawful, reachable
from tests.scaled import ADAPTER, BLUE, GREEN, furnish

SERVICE = "application-autoscaling"


@pytest.mark.semantics("scaling.api")
def test_pages_of_policies_have_ten_entries_at_most(boto):
    register(boto)
    for number in range(12):
        track(boto, f"p{number:02}")
    first = boto.describe_scaling_policies(ServiceNamespace="sagemaker")
    assert len(first["ScalingPolicies"]) == 10
    boto.delete_scaling_policy(**one(PolicyName="p09"))
    track(boto, "p00a")
    rest = boto.describe_scaling_policies(
        ServiceNamespace="sagemaker", NextToken=first["NextToken"]
    )
    assert [each["PolicyName"] for each in rest["ScalingPolicies"]] == ["p10", "p11"]
    assert "NextToken" not in rest


def test_the_paginators_of_clients_find_everything_once(boto):
    for resource in (BLUE, GREEN, ADAPTER):
        register(boto, resource)
    asked = {"ServiceNamespace": "sagemaker", "PaginationConfig": {"PageSize": 1}}
    pages = list(boto.get_paginator("describe_scalable_targets").paginate(**asked))
    assert [len(page["ScalableTargets"]) for page in pages] == [1, 1, 1]
    found = [page["ScalableTargets"][0]["ResourceId"] for page in pages]
    assert found == sorted([BLUE.id, GREEN.id, ADAPTER.id])


@pytest.mark.parametrize(
    ("operation", "most"),
    [
        ("describe_scalable_targets", 50),
        ("describe_scaling_policies", 10),
        ("describe_scheduled_actions", 50),
        ("describe_scaling_activities", 50),
    ],
)
def test_pages_have_limits(boto, operation, most):
    describe = getattr(boto, operation)
    describe(ServiceNamespace="sagemaker", MaxResults=most)
    for size in (0, -1, most + 1):
        message = invalid(describe, ServiceNamespace="sagemaker", MaxResults=size)
        assert f"1 to {most}" in message
    for token in ("nonsense", "", "WzFd", "W1sxXV0=", "W1siYSIsWzFdXV0=", "[" * 5000):
        code, _ = refusal(describe, ServiceNamespace="sagemaker", NextToken=token)
        assert code == "InvalidNextTokenException"


def test_an_operation_that_is_not_built_is_named_and_counted(boto, world):
    code, message = refusal(
        boto.get_predictive_scaling_forecast,
        **one(PolicyName="p", StartTime=0, EndTime=1),
    )
    assert code == "UnknownOperationException"
    assert "'GetPredictiveScalingForecast'" in message
    assert "PutScalingPolicy" in message
    (event,) = world.history.read(EventQuery(kinds=(f"{SERVICE}.unknown_operation",)))
    assert event.data["operation"] == "GetPredictiveScalingForecast"


def test_everything_that_is_wrong_is_told_at_once(boto):
    message = invalid(
        boto.put_scaling_policy,
        **one(PolicyName="", PolicyType="None", TargetTrackingScalingPolicyConfiguration={}),
    )
    for place in ("policyName", "policyType", "targetTrackingScalingPolicyConfiguration.target"):
        assert place in message


def test_every_member_of_every_input_has_been_looked_at():
    found = {}
    for name in OPERATIONS:
        reachable(description.operation(SERVICE, name).input_shape, found)
    structures = {
        name: frozenset(shape.members)
        for name, shape in found.items()
        if shape.type_name == "structure" and not name.startswith("PredictiveScaling")
    }
    assert structures == dict(KNOWN)


def test_every_operation_but_forecasts_is_built():
    assert description.names(SERVICE) - OPERATIONS.keys() == {"GetPredictiveScalingForecast"}


# -- who may -------------------------------------------------------------------------------


def called(world, operation, by, **members):
    headers = {"X-Amz-Target": f"{TARGET_PREFIX}{operation}"}
    return world.call("POST", "/", by=by, headers=headers, content=json.dumps(members))


def code_of(answer):
    return answer.status_code, answer.json().get("__type")


def test_who_is_no_operator_is_refused():
    world = furnish(World())
    for operation in OPERATIONS:
        answer = called(world, operation, "invoker", ServiceNamespace="sagemaker")
        assert code_of(answer) == (400, "AccessDeniedException")
        answer = called(world, operation, None, ServiceNamespace="sagemaker")
        assert code_of(answer) == (403, "MissingAuthenticationTokenException")
        answer = called(world, operation, "no such token", ServiceNamespace="sagemaker")
        assert code_of(answer) == (403, "UnrecognizedClientException")
    answer = called(world, "DescribeScalableTargets", "operator", ServiceNamespace="sagemaker")
    assert answer.json() == {"ScalableTargets": []}
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]
    assert "x-amzn-query-error" not in answer.headers


def test_a_token_that_is_limited_to_endpoints_scales_those_alone():
    world = furnish(World())
    world.services.tokens.create(
        "few", role=Role.OPERATOR, endpoints=["falcon"], lifetime=None, actor="test",
        secret="limited-operator",
    )  # fmt: skip

    def few(operation, **members):
        return called(world, operation, "limited-operator", **members)

    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    assert few("RegisterScalableTarget", **one(**bounds)).is_success
    assert code_of(few("RegisterScalableTarget", **one(GREEN, **bounds)))[1] == (
        "AccessDeniedException"
    )
    for resource in (GREEN, ADAPTER):
        assert called(
            world, "RegisterScalableTarget", "admin", **one(resource, **bounds)
        ).is_success
        for operation in ("DeregisterScalableTarget", "RegisterScalableTarget"):
            assert code_of(few(operation, **one(resource)))[1] == "AccessDeniedException"
    answer = few("DescribeScalableTargets", ServiceNamespace="sagemaker").json()
    assert [each["ResourceId"] for each in answer["ScalableTargets"]] == [BLUE.id]
    other = {"MetricName": "Invocations", "Namespace": "AWS/SageMaker", "Statistic": "Sum",
             "Dimensions": [{"Name": "EndpointName", "Value": "other"}]}  # fmt: skip
    policy = {
        "PolicyName": "p",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 1.0,
            "CustomizedMetricSpecification": other,
        },
    }
    refused = few("PutScalingPolicy", **one(**policy))
    assert code_of(refused)[1] == "AccessDeniedException"
    other["Dimensions"][0]["Value"] = "falcon"
    assert few("PutScalingPolicy", **one(**policy)).is_success


# -- requests that no client would send ----------------------------------------------------


@pytest.fixture
def post(world, switch):
    def send(content, operation="DescribeScalableTargets"):
        headers = {"X-Amz-Target": f"{TARGET_PREFIX}{operation}"}
        return httpx.post(switch.url, content=content, headers=headers)

    return send


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"1", b'"x"', b"\xff", b"[" * 5000, b'{"MaxResults": "1"}',
     b'{"MaxResults": 1.5}', b'{"ServiceNamespace": 5}', b'{"NextToken": "\\ud800"}'],
)  # fmt: skip
def test_what_is_no_input_is_a_serialization_exception(post, content):
    assert code_of(post(content)) == (400, "SerializationException")


def test_numbers_that_are_none_are_refused(post):
    policy = one(PolicyName="p", TargetTrackingScalingPolicyConfiguration={"TargetValue": 1})
    for number in ("NaN", "Infinity", '"NaN"', '"Infinity"', "1e999"):
        body = json.dumps(policy).replace(": 1}", f": {number}}}").encode()
        assert code_of(post(body, "PutScalingPolicy")) == (400, "SerializationException")


def test_a_body_over_its_limit_is_refused(post):
    answer = post(b" " * (BODY_LIMIT + 1))
    assert code_of(answer) == (413, "RequestEntityTooLargeException")


def test_an_empty_body_is_an_empty_input(post):
    answer = post(b"")
    assert code_of(answer) == (400, "ValidationException")
    assert "serviceNamespace" in answer.json()["message"]


def test_what_others_answer_still_goes_there(world, switch):
    for target, wanted in (
        ("SageMaker.ListModels", {"Models": []}),
        ("GraniteServiceVersion20100801.DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []}),
    ):  # fmt: skip
        answer = httpx.post(switch.url, content=b"{}", headers={"X-Amz-Target": target})
        assert answer.json() == wanted


@pytest.fixture(scope="module")
def open_world():
    return furnish(World(auth=False))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_the_shapes_allow_is_answered_or_refused_by_a_known_name(
    open_world, operation, data
):
    """No lawful input leads to a fault of ours, nor to one that the operation does not have."""
    world = open_world
    described = description.operation(SERVICE, operation)
    known = description.model(SERVICE).operation_model(operation).error_shapes
    values = data.draw(lawful(described.input_shape))
    named = data.draw(st.sampled_from([BLUE, ADAPTER]))
    if "ResourceId" in described.input_shape.members and data.draw(st.booleans()):
        values |= {key: value for key, value in one(named).items() if key in values}
    if data.draw(st.booleans()):
        called(world, "RegisterScalableTarget", None, **one(named, MinCapacity=1, MaxCapacity=3))
    answer = called(world, operation, None, **values)
    if answer.status_code == 200:
        return
    status, code = code_of(answer)
    assert status == 400, answer.text
    assert code in {shape.name for shape in known} | {"ValidationException"}, answer.text
    assert answer.json()["message"]


def test_nothing_is_left_behind_by_what_is_refused(boto):
    register(boto)
    invalid(boto.put_scaling_policy, **one(PolicyName="p"))
    assert policies(boto) == []
    assert len(targets(boto)) == 1
