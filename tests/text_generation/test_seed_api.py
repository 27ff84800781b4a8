"""The seed's walk through its API, under its prefix /prod, with a real Falcon and a real T5."""

import re
from datetime import UTC, datetime

import pytest

from tests.house import house, wait_for

pytestmark = pytest.mark.text_generation
pytest.importorskip("torch")

from tests.text_generation.test_models import a_falcon, a_folder, a_t5  # noqa: E402

FORM = "%d-%m-%Y-%H-%M-%S"


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed")
    with house(folder / "state") as built:
        for name, make in (("falcon", a_falcon), ("flan", a_t5)):
            built.furnish(folder=a_folder(folder / name, make), name=name)
        yield built


@pytest.fixture(scope="module")
def running(walk):
    """Both endpoints, made as the seed makes one: by a POST that names a config."""
    made = {}
    for name in ("falcon", "flan"):
        made[name] = walk.ok(
            "POST",
            "/prod/endpoint-expiry",
            json={
                "EndpointName": f"demo-{name}-Endpoint",
                "EndpointConfigName": f"{name}-config",
                "minutes": 30,
            },
        ).json()
        route = {"endpoint_name": f"demo-{name}-Endpoint", "public": False}
        walk.ok("PUT", f"/v1/routes/{name}", json=route)
    for name in ("falcon", "flan"):
        walk.wait_state(f"demo-{name}-Endpoint", "running")
    return made


def is_the_form(answer, name):
    assert answer["EndpointName"] == name
    assert answer["EndpointExpiry"] == answer["EndpointExpiry "]
    assert datetime.strptime(answer["EndpointExpiry"], FORM).replace(tzinfo=UTC) > datetime.now(UTC)
    assert re.fullmatch(r"\d+:\d\d:\d\d(\.\d{6})?", answer["TimeLeft"])
    return True


def test_an_endpoint_is_made_with_its_first_minutes(running):
    assert is_the_form(running["falcon"], "demo-falcon-Endpoint")
    assert running["falcon"]["TimeLeft"].startswith(("0:29:5", "0:30:00"))


def test_the_time_left_of_one_and_of_all(walk, running):
    one = walk.ok("GET", "/prod/endpoint-expiry?EndpointName=demo-falcon-Endpoint").json()
    assert is_the_form(one, "demo-falcon-Endpoint")
    every = walk.ok("GET", "/prod/endpoint-expiry").json()
    assert [each["EndpointName"] for each in every] == [
        "demo-falcon-Endpoint",
        "demo-flan-Endpoint",
    ]
    assert all(is_the_form(each, each["EndpointName"]) for each in every)


def test_minutes_are_added(walk, running):
    def expiry(answer):
        return datetime.strptime(answer["EndpointExpiry"], FORM).replace(tzinfo=UTC)

    before = walk.ok("GET", "/prod/endpoint-expiry?EndpointName=demo-flan-Endpoint").json()
    body = {"EndpointName": "demo-flan-Endpoint", "minutes": 10}
    after = walk.ok("POST", "/prod/endpoint-expiry", json=body).json()
    assert is_the_form(after, "demo-flan-Endpoint")
    assert (expiry(after) - expiry(before)).total_seconds() == 600


def test_the_falcon_api(walk, running):
    body = {
        "inputs": "Write a program to compute factorial in python:",
        "parameters": {"max_new_tokens": 20},
    }
    (answer,) = walk.ok("POST", "/prod/falcon", json=body).json()
    assert list(answer) == ["generated_text"]
    assert isinstance(answer["generated_text"], str)


def test_the_flan_api(walk, running):
    body = {
        "text_inputs": "write a story about beautiful weather on a tropical island.",
        "max_length": 50,
        "temperature": 0.0,
        "seed": 321,
    }
    answer = walk.ok("POST", "/prod/flan", json=body).json()
    assert list(answer) == ["generated_texts"]
    assert [type(text) for text in answer["generated_texts"]] == [str]


def test_an_execution_outlasts_its_request(walk, running):
    inner = '{"text_inputs": "write a story", "max_length": 10}'
    body = {"endpointname": "demo-flan-Endpoint", "body": inner}
    started = walk.ok("POST", "/prod/startexecution", json=body).json()
    assert set(started) >= {"executionArn", "startDate"}
    arn = {"executionArn": started["executionArn"]}

    def ended():
        described = walk.ok("POST", "/prod/describeexecution", json=arn).json()
        return described if described["status"] != "RUNNING" else None

    described = wait_for(ended, why="the execution to end")
    assert described["status"] == "SUCCEEDED"
    assert "generated_texts" in described["output"]
