"""Callers of an endpoint that sleeps: held, told, or refused; with everything killed in their midst.

The model does not begin before its gate is open, so that it is known who is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import IMAGE, Account, account, variant
from tests.faults.callers import calling, in_flight, wait_held
from tests.faults.load import steady
from tests.house import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.house import House

GATED = """
import json, os, time

def model_fn(folder):
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.01)

def transform_fn(model, body, content_type, accept):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write("x")
    return json.dumps({"word": "well", "n": json.loads(body)["n"]})
"""
#: As long as any of these tests may take.
LONG = {"Prefer": "wait=600"}


class Sleeper:
    """The endpoint `demo`, which sleeps, and the gate of its model."""

    def __init__(self, boto: Account, folder: Path) -> None:
        self.boto = boto
        self.house: House = boto.house
        self.gate = folder / "gate"
        self.seen = folder / "seen"

    def fall_asleep(self) -> None:
        """Put it to sleep, with its gate closed; return once nothing of it runs."""
        self.gate.touch()
        self.house.ok("POST", "/v1/endpoints/demo/wake")
        self.house.wait_state("demo", "running")
        wait_for(self._told_to_sleep, why="demo to be told to sleep")
        self.house.wait_state("demo", "asleep")
        wait_for(lambda: not self.house.workers(), why="its workers to be gone")
        self.seen.write_text("")
        self.gate.unlink()

    def events(self, kind: str) -> int:
        return len(self.house.events(kind=kind, endpoint="demo"))

    def invoke(self, **headers: str) -> Any:
        return self.house.invoke("demo", json={"n": 1}, headers=headers)

    def _told_to_sleep(self) -> bool:
        # While requests are under way, as last told, it is refused.
        return self.house.call("POST", "/v1/endpoints/demo/sleep").is_success


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sleeper]:
    folder = tmp_path_factory.mktemp("waking")
    (folder / "model" / "code").mkdir(parents=True)
    (folder / "model" / "code" / "inference.py").write_text(GATED)
    with account(folder, "limits:\n  grace_seconds: 2\n") as boto:
        sleeper = Sleeper(boto, folder)
        container = {
            "Image": IMAGE,
            "ModelDataUrl": boto.push("gated", folder / "model"),
            "Environment": {"GATE": str(sleeper.gate), "SEEN": str(sleeper.seen)},
        }
        boto.sagemaker.create_model(ModelName="gated", PrimaryContainer=container)
        boto.config("gated", variant(model="gated"))
        sleeper.gate.touch()
        boto.house.park("demo", minutes=600, config="gated")
        yield sleeper


@pytest.fixture
def sleeper(made: Sleeper) -> Sleeper:
    made.fall_asleep()
    return made


def test_200_who_come_at_once_start_one_fleet_and_are_all_answered(sleeper: Sleeper) -> None:
    house = sleeper.house
    wanted, woken, started = map(sleeper.events, WAKES)
    with calling(house, "demo", 200, **LONG) as callers:
        wait_held(house, "demo", 200)
        wait_for(lambda: len(house.workers()) == 1)
        assert callers.unanswered() == 200
        sleeper.gate.touch()
        assert callers.wrong() == []
    assert [*map(sleeper.events, WAKES)] == [wanted + 1, woken + 1, started + 1]
    assert len(house.workers()) == 1
    assert sleeper.seen.read_text() == "x" * 200


def kill_control(house: House) -> None:
    former = house.kill("control")
    house.wait_reborn("control", former)


WAKES = ("lease.wanted", "endpoint.waking", "worker.started")


def test_nobody_who_is_held_is_lost_with_control(sleeper: Sleeper) -> None:
    house = sleeper.house
    with calling(house, "demo", 50, **LONG) as callers:
        # At once: whether it was asked before it died, nobody knows.
        kill_control(house)
        wait_held(house, "demo", 50)
        kill_control(house)
        assert callers.unanswered() == 50
        sleeper.gate.touch()
        assert callers.wrong() == []
    assert sleeper.seen.read_text() == "x" * 50


def test_what_control_was_asked_for_before_it_died_is_done_though_nobody_is_held(
    sleeper: Sleeper,
) -> None:
    house = sleeper.house
    sleeper.gate.touch()
    assert sleeper.invoke().status_code == 503
    kill_control(house)
    house.wait_state("demo", "running")


def test_who_hangs_up_while_held_leaves_no_trace(sleeper: Sleeper) -> None:
    house = sleeper.house
    with calling(house, "demo", 20, **LONG) as callers:
        wait_held(house, "demo", 20)
        callers.hang_up()
    wait_for(lambda: in_flight(house, "demo") == 0)
    sleeper.gate.touch()
    # It was wanted, and is there.
    house.wait_state("demo", "running")
    assert sleeper.invoke().json()["n"] == 1
    assert sleeper.seen.read_text() == "x"


def test_who_is_not_held_is_told_when_to_ask_again(sleeper: Sleeper) -> None:
    answer = sleeper.invoke()
    assert answer.status_code == 503
    assert answer.headers["x-amzn-ErrorType"] == "ServiceUnavailable"
    assert (answer.json()["reason"], int(answer.headers["Retry-After"]) > 0) == ("asleep", True)
    sleeper.house.wait_state("demo", "starting")
    wait_for(lambda: sleeper.invoke().json()["reason"] == "starting")
    answer = sleeper.invoke(Prefer="wait=1")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Preference-Applied"] == "wait=1"
    sleeper.gate.touch()
    assert sleeper.invoke(**LONG).status_code == 200


def test_who_wants_to_look_later_may_with_the_same_token(sleeper: Sleeper) -> None:
    house = sleeper.house
    form = {"name": "looks", "role": "invoker", "endpoints": ["demo"]}
    token = house.ok("POST", "/v1/tokens", json=form).json()["token"]
    mine = {"Authorization": token}
    answer = sleeper.invoke(Prefer="respond-async", **mine)
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert int(answer.headers["Retry-After"]) > 0
    place = answer.headers["Location"]
    assert answer.json()["status_url"] == place

    def look() -> Any:
        return house.ok("GET", place, headers=mine).json()

    wait_for(lambda: look()["state"] == "starting")
    assert "expected_at" in look()
    sleeper.gate.touch()
    wait_for(lambda: look()["state"] == "running")
    # The state is told a moment before the gateway has it.
    assert sleeper.invoke(**LONG, **mine).status_code == 200
    house.ok("DELETE", "/v1/tokens/looks")


def test_a_route_and_an_execution_wake_it(sleeper: Sleeper) -> None:
    house = sleeper.house
    house.ok("PUT", "/v1/routes/falcon", json={"endpoint_name": "demo"})
    form = {"endpointname": "demo", "body": {"n": 7}}
    arn = house.ok("POST", "/startexecution", json=form).json()["executionArn"]
    with calling(house, "demo", 1, **LONG) as callers:
        wait_held(house, "demo", 2)
        sleeper.gate.touch()
        assert callers.wrong() == []

    def done() -> Any:
        return house.ok("POST", "/describeexecution", json={"executionArn": arn}).json()

    wait_for(lambda: done()["status"] == "SUCCEEDED")
    sleeper.fall_asleep()
    sleeper.gate.touch()
    answer = house.ok("POST", "/falcon", json={"n": 8}, headers=LONG)
    assert answer.json()["n"] == 8


def test_nothing_is_lost_in_the_moment_of_falling_asleep(sleeper: Sleeper) -> None:
    house = sleeper.house
    sleeper.gate.touch()
    slept = sleeper.events("endpoint.asleep")
    # Each answer is looked at: it is 200, and the caller's own.
    with steady(house, "demo", LONG, rate=40) as load:
        for number in range(1, 7):

            def slept_again(so_often: int = slept + number) -> bool:
                # Nothing is under way, as last told; by now much is again. A request in between
                # keeps it awake after all: it is told again.
                with load.resting():
                    wait_for(lambda: in_flight(house, "demo") == 0)
                house.call("POST", "/v1/endpoints/demo/sleep")
                return sleeper.events("endpoint.asleep") >= so_often

            wait_for(slept_again, why="a moment without a request")
            house.wait_state("demo", "running")
