"""Testers over the API, and measurements of one's own."""

import asyncio

import pytest

from parkade.domain.series import Series
from tests.apps.api.world import World
from tests.builders import NOW, minutes

CASES = [{"id": "1", "input": {"text": "coin"}, "expected": {"n": 4}}]
FORM = {"endpoint_name": "falcon", "cases": CASES, "schedule": "rate(5 minutes)"}


@pytest.fixture
def world():
    return World()


def play(world):
    """Carry out what was begun in the background."""

    async def run():
        while world.pending:
            await world.pending.pop(0)

    asyncio.run(run())


def test_what_is_set_is_told_with_every_member(world):
    told = world.ok("PUT", "/v1/testers/demo", json=FORM)
    assert told["name"] == "demo"
    assert told["content"]["clients"] == 5
    assert told["content"]["cases"] == CASES
    assert told["next_at"] == "2026-03-01T12:05:00Z"
    assert told["last"] is told["skipped"] is told["running_since"] is None
    assert world.ok("GET", "/v1/testers/demo") == told
    assert world.ok("GET", "/v1/testers")["testers"] == [told]


def test_setting_it_again_changes_nothing_and_another_content_keeps_its_runs(world):
    world.ok("PUT", "/v1/testers/demo", json=FORM)
    world.ok("POST", "/v1/testers/demo/run")
    play(world)
    world.clock.advance(minutes(1))
    again = world.ok("PUT", "/v1/testers/demo", json=FORM)
    assert again["created_at"] == "2026-03-01T12:00:00Z"
    other = world.ok("PUT", "/v1/testers/demo", json={**FORM, "clients": 2})
    assert other["created_at"] == "2026-03-01T12:01:00Z"
    assert other["last"]["verdict"] == "passed"


def test_a_run_is_begun_at_once_and_told_when_it_is_over(world):
    world.ok("PUT", "/v1/testers/demo", json=FORM)
    begun = world.call("POST", "/v1/testers/demo/run")
    assert begun.status_code == 202
    assert begun.json()["running_since"] == "2026-03-01T12:00:00Z"
    assert world.error("POST", "/v1/testers/demo/run")[0] == 409
    play(world)
    told = world.ok("GET", "/v1/testers/demo")
    assert told["running_since"] is None
    assert (told["last"]["verdict"], told["last"]["by"]) == ("passed", "operator")
    assert told["last"]["report"]["total"] == {"runs": 1}


def test_it_can_be_removed(world):
    world.ok("PUT", "/v1/testers/demo", json=FORM)
    world.ok("DELETE", "/v1/testers/demo")
    status, error = world.error("GET", "/v1/testers/demo")
    assert (status, error["code"]) == (404, "tester_not_found")
    assert world.error("DELETE", "/v1/testers/demo")[0] == 404
    assert world.error("POST", "/v1/testers/demo/run")[0] == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"route": "/text"}, "endpoint_name"),
        ({"cases": []}, "cases"),
        ({"cases": 5}, "cases"),
        ({"clients": 0}, "clients"),
        ({"clients": 1.5}, "clients"),
        ({"schedule": "hourly"}, "schedule"),
        ({"client": 1}, "client"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(world, changes, field):
    status, error = world.error("PUT", "/v1/testers/demo", json={**FORM, **changes})
    assert status == 400
    assert error["field"].startswith(field)
    assert world.ok("GET", "/v1/testers")["testers"] == []


def test_a_name_is_one_of_an_endpoints_kind(world):
    assert world.error("PUT", "/v1/testers/no_name", json=FORM)[0] == 400


def test_a_damaged_one_is_told_apart(world):
    world.ok("PUT", "/v1/testers/demo", json=FORM)
    world.services.testing.rounds._means.store.damage("demo", "it is torn")
    told = world.ok("GET", "/v1/testers")
    assert told["testers"] == []
    assert "torn" in told["unreadable"]["demo"]


def a_sample(**changes):
    return {"name": "ResponseTime", "values": [10, 20], "unit": "Milliseconds", **changes}


def put(*samples, namespace="Parkade/Tester"):
    return {"namespace": namespace, "samples": list(samples)}


def test_measurements_of_ones_own_are_stored_by_the_minute(world):
    of = {"Project": "Text"}
    body = put(
        a_sample(dimensions=of, counts=[3, 1]), a_sample(dimensions=of, values=[50], ago_seconds=65)
    )
    world.ok("POST", "/v1/metrics", json=body)
    series = Series.of("Parkade/Tester", "ResponseTime", **of)
    found = world.metrics.points([series], NOW - minutes(5), NOW + minutes(1), 60)[series]
    assert [(each.at, each.value.count, each.value.total) for each in found] == [
        (NOW - minutes(2), 1, 50),
        (NOW, 4, 50),
    ]
    told = world.ok("GET", "/v1/metrics?namespace=Parkade/Tester&statistic=p50&span=600")
    assert told["measured"][0]["series"]["unit"] == "Milliseconds"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (put(a_sample(), namespace="AWS/SageMaker"), "namespace"),
        (put(a_sample(), namespace="Parkade"), "namespace"),
        (put(), "samples"),
        (put(a_sample(values=[])), "samples"),
        (put(a_sample(counts=[1])), "counts"),
        (put(a_sample(counts=[1, 0])), "values"),
        (put(a_sample(values=[1e300])), "values"),
        (put(a_sample(ago_seconds=-1)), "samples"),
    ],
)
def test_what_is_no_measurement_is_refused_and_nothing_is_stored(world, body, field):
    status, error = world.error("POST", "/v1/metrics", json=put(a_sample()) | body)
    assert status == 400
    assert error["field"].startswith(field)
    assert world.metrics.known() == []
