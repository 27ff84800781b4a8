"""The first version's API: each curl line of its README, and what goes wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.endpoint import EndpointStatus
from parkade.ports.invoker import Answer
from tests.apps.api.world import SECRETS, World
from tests.builders import NOW, minutes, seconds

URL = "https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod"
KEYS = ["EndpointName", "EndpointExpiry", "EndpointExpiry ", "TimeLeft"]


def readme(text):
    return text.replace("<YOUR TOKEN VALUE>", SECRETS["operator"])


def test_querying_one_endpoint(world):
    world.add("demo-Falcon40B-Endpoint", amount=minutes(30))
    world.clock.advance(minutes(5) + seconds(54.842569))
    answer = world.curl(
        readme(f"""curl --location '{URL}/endpoint-expiry?EndpointName=demo-Falcon40B-Endpoint' \\
--header 'Authorization: <YOUR TOKEN VALUE>'""")
    )
    assert answer.status_code == 200
    assert list(answer.json()) == KEYS
    assert answer.json() == {
        "EndpointName": "demo-Falcon40B-Endpoint",
        "EndpointExpiry": "01-03-2026-12-30-00",
        "EndpointExpiry ": "01-03-2026-12-30-00",
        "TimeLeft": "0:24:05.157431",
    }


def test_querying_all_endpoints(world):
    world.add("demo-Falcon40B-Endpoint")
    world.add("another-ml-Endpoint", amount=minutes(60))
    answer = world.curl(
        readme(f"""curl --location '{URL}/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>'""")
    )
    assert [list(each) for each in answer.json()] == [KEYS, KEYS]
    assert {each["EndpointName"]: each["TimeLeft"] for each in answer.json()} == {
        "another-ml-Endpoint": "1:00:00.000000",
        "demo-Falcon40B-Endpoint": "0:30:00.000000",
    }


def test_no_endpoint_is_an_empty_list(world):
    assert world.ok("GET", "/endpoint-expiry") == []


def test_extending(world):
    world.add("demo-Falcon40B-Endpoint", amount=minutes(20))
    answer = world.curl(
        readme(f"""curl --location '{URL}/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>' \\
--header 'Content-Type: application/json' \\
--data '{{
    "EndpointName": "demo-Falcon40B-Endpoint",
    "minutes": 10
}}'""")
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "EndpointName": "demo-Falcon40B-Endpoint",
        "EndpointExpiry": "01-03-2026-12-30-00",
        "EndpointExpiry ": "01-03-2026-12-30-00",
        "TimeLeft": "0:30:00.000000",
    }


def test_adding(world):
    world.hosting.add_config("jumpstart-example-model-inpainting-cfg")
    answer = world.curl(
        readme(f"""curl --location '{URL}/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>' \\
--header 'Content-Type: application/json' \\
--data '{{
    "EndpointName": "test-inpainting-Endpoint",
    "EndpointConfigName": "jumpstart-example-model-inpainting-cfg",
    "minutes": 30
}}'""")
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "EndpointName": "test-inpainting-Endpoint",
        "EndpointExpiry": "01-03-2026-12-30-00",
        "EndpointExpiry ": "01-03-2026-12-30-00",
        "TimeLeft": "0:30:00.000000",
    }
    lease = world.book.get("test-inpainting-Endpoint")
    assert (lease.owner, lease.config_name) == (
        "operator",
        "jumpstart-example-model-inpainting-cfg",
    )


def test_the_content_type_may_be_curls_default(world):
    world.add()
    answer = world.curl(
        f"curl '{URL}/endpoint-expiry' --header 'authorization: Bearer {SECRETS['operator']}' "
        """--data '{"EndpointName": "falcon", "minutes": 1}'"""
    )
    assert answer.json()["TimeLeft"] == "0:31:00.000000"


def test_adding_without_minutes_takes_the_default(world):
    form = {"EndpointName": "falcon", "EndpointConfigName": "falcon-config"}
    assert world.ok("POST", "/endpoint-expiry", json=form)["TimeLeft"] == "0:30:00.000000"


def test_extending_a_lease_that_is_over_counts_from_now(world):
    world.add(amount=minutes(1))
    world.clock.advance(minutes(60))
    assert world.ok("GET", "/endpoint-expiry?EndpointName=falcon")["TimeLeft"] == "0:00:00"
    form = {"EndpointName": "falcon", "minutes": 10}
    answer = world.ok("POST", "/endpoint-expiry", json=form)
    assert answer["TimeLeft"] == "0:10:00.000000"
    world.sweep()
    assert world.hosting.endpoints()["falcon"].status is EndpointStatus.CREATING


def test_fractions_of_minutes_count(world):
    world.add()
    form = {"EndpointName": "falcon", "minutes": 0.5}
    assert world.ok("POST", "/endpoint-expiry", json=form)["TimeLeft"] == "0:30:30.000000"


def test_naming_the_same_config_extends(world):
    world.add()
    form = {"EndpointName": "falcon", "EndpointConfigName": "falcon-config", "minutes": 1}
    assert world.ok("POST", "/endpoint-expiry", json=form)["TimeLeft"] == "0:31:00.000000"


def test_another_config_of_a_known_endpoint_is_refused_with_the_way_to_change_it(world):
    world.add()
    form = {"EndpointName": "falcon", "EndpointConfigName": "other-config", "minutes": 1}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["code"]) == (409, "conflict")
    assert "parkade remove" in error["hint"]


def test_an_unknown_name_without_a_config_is_not_found(world):
    form = {"EndpointName": "nobody", "minutes": 1}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["code"]) == (404, "lease_not_found")
    assert "nobody" in error["message"]


def test_an_unknown_name_is_not_found(world):
    status, error = world.error("GET", "/endpoint-expiry?EndpointName=nobody")
    assert (status, error["code"]) == (404, "lease_not_found")


def test_an_unknown_config_is_not_found(world):
    form = {"EndpointName": "falcon", "EndpointConfigName": "nothing"}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["code"]) == (404, "config_not_found")


def test_extending_needs_minutes(world):
    world.add()
    status, error = world.error("POST", "/endpoint-expiry", json={"EndpointName": "falcon"})
    assert (status, error["code"], error["field"]) == (400, "invalid_input", "minutes")


def test_more_than_the_limit_ahead_is_refused_with_the_room_there_is(world):
    world.add()
    form = {"EndpointName": "falcon", "minutes": 7 * 24 * 60}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["field"]) == (400, "minutes")
    assert "10050" in error["hint"]


@pytest.mark.parametrize(
    "wrong", ["10", "", True, False, None, [10], {"a": 1}, 0, -1, -0.5, 1e400, 10**400]
)
def test_minutes_have_to_be_a_number_above_0(world, wrong):
    world.add()
    body = json.dumps({"EndpointName": "falcon", "minutes": wrong})
    status, error = world.error("POST", "/endpoint-expiry", content=body)
    assert (status, error["code"]) == (400, "invalid_input")
    assert error["field"] in {"minutes", "body"}
    assert world.book.get("falcon").expires_at == NOW + minutes(30)


SHARED = World()
SHARED.add()

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON_VALUES)
def test_any_minutes_either_count_or_are_refused_by_name(value):
    before = SHARED.book.get("falcon").expires_at
    body = json.dumps({"EndpointName": "falcon", "minutes": value})
    answer = SHARED.call("POST", "/endpoint-expiry", content=body)
    after = SHARED.book.get("falcon").expires_at
    if answer.status_code == 200:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        assert after - before == minutes(value)
    else:
        assert answer.status_code == 400
        assert answer.json()["error"]["field"] in {"minutes", "body"}
        assert after == before


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is missing"),
        (b"EndpointName=falcon&minutes=10", "not valid JSON"),
        (b'{"EndpointName": "falcon", "minutes": 10', "not valid JSON"),
        (b"{'EndpointName': 'falcon'}", "not valid JSON"),
        (b'{"EndpointName": "falcon", "minutes": NaN}', "NaN is not a number of JSON"),
        (b'{"EndpointName": "falcon", "minutes": Infinity}', "not a number of JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'["falcon", 10]', "not a JSON object"),
        (b'"falcon"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"EndpointName": "\\ud800"}', "half a surrogate pair"),
    ],
)
def test_a_body_that_is_no_json_object_is_told_so(world, body, told):
    headers = {"Content-Type": "application/json"}
    status, error = world.error("POST", "/endpoint-expiry", content=body, headers=headers)
    assert (status, error["code"], error["field"]) == (400, "invalid_input", "body")
    assert told in error["message"]


def test_an_unknown_field_is_refused_with_a_suggestion(world):
    world.add()
    form = {"EndpointName": "falcon", "minute": 10}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["field"]) == (400, "minute")
    assert error["hint"] == "did you mean 'minutes'?"


def test_a_missing_name_is_named(world):
    status, error = world.error("POST", "/endpoint-expiry", json={"minutes": 10})
    assert (status, error["field"]) == (400, "EndpointName")


@pytest.mark.parametrize("name", ["", "-falcon", "fal con", "x" * 64, 5, None])
def test_an_unusable_name_is_named(world, name):
    form = {"EndpointName": name, "EndpointConfigName": "falcon-config"}
    status, error = world.error("POST", "/endpoint-expiry", json=form)
    assert (status, error["field"]) == (400, "EndpointName")


def test_a_misspelt_parameter_does_not_answer_more_than_was_asked(world):
    status, error = world.error("GET", "/endpoint-expiry?endpointname=falcon")
    assert (status, error["field"]) == (400, "endpointname")
    assert error["hint"] == "did you mean 'EndpointName'?"


def test_a_retried_extension_counts_once(world):
    world.add()
    for _ in range(3):
        answer = world.ok(
            "POST",
            "/endpoint-expiry",
            json={"EndpointName": "falcon", "minutes": 10},
            headers={"Idempotency-Key": "coin-1"},
        )
        assert answer["TimeLeft"] == "0:40:00.000000"


def test_a_key_used_for_something_else_is_refused(world):
    world.add()
    key = {"Idempotency-Key": "coin-1"}
    form = {"EndpointName": "falcon", "minutes": 10}
    world.ok("POST", "/endpoint-expiry", json=form, headers=key)
    status, _ = world.error("POST", "/endpoint-expiry", json={**form, "minutes": 11}, headers=key)
    assert status == 409


def test_an_overlong_key_is_refused(world):
    world.add()
    status, error = world.error(
        "POST",
        "/endpoint-expiry",
        json={"EndpointName": "falcon", "minutes": 10},
        headers={"Idempotency-Key": "x" * 256},
    )
    assert (status, error["field"]) == (400, "Idempotency-Key")


def test_an_invoker_sees_what_it_may_invoke_and_pays_for_nothing(world):
    world.add()
    world.add("other")
    listed = world.ok("GET", "/endpoint-expiry", by="limited")
    assert [each["EndpointName"] for each in listed] == ["falcon"]
    status, _ = world.error("GET", "/endpoint-expiry?EndpointName=other", by="limited")
    assert status == 403
    form = {"EndpointName": "falcon", "minutes": 10}
    status, error = world.error("POST", "/endpoint-expiry", json=form, by="invoker")
    assert (status, error["code"]) == (403, "forbidden")


# -- executions ---------------------------------------------------------------------------


def start(world, body="ping", by="invoker"):
    form = {"endpointname": "falcon", "body": body}
    return world.ok("POST", "/startexecution", json=form, by=by)


def describe(world, arn, by="invoker"):
    return world.ok("POST", "/describeexecution", json={"executionArn": arn}, by=by)


def test_an_execution_runs_in_the_background(world):
    started = start(world)
    assert list(started) == ["executionArn", "startDate"]
    assert re.fullmatch(
        r"arn:aws:states:local:\d{12}:execution:parkade:[0-9a-f-]{36}", started["executionArn"]
    )
    assert started["startDate"] == NOW.timestamp()
    assert describe(world, started["executionArn"]) == {
        "executionArn": started["executionArn"],
        "status": "RUNNING",
        "startDate": NOW.timestamp(),
        "input": '{"endpointname": "falcon", "body": "ping"}',
    }
    world.wall.advance(seconds(90))
    world.finish()
    described = describe(world, started["executionArn"])
    assert described["status"] == "SUCCEEDED"
    assert described["stopDate"] == NOW.timestamp() + 90
    assert json.loads(described["output"])["Body"] == "ping"
    assert not described.keys() & {"error", "cause"}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{"inputs": "as it is"}', b'{"inputs": "as it is"}'),
        ({"inputs": "written as JSON"}, b'{"inputs": "written as JSON"}'),
        ([1, 2.5, None], b"[1, 2.5, null]"),
        (7, b"7"),
        (None, b"null"),
    ],
)
def test_the_body_of_an_execution_is_a_text_or_json(world, body, sent):
    start(world, body)
    world.finish()
    assert world.invoker.invoked == [("falcon", sent, "application/json")]


def test_a_failed_execution_says_why(world):
    world.invoker.answer = lambda *_: Answer(
        status=424, content_type="application/json", body=b'{"Message": "model error"}'
    )
    arn = start(world)["executionArn"]
    world.finish()
    described = describe(world, arn)
    assert described["status"] == "FAILED"
    assert described["error"] == "SageMakerRuntime.ModelErrorException"
    assert "model error" in described["cause"]
    assert "output" not in described


def test_an_execution_is_seen_by_its_token_and_by_operators_alone(world):
    arn = start(world)["executionArn"]
    world.finish()
    assert describe(world, arn, "operator")["status"] == "SUCCEEDED"
    status, error = world.error(
        "POST", "/describeexecution", json={"executionArn": arn}, by="limited"
    )
    assert (status, error["code"]) == (404, "execution_not_found")


def test_executions_are_limited_to_the_endpoints_of_the_token(world):
    form = {"endpointname": "other", "body": "x"}
    status, error = world.error("POST", "/startexecution", json=form, by="limited")
    assert (status, error["code"]) == (403, "forbidden")
    assert not world.pending


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"body": "x"}, "endpointname"),
        ({"endpointname": "falcon"}, "body"),
        ({"endpointname": "-", "body": "x"}, "endpointname"),
        ({"EndpointName": "falcon", "body": "x"}, "EndpointName"),
    ],
)
def test_a_wrong_start_is_named(world, form, field):
    status, error = world.error("POST", "/startexecution", json=form)
    assert (status, error["field"]) == (400, field)


def test_a_body_over_the_limit_of_invocations_is_refused(world):
    form = {"endpointname": "falcon", "body": "x" * 6_291_457}
    status, error = world.error("POST", "/startexecution", json=form)
    assert (status, error["code"]) == (413, "too_large")


def test_a_body_over_the_limit_of_the_api_is_refused(world):
    status, error = world.error("POST", "/startexecution", content=b" " * (16 * 1024**2 + 1))
    assert (status, error["code"]) == (413, "too_large")
