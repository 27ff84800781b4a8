"""The seven invariants of docs/design/invariants.md, each attacked with real processes and signals."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest

from tests.house import PATIENCE, House, alive, house, wait_for


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A house with the no-op model; tests use endpoints of their own."""
    with house(tmp_path_factory.mktemp("shared") / "state") as built:
        built.furnish()
        yield built


@pytest.fixture
def own(tmp_path):
    with house(tmp_path / "state") as built:
        built.furnish()
        yield built


def minutes_left(built: House, name: str) -> float:
    return float(built.ok("GET", f"/v1/leases/{name}").json()["time_left_seconds"]) / 60


@contextmanager
def damaging(built: House) -> Iterator[sqlite3.Connection]:
    """Open the database behind Parkade's back; what was done is committed."""
    with closing(sqlite3.connect(built.paths.database, timeout=PATIENCE)) as database, database:
        yield database


def worker_pids(built: House, name: str) -> list[int]:
    return [i["pid"] for i in built.ok("GET", f"/v1/endpoints/{name}").json()["instances"]]


def test_1_money_a_lease_that_runs_out_takes_its_last_worker_within_two_seconds(shared):
    shared.park("money", minutes=30)
    (pid,) = worker_pids(shared, "money")
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    with damaging(shared) as database:
        _expire(database, "money", expires_at)
    shared.ok("POST", "/v1/nudge")
    wait_for(lambda: shared.state_of("money") == "expired" and not worker_pids(shared, "money"))
    assert timedelta(0) <= datetime.now(UTC) - expires_at < timedelta(seconds=2)
    assert not alive(pid)


def test_1_money_an_expiry_that_control_did_not_live_to_see_is_acted_on_by_its_successor(own):
    own.park("demo", minutes=30)
    (pid,) = worker_pids(own, "demo")
    with damaging(own) as database:
        # The lease runs out at the moment control dies: as if the signal came a second earlier.
        former = own.kill("control")
        _expire(database, "demo", datetime(2020, 1, 1, tzinfo=UTC))
    own.wait_reborn("control", former)
    wait_for(lambda: not alive(pid), why="the worker of the expired lease to go")
    own.wait_state("demo", "expired")
    answer = own.invoke("demo")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "expired"


def _expire(database: sqlite3.Connection, name: str, at: datetime) -> None:
    stored = at.isoformat(timespec="microseconds")
    database.execute("UPDATE leases SET expires_at = ? WHERE endpoint_name = ?", (stored, name))
    database.commit()


def test_2_work_a_lease_that_cannot_be_read_stops_nothing_and_is_reported(own):
    own.park("demo", minutes=30)
    own.park("other", minutes=30)
    (pid,) = worker_pids(own, "demo")
    with damaging(own) as database:
        database.execute("UPDATE leases SET expires_at = 'soon' WHERE endpoint_name = 'demo'")
    own.ok("POST", "/v1/nudge")
    wait_for(lambda: own.events(kind="lease.unreadable"), why="the report")
    own.ok("POST", "/v1/leases/other/end")
    own.wait_state("other", "stopped")
    assert alive(pid)
    assert own.invoke("demo").json() == {"ok": True, "n": 4}


def test_2_work_only_what_a_lease_says_is_stopped(own):
    own.park("demo", minutes=30)
    (pid,) = worker_pids(own, "demo")
    with damaging(own) as database:
        database.execute("DELETE FROM leases WHERE endpoint_name = 'demo'")
    own.ok("POST", "/v1/nudge")
    wait_for(lambda: own.events(kind="endpoint.unmetered"), why="the report")
    assert alive(pid)
    assert own.invoke("demo").is_success


def test_3_no_lost_minutes_100_concurrent_extensions_add_100_minutes(shared):
    shared.park("coins", minutes=30)
    before = datetime.fromisoformat(shared.ok("GET", "/v1/leases/coins").json()["expires_at"])

    def coin(_):
        body = {"EndpointName": "coins", "minutes": 1}
        return shared.call("POST", "/prod/endpoint-expiry", json=body).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(coin, range(100))) == {200}
    after = datetime.fromisoformat(shared.ok("GET", "/v1/leases/coins").json()["expires_at"])
    assert after - before == timedelta(minutes=100)
    assert len(shared.events(kind="lease.extended", endpoint="coins")) == 100


def test_3_no_lost_minutes_a_repeated_coin_counts_once_also_after_control_was_killed(own):
    own.park("demo", minutes=30)
    before = own.ok("GET", "/v1/leases/demo").json()["expires_at"]
    key = {"Idempotency-Key": "one-coin"}
    body = {"EndpointName": "demo", "minutes": 7}
    first = own.ok("POST", "/endpoint-expiry", json=body, headers=key).json()
    former = own.kill("control")
    own.wait_reborn("control", former)
    second = own.ok("POST", "/endpoint-expiry", json=body, headers=key).json()
    assert first["EndpointExpiry"] == second["EndpointExpiry"]
    after = own.ok("GET", "/v1/leases/demo").json()["expires_at"]
    paid = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert paid == timedelta(minutes=7)


def test_4_one_decision_the_plan_that_is_shown_is_the_one_that_is_done(shared):
    shared.park("decided", minutes=30)
    shared.ok("POST", "/v1/leases/decided/end")
    shared.wait_state("decided", "stopped")
    wait_for(lambda: not worker_pids(shared, "decided"))
    actions = shared.ok("GET", "/v1/plan").json()["actions"]
    (mine,) = [each for each in actions if each["endpoint_name"] == "decided"]
    assert mine["kind"] == "nothing"
    assert mine["reason"].startswith("stopped ")


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.3, 0.6])
def test_5_again_is_harmless_control_killed_in_any_step_of_a_start_or_stop(own, delay):
    own.ok("PUT", "/v1/leases/demo", json={"config_name": "demo-config", "minutes": 30})
    time.sleep(delay)  # a rehearsal of crashes at different steps; no condition is waited for
    own.wait_reborn("control", own.kill("control"))
    own.wait_state("demo", "running")
    wait_for(lambda: len(own.workers()) == 1, why="exactly one worker")
    assert own.invoke().json() == {"ok": True, "n": 4}
    own.ok("POST", "/v1/leases/demo/end")
    time.sleep(delay / 10)
    own.wait_reborn("control", own.kill("control"))
    wait_for(lambda: not own.workers(), why="no worker")
    assert own.state_of() == "stopped"


def test_6_the_data_plane_outlives_the_control_plane(own):
    own.park("demo", minutes=30)
    before = worker_pids(own, "demo")
    answers: list[int] = []
    stop = threading.Event()

    def caller():
        with httpx.Client(headers={"Authorization": own.token}, timeout=PATIENCE) as client:
            while not stop.is_set():
                answer = client.post(f"{own.url}/endpoints/demo/invocations", json={"text": "x"})
                answers.append(answer.status_code)

    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            own.wait_reborn("control", own.kill("control"))
            own.wait_state("demo", "running")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(answers) == {200}
    assert worker_pids(own, "demo") == before


def test_7_time_is_one_clock_that_a_rehearsal_can_speed_up_and_a_restart_goes_on_with(tmp_path):
    with house(tmp_path / "state", "--time-scale", "600") as fast:
        fast.furnish()
        begun = reading(fast)
        # Half an hour is 3 s: on a slow machine it is over before the endpoint has started.
        fast.ok("PUT", "/v1/leases/demo", json={"config_name": "demo-config", "minutes": 30})
        fast.wait_state("demo", "expired")
        ended = reading(fast)
        passed = (ended.now - begun.now).total_seconds()
        assert passed > 30 * 60
        # The two clocks may be set while they are compared, by a little.
        assert 595 * (ended.asked - begun.told) <= passed <= 605 * (ended.told - begun.asked)
        assert ended.now.tzinfo is not None
        fast.down()
        fast.up()
        assert reading(fast).now > ended.now
        form = fast.ok("GET", "/endpoint-expiry?EndpointName=demo").json()
        datetime.strptime(form["EndpointExpiry"], "%d-%m-%Y-%H-%M-%S")  # noqa: DTZ007  the seed's form
        assert form["TimeLeft"] == "0:00:00"


class Reading(NamedTuple):
    """What the clock of leases showed, between two seconds of real time."""

    asked: float
    now: datetime
    told: float


def reading(built: House) -> Reading:
    asked = time.monotonic()
    now = datetime.fromisoformat(built.ok("GET", "/v1/plan").json()["now"])
    return Reading(asked, now, time.monotonic())
