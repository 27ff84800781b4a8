"""Raw requests at the door: who may come in, with what, and what the answers look like."""

import json

import pytest

from parkade.apps.sagemaker import door
from parkade.apps.sagemaker.operations import OPERATIONS
from parkade.apps.wire.unknown import Missed
from parkade.ports.events import EventQuery
from tests.apps.api.world import World

MODEL = {"ModelName": "m", "PrimaryContainer": {"Image": "sagemaker-scikit-learn:1.2"}}


@pytest.fixture
def world():
    return World()


def send(world, operation, given=None, *, by="admin", content=None, target=None):
    headers = {"X-Amz-Target": f"SageMaker.{operation}" if target is None else target}
    body = json.dumps(given or {}).encode() if content is None else content
    return world.call("POST", "/", by=by, headers=headers, content=body)


def ok(world, operation, given=None, **options):
    answer = send(world, operation, given, **options)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


def fault(world, operation, given=None, status=400, **options):
    answer = send(world, operation, given, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]
    assert answer.json().keys() == {"__type", "message"}
    return answer.json()["__type"], answer.json()["message"]


def test_an_answer_has_the_protocols_form(world):
    answer = send(world, "CreateModel", MODEL)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json() == {"ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m"}


def test_instants_are_seconds_since_1970(world):
    ok(world, "CreateModel", MODEL)
    assert ok(world, "DescribeModel", {"ModelName": "m"})["CreationTime"] == 1772366400.0


def test_an_operation_without_output_answers_an_empty_body(world):
    ok(world, "CreateModel", MODEL)
    assert send(world, "DeleteModel", {"ModelName": "m"}).content == b""


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1,",
        b"nonsense",
        b'{"ModelName": NaN}',
        b"\xff\xfe\x00",
        b'{"a":' * 100_000,
        b"9" * 5000,
    ],
    ids=["open", "list", "word", "nan", "bytes", "deep", "digits"],
)
def test_malformed_json_is_a_serialization_exception(world, content):
    code, message = fault(world, "DescribeModel", content=content)
    assert code == "SerializationException"
    assert "JSON" in message or "must be an object" in message


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"5", b"null", b"true"], ids=repr)
def test_a_body_that_is_no_object_is_refused(world, content):
    code, message = fault(world, "DescribeModel", content=content)
    assert code == "SerializationException"
    assert "the body must be an object" in message


def test_an_empty_body_is_an_empty_object(world):
    assert ok(world, "ListModels", content=b"") == {"Models": []}


def test_a_huge_body_is_refused(world):
    content = b" " * (door.BODY_LIMIT + 1)
    code, message = fault(world, "ListModels", content=content, status=413)
    assert code == "RequestEntityTooLargeException"
    assert str(door.BODY_LIMIT) in message
    assert ok(world, "ListModels", content=b" " * door.BODY_LIMIT) == {"Models": []}


@pytest.mark.parametrize("operation", ["CreateTrainingJob", "Nonsense", "createModel", ""])
def test_an_unknown_operation_is_named_with_what_is_there(world, operation):
    code, message = fault(world, operation)
    assert code == "UnknownOperationException"
    assert f"'SageMaker.{operation}'" in message
    assert all(name in message for name in OPERATIONS)


@pytest.mark.parametrize("target", ["", "DynamoDB_20120810.ListTables", "ListModels"])
def test_a_target_that_is_none_is_named(world, target):
    code, message = fault(world, "", target=target)
    assert code == "UnknownOperationException"
    assert (repr(target) if target else "without X-Amz-Target") in message


def missed(world):
    return [
        (event.actor, event.data["operation"], event.data["count"])
        for event in world.history.read(EventQuery(kinds=("sagemaker.unknown_operation",)))
    ]


def test_unknown_operations_are_counted_by_token_in_the_history(world):
    for _ in range(5):
        fault(world, "CreateTrainingJob", by="operator")
    fault(world, "CreateTrainingJob", by="admin")
    fault(world, "Nonsense", by="admin")
    fault(world, "Else", by="admin")
    assert missed(world) == [
        ("operator", "CreateTrainingJob", 1),
        ("operator", "CreateTrainingJob", 2),
        ("operator", "CreateTrainingJob", 4),
        ("admin", "CreateTrainingJob", 1),
        ("admin", "(none of SageMaker's)", 1),
        ("admin", "(none of SageMaker's)", 2),
    ]


def test_counting_goes_on_after_a_restart(world):
    for _ in range(4):
        fault(world, "CreateTrainingJob")
    successor = Missed(world.services, "sagemaker", called="SageMaker")
    caller = next(each for each in world.services.tokens.all() if each.name == "admin")
    for _ in range(4):
        successor.count("CreateTrainingJob", "SageMaker.CreateTrainingJob", caller)
    assert missed(world)[-1] == ("admin", "CreateTrainingJob", 8)


@pytest.mark.parametrize("by", [None, "nobodys-pass-code-16"])
def test_nobody_comes_in_without_a_token_and_nothing_is_counted(world, by):
    code, _ = fault(world, "CreateTrainingJob", by=by, status=403)
    assert code in {"MissingAuthenticationTokenException", "UnrecognizedClientException"}
    assert missed(world) == []


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_each_operation_needs_its_role(world, operation):
    code, message = fault(world, operation, by="invoker")
    assert code == "AccessDeniedException"
    assert message.startswith(
        "User: arn:aws:iam::000000000000:user/invoker is not authorized to perform: "
        f"sagemaker:{operation} on resource: *"
    )


@pytest.mark.parametrize(
    "operation", ["CreateModel", "DeleteModel", "CreateEndpointConfig", "DeleteEndpointConfig"]
)
def test_models_and_configs_are_written_by_admins_alone(world, operation):
    assert fault(world, operation, by="operator")[0] == "AccessDeniedException"


def test_operators_read_models_and_configs(world):
    ok(world, "CreateModel", MODEL)
    assert ok(world, "DescribeModel", {"ModelName": "m"}, by="operator")["ModelName"] == "m"
    assert ok(world, "ListModels", by="operator")["Models"]
    assert ok(world, "ListEndpointConfigs", by="operator") == {"EndpointConfigs": []}


def test_tags_of_models_are_written_by_admins_and_read_by_operators(world):
    arn = ok(world, "CreateModel", MODEL)["ModelArn"]
    tags = [{"Key": "team", "Value": "blue"}]
    given = {"ResourceArn": arn, "Tags": tags}
    assert fault(world, "AddTags", given, by="operator")[0] == "AccessDeniedException"
    ok(world, "AddTags", given)
    assert ok(world, "ListTags", {"ResourceArn": arn}, by="operator") == {"Tags": tags}
    gone = {"ResourceArn": arn, "TagKeys": ["team"]}
    assert fault(world, "DeleteTags", gone, by="operator")[0] == "AccessDeniedException"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_possible(world, method):
    status, error = world.error(method, "/")
    assert (status, error["code"]) == (404, "not_found")


def test_a_fault_of_ours_is_told_in_the_apis_form(world, monkeypatch, caplog):
    def broken():
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(world.host, "models", broken)
    answer = send(world, "ListModels")
    assert answer.status_code == 500
    assert answer.json()["__type"] == "InternalFailure"
    assert "inside" not in answer.text
    assert answer.headers["x-amzn-requestid"] in caplog.text


def test_what_cannot_be_read_is_told_as_such_and_hides_nothing_else(world):
    ok(world, "CreateModel", MODEL)
    ok(world, "CreateModel", {**MODEL, "ModelName": "other"})
    world.catalog.damage("models", "m", "no JSON")
    code, message = fault(world, "DescribeModel", {"ModelName": "m"}, status=500)
    assert code == "InternalFailure"
    assert "no JSON" in message
    assert [each["ModelName"] for each in ok(world, "ListModels")["Models"]] == ["other"]


def test_the_door_is_not_in_the_openapi_document(world):
    assert "/" not in world.app.openapi()["paths"]
