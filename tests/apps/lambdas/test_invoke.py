"""The model routes: what goes through, what comes back, and what is said of what is not there."""

import base64
import json
from dataclasses import replace

import pytest

from parkade.adapters.aws.sagemaker.passage import Reply, refused
from parkade.apps.lambdas.execution import LIMIT, EndpointStarting, Execution
from parkade.apps.lambdas.execution import Means as ExecutionMeans
from parkade.apps.lambdas.invoke import ANSWER_LIMIT, BODY_LIMIT, Invoke, Means
from parkade.domain.errors import Unavailable
from parkade.domain.terms import Wake
from parkade.services.waking import Waking
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, minutes, seconds
from tests.services.world import World

ROUTES = {
    "/falcon": {"endpoint": "falcon"},
    "/open/flan": {"endpoint": "flan", "public": True},
}
JSON = {"Content-Type": "application/json"}


class Runtime:
    """The runtime: what it was asked, and what it answers."""

    def __init__(self):
        self.asked = []
        self.answer = Reply(status=200, headers=JSON, body=b'{"ok": 1}')

    def invoke(self, endpoint_name, body, headers):
        self.asked.append((endpoint_name, body, headers))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Stage:
    def __init__(self):
        self.world = World()
        self.runtime = Runtime()
        self.span = seconds(300)
        self.kept = []
        self.ports = {
            "passage": self.runtime,
            "book": self.world.book,
            "terms": self.world.terms_store,
            "waking": Waking(
                book=self.world.book,
                terms=self.world.terms_store,
                clock=self.world.clock,
                changed=self.world.nudge,
            ),
            "look": lambda name: self.world.hosting.endpoints().get(name),
            "clock": self.world.clock,
        }
        self.function = Invoke(
            Means(**self.ports, expected=lambda _: lambda _: self.span, routes=ROUTES)
        )

    def call(self, path="/falcon", body='{"a": 1}', *, endpoints="", caller="ann", **event):
        authorizer = {"name": caller, "role": "invoker", "endpoints": endpoints}
        request = {"authorizer": authorizer} if caller else {}
        given = {"path": path, "body": body, "headers": {}, "requestContext": request, **event}
        return self.function(given, a_call())

    def execute(self, body="{}"):
        def keep(name, content, content_type):
            self.kept.append((name, content, content_type))
            return f"s3://answers/{name}"

        arn = "arn:aws:states:eu-west-1:123456789012:execution:Demo:mark__1"
        given = {"endpointname": "falcon", "body": body, "execution": arn}
        return Execution(ExecutionMeans(**self.ports, keep=keep))(given, a_call())

    def gone(self):
        text = "Endpoint falcon of account 123456789012 not found."
        self.runtime.answer = refused(400, "ValidationError", text)


@pytest.fixture
def stage():
    return Stage()


def test_what_a_caller_steers_by_goes_through_and_the_answer_comes_back_as_it_is(stage):
    answer = stage.call(
        headers={"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Variant": "blue"},
        multiValueHeaders={"Accept": ["application/json", "text/plain"]},
    )
    assert stage.runtime.asked == [
        (
            "falcon",
            b'{"a": 1}',
            {
                "content-type": "text/csv",
                "x-amzn-sagemaker-target-variant": "blue",
                "accept": "application/json, text/plain",
            },
        )
    ]
    assert answer == {
        "statusCode": 200, "headers": JSON, "body": '{"ok": 1}', "isBase64Encoded": False,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/models/falcon", "/open/flan", "/fal%63on"])
def test_the_method_that_was_let_through_says_which_model_it_is_however_the_path_is_spelt(
    stage, path
):
    assert stage.call(path, resource="/falcon")["statusCode"] == 200
    assert stage.runtime.asked[0][0] == "falcon"


def test_a_public_path_does_not_open_a_method_that_is_none(stage):
    assert stage.call("/open/flan", resource="/falcon", caller="")["statusCode"] == 403
    assert stage.runtime.asked == []


def test_bytes_go_in_and_out_as_base64(stage):
    raw = bytes(range(256))
    stage.runtime.answer = Reply(status=200, headers={"Content-Type": "image/png"}, body=raw)
    answer = stage.call(body=base64.b64encode(raw).decode(), isBase64Encoded=True)
    assert stage.runtime.asked[0][1] == raw
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == raw


def test_a_model_that_says_json_and_answers_other_bytes_is_passed_on_as_bytes(stage):
    stage.runtime.answer = Reply(status=200, headers=JSON, body=b"\xff\xfe")
    answer = stage.call()
    assert base64.b64decode(answer["body"]) == b"\xff\xfe"


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"body": "no base64!", "isBase64Encoded": True}, 400),
        ({"body": "x" * (BODY_LIMIT + 1)}, 413),
        ({"path": "/unknown"}, 404),
        ({"endpoints": "flan,other"}, 403),
        ({"caller": ""}, 403),
    ],
)
def test_what_cannot_be_carried_is_refused_before_the_runtime_is_asked(stage, event, status):
    assert stage.call(**event)["statusCode"] == status
    assert stage.runtime.asked == []


def test_a_public_route_asks_for_no_token_and_a_limited_token_reaches_its_own(stage):
    assert stage.call("/open/flan", caller="")["statusCode"] == 200
    assert stage.call("/falcon/", endpoints="flan,falcon")["statusCode"] == 200


def test_an_answer_that_lambda_cannot_carry_is_told_as_that(stage):
    body = b"x" * (ANSWER_LIMIT + 1)
    stage.runtime.answer = Reply(status=200, headers={"Content-Type": "text/plain"}, body=body)
    answer = stage.call()
    assert answer["statusCode"] == 413
    assert "asynchronous" in json.loads(answer["body"])["Message"]


def test_a_model_s_failure_is_a_424_with_its_own_status_and_text(stage):
    stage.runtime.answer = refused(
        424, "ModelError", "Received server error (500)", OriginalStatusCode=500,
        OriginalMessage="no such key", LogStreamArn="arn:aws:logs:x",
    )  # fmt: skip
    answer = stage.call()
    assert answer["statusCode"] == 424
    assert answer["headers"]["x-amzn-ErrorType"] == "ModelError"
    body = json.loads(answer["body"])
    assert (body["OriginalStatusCode"], body["OriginalMessage"]) == (500, "no such key")


def test_a_runtime_that_cannot_be_reached_is_unavailable_and_says_when_to_ask_again(stage):
    stage.runtime.answer = Unavailable("no route to it", retry_after=seconds(5), hint="ask again")
    answer = stage.call()
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "5"


def test_an_endpoint_that_nobody_leased_is_not_found_in_sagemaker_s_words(stage):
    stage.gone()
    answer = stage.call()
    assert answer["statusCode"] == 400
    assert "not found" in json.loads(answer["body"])["Message"]


def test_a_request_wakes_what_its_owner_lets_it_wake(stage):
    stage.gone()
    stage.world.running("falcon", 30)
    wake = Wake(minutes=minutes(10), at_most=minutes(60))
    stage.world.terms.change("falcon", "ann", lambda held: replace(held, wake=wake))
    stage.world.clock.advance(minutes(30))
    stage.world.rest()
    before = stage.world.nudges
    answer = stage.call()
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "300"
    assert json.loads(answer["body"])["reason"] == "expired"
    assert stage.world.nudges == before + 1
    assert stage.world.book.get("falcon").wanted_at == stage.world.clock.now()
    later = stage.call(headers={"Prefer": "respond-async"})
    assert later["statusCode"] == 202
    assert json.loads(later["body"])["status_url"] == "/v1/endpoints/falcon"
    stage.world.rest()
    assert not stage.world.book.get("falcon").over(stage.world.clock.now())


def test_what_a_request_does_not_wake_is_told_and_stays_over(stage):
    stage.gone()
    stage.world.running("falcon", 30)
    stage.world.clock.advance(minutes(30))
    stage.world.rest()
    answer = stage.call(headers={"prefer": "respond-async"})
    assert answer["statusCode"] == 503
    assert "parkade start falcon" in json.loads(answer["body"])["hint"]
    assert stage.world.book.get("falcon").wanted_at is None


def test_what_is_being_started_tells_when_it_is_expected(stage):
    stage.gone()
    stage.world.add("falcon")
    stage.world.sweep.run()
    answer = stage.call()
    assert answer["statusCode"] == 503
    expected = (NOW + stage.span).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert json.loads(answer["body"])["expected_at"] == expected


def test_an_execution_answers_with_body_and_type(stage):
    assert stage.execute({"text": "hi"}) == {
        "Body": '{"ok": 1}', "ContentType": "application/json",
    }  # fmt: skip
    assert stage.runtime.asked[0][1] == b'{"text": "hi"}'


def test_an_answer_too_long_for_a_state_machine_is_kept(stage):
    stage.runtime.answer = Reply(status=200, headers=JSON, body=b"x" * LIMIT)
    assert stage.execute() == {
        "BodyLocation": "s3://answers/mark__1", "ContentType": "application/json",
    }  # fmt: skip
    assert stage.kept == [("mark__1", b"x" * LIMIT, "application/json")]


def test_an_execution_fails_by_the_runtime_s_name_and_waits_for_what_starts(stage):
    stage.runtime.answer = refused(424, "ModelError", "it broke", OriginalStatusCode=500)
    with pytest.raises(Exception, match="it broke") as failed:
        stage.execute()
    assert type(failed.value).__name__ == "SageMakerRuntime.ModelErrorException"
    stage.gone()
    with pytest.raises(Exception, match="not found") as failed:
        stage.execute()
    assert type(failed.value).__name__ == "SageMakerRuntime.ValidationErrorException"
    stage.world.add("falcon")
    with pytest.raises(EndpointStarting):
        stage.execute()
