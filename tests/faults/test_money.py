"""Money on a whole server: parallel payments, and what is metered while control is killed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import pytest

from tests.house import house, wait_for


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with house(tmp_path_factory.mktemp("money") / "state") as built:
        built.furnish()
        yield built


def used(running, name):
    """The instance hours of an endpoint so far."""
    lines = running.ok("GET", "/v1/cost", params={"endpoint": name}).json()["lines"]
    return sum(each["instance_hours"] for each in lines) * 3600


def test_parallel_http_calls_use_a_budget_up_and_never_pass_it(running):
    """ml.c5.xlarge is 0.204 USD an hour: 50 minutes of it are 0.17."""
    running.ok("PUT", "/v1/budgets/ann", json={"usd": 0.17, "per": "month", "then": "refuse"})
    names = [f"shared-{number}" for number in range(2)]
    for name in names:
        form = {"config_name": "demo-config", "minutes": 5, "owner": "ann"}
        running.ok("PUT", f"/v1/leases/{name}", json=form)

    def extend(number):
        path = f"/v1/leases/{names[number % 2]}/extend"
        return running.call("POST", path, json={"minutes": 5}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(extend, range(24)))
    assert set(statuses) == {200, 402}
    standing = running.ok("GET", "/v1/budgets/ann").json()
    # A part of what was reserved is spent by now, and not a cent more than it was.
    assert 0 <= Decimal(standing["left"]) < Decimal("0.017")
    assert statuses.count(200) == 8
    for name in names:
        running.ok("POST", f"/v1/leases/{name}/end")
    wait_for(
        lambda: Decimal(running.ok("GET", "/v1/budgets/ann").json()["left"]) > Decimal("0.1"),
        why="what was given up to go back",
    )


def test_control_killed_twice_meters_every_second_of_a_worker_once(running):
    running.park("steady", config="demo-config")
    instance = running.ok("GET", "/v1/endpoints/steady").json()["instances"][0]
    wait_for(lambda: used(running, "steady") > 1, why="something to be metered")
    for _ in range(2):
        before = used(running, "steady")
        former = running.kill("control")
        running.wait_reborn("control", former)
        # What was metered outlives the kill, up to what had not been stored.
        assert used(running, "steady") >= before - 2
    adopted = running.ok("GET", "/v1/endpoints/steady").json()["instances"][0]
    assert (adopted["id"], adopted["pid"]) == (instance["id"], instance["pid"])
    begun = datetime.fromisoformat(instance["started_at"])

    def unmetered():
        """Seconds since the instance began that are not metered; negative: some were twice."""
        bill = running.ok("GET", "/v1/cost", params={"endpoint": "steady"}).json()
        (line,) = bill["lines"]
        lived = datetime.fromisoformat(bill["until"]) - begun
        return lived.total_seconds() - line["instance_hours"] * 3600

    # Just after a second was written down: all of its life, what nobody saw of it included.
    wait_for(lambda: unmetered() < 0.5, why="the time without control to be made up for")
    assert unmetered() > -0.01  # hours are told to a millionth


def test_the_second_of_a_request_is_used_and_others_are_idle(running):
    running.park("busy", config="demo-config")
    wait_for(lambda: used(running, "busy") > 0, why="something to be metered")

    def line():
        (found,) = running.ok("GET", "/v1/cost", params={"endpoint": "busy"}).json()["lines"]
        return {name: Decimal(found[name]["usd"]) for name in ("used", "idle", "cost")}

    assert line()["idle"] > 0

    def invoked():
        running.ok("POST", "/endpoints/busy/invocations", json={"text": "parkade"})
        return line()["used"] > 0

    wait_for(invoked, why="its use to be metered")
    after = line()
    assert abs(after["used"] + after["idle"] - after["cost"]) <= Decimal("0.000001")


def test_what_was_spent_cannot_be_read_and_nothing_stops(running):
    """A spend file that is no database: no new time under a budget, and all that runs goes on."""
    running.park("kept", config="demo-config")
    running.ok("PUT", "/v1/budgets/bob", json={"usd": 100, "then": "stop"})
    former = running.kill("control")
    for each in running.state.glob("spend.db*"):
        each.unlink()
    (running.state / "spend.db").write_bytes(b"this is not a database " * 100)
    running.wait_reborn("control", former)
    form = {"config_name": "demo-config", "minutes": 5, "owner": "bob"}
    refused = running.call("PUT", "/v1/leases/bobs", json=form)
    assert refused.status_code == 500
    assert "spend.db" in refused.json()["error"]["message"]
    running.ok("POST", "/v1/leases/kept/extend", json={"minutes": 1})
    assert running.state_of("kept") == "running"
    wait_for(
        lambda: [e for e in running.events() if e["kind"] == "spend.unreadable"],
        why="somebody to be told",
    )
