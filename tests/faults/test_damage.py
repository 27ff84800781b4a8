"""Invariant 2, work: what cannot be read is left alone and reported, whatever it is.

A row of the database is damaged, the control process is killed, and its successor starts over it.
"""

import sqlite3

import pytest

from tests.house import PATIENCE, alive, house, wait_for


def broken(table, name, key):
    """Return the statement that takes a member out of a record."""
    return (
        f"UPDATE {table} SET content = replace(content, '\"{key}\"', '\"torn\"')"  # noqa: S608
        f" WHERE content LIKE '%{name}%' AND content LIKE '%\"{key}\"%'"
    )


ENDPOINT = broken("endpoints", '"demo"', "changed_at")
DAMAGES = {
    "endpoint": ENDPOINT,
    "config": broken("configs", '"demo-config"', "variants"),
    "config lost": "DELETE FROM configs WHERE name = 'demo-config'",
    "model": broken("models", '"demo-model"', "containers"),
    "instance": broken("instances", '"demo"', "started_at"),
}


@pytest.fixture
def own(tmp_path):
    """A house with two endpoints that have nothing in common."""
    with house(tmp_path / "state") as built:
        for name in ("demo", "other"):
            built.furnish(name=name)
            built.park(name, minutes=30, config=f"{name}-config")
        yield built


def pids_of(built, name):
    return [i["pid"] for i in built.ok("GET", f"/v1/endpoints/{name}").json()["instances"]]


def damage(built, *statements):
    database = sqlite3.connect(built.paths.database, timeout=PATIENCE)
    with database:
        for statement in statements:
            assert database.execute(statement).rowcount == 1
    database.close()


def damaged_and_killed(built, *statements):
    """Damage rows, kill control; return once its successor is ready."""
    damage(built, *statements)
    former = built.kill("control")
    built.wait_reborn("control", former)


@pytest.mark.parametrize("what", DAMAGES)
def test_2_work_what_cannot_be_read_costs_no_worker_and_no_other_endpoint(own, what):
    (pid,), (other,) = pids_of(own, "demo"), pids_of(own, "other")
    damaged_and_killed(own, DAMAGES[what])
    own.wait_state("demo", "running")
    assert own.invoke("demo").status_code == 200
    assert alive(pid)
    if what != "instance":
        assert pids_of(own, "demo") == [pid]
    if what in {"endpoint", "instance"}:
        assert wait_for(lambda: own.events(kind="host.unreadable"), why="the report")
    # The others go on, stop, and start.
    assert pids_of(own, "other") == [other]
    own.ok("POST", "/v1/leases/other/end")
    wait_for(lambda: not alive(other), why="the other endpoint to stop")
    own.wait_state("other", "stopped")
    own.ok("POST", "/v1/leases/other/start", json={"minutes": 5})
    own.wait_state("other", "running")
    assert own.invoke("other").status_code == 200
    # What a sweep decides meanwhile has changed nothing.
    own.ok("POST", "/v1/nudge")
    assert own.invoke("demo").status_code == 200
    assert alive(pid)
    assert own.down() == 0
    wait_for(lambda: not own.workers(), why="no worker after an orderly end")


def test_1_money_a_stop_of_a_damaged_endpoint_is_told_and_done_once_it_was_put_right(own):
    (pid,) = pids_of(own, "demo")
    damaged_and_killed(own, ENDPOINT)
    own.ok("POST", "/v1/leases/demo/end")
    wait_for(lambda: own.events(kind="stop.failed", endpoint="demo"), why="the failure to be told")
    assert alive(pid)
    damage(
        own,
        ENDPOINT.replace("changed_at", "first")
        .replace("torn", "changed_at")
        .replace("first", "torn"),
    )
    own.ok("POST", "/v1/nudge")
    wait_for(lambda: not alive(pid), why="its worker to go")
    own.wait_state("demo", "stopped")
