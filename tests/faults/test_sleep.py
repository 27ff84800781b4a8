"""Endpoints that sleep, rehearsed with real processes in fast time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.clients.account import Account, variant
from tests.house import PATIENCE, house, wait_for

#: A minute of leases is half a second here.
SCALE = "120"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """An account of a house in fast time, with a config of one variant."""
    with (
        house(tmp_path_factory.mktemp("sleep") / "state", "--time-scale", SCALE) as built,
        closing(Account(built)) as made,
    ):
        made.model("no-op")
        made.config("plain", variant("blue"))
        made.config("other", variant("green"))
        yield made


def endpoint(account, name):
    return account.house.ok("GET", f"/v1/endpoints/{name}").json()


def settle(account, name, **settled):
    """Let an endpoint sleep as is settled."""
    account.house.ok("PUT", f"/v1/endpoints/{name}/sleep", json=settled)


def put_to_sleep(account, name, **settled):
    """Put a new endpoint to sleep, as soon as it is known that nobody uses it."""
    account.house.park(name, minutes=600, config="plain")
    settle(account, name, **{"hold_seconds": 0, **settled})
    path = f"/v1/endpoints/{name}/sleep"
    wait_for(lambda: account.house.call("POST", path).is_success, why=f"{name} to be put to sleep")
    return asleep(account, name)


def asleep(account, name):
    """Return the endpoint once it sleeps, and nothing of it runs."""
    account.house.wait_state(name, "asleep")
    at_rest = wait_for(
        lambda: (view := endpoint(account, name))["status"] == "InService" and view,
        why=f"{name} to rest",
    )
    assert workers(account, name) == []
    return at_rest


def workers(account, name):
    return [each["pid"] for each in endpoint(account, name)["instances"]]


def gone(account, name):
    """Wait until its lease has run out, and nothing of it is there, for gateways neither."""
    account.house.wait_state(name, "expired")
    wait_for(lambda: endpoint(account, name)["status"] == "Absent", why=f"{name} to be gone")


def run_out(house, name):
    """Have the time of a lease be over now, as if it had passed."""
    with closing(sqlite3.connect(house.paths.database, timeout=PATIENCE)) as database, database:
        database.execute(
            "UPDATE leases SET expires_at = '2020-01-01T00:00:00.000000+00:00'"
            " WHERE endpoint_name = ?",
            (name,),
        )
    house.ok("POST", "/v1/nudge")


def wake(account, name):
    account.house.ok("POST", f"/v1/endpoints/{name}/wake")
    account.house.wait_state(name, "running")
    wait_for(lambda: account.house.invoke(name).status_code == 200)


def last(account, name, kind):
    return account.house.events(kind=kind, endpoint=name, order="latest")[-1]


def instant(text):
    return datetime.fromisoformat(str(text))


def test_what_nobody_uses_goes_to_no_process_and_wakes_when_it_is_told_to(account):
    account.house.park("nap", minutes=600, config="plain")
    (pid,) = workers(account, "nap")
    settle(account, "nap", after_minutes=2, pause_clock=True)
    view = asleep(account, "nap")
    assert not psutil.pid_exists(pid)
    # Awake again it is to stay so.
    account.house.ok("PUT", "/v1/endpoints/nap/sleep", json={"after_minutes": None})
    assert (view["healthy"], view["wanted"]) == (0, 0)
    # Its clock stands still, and it costs nothing.
    again = endpoint(account, "nap")
    assert again["lease"]["time_left_seconds"] == view["lease"]["time_left_seconds"]
    assert again["fleets"]["fleets"] == []
    told = last(account, "nap", "lease.asleep")
    assert told["data"]["clock_paused"] is True
    assert told["data"]["evidence"]["use"]["in_flight"] == 0
    left = told["data"]["minutes_left"]
    wake(account, "nap")
    woken = last(account, "nap", "lease.awake")
    shown = instant(woken["data"]["expires_at"]) - instant(woken["at"])
    assert shown == pytest.approx(timedelta(minutes=left), abs=timedelta(seconds=1))
    kinds = [each["kind"] for each in account.house.events(endpoint="nap")]
    order = ["lease.asleep", "endpoint.asleep", "lease.wanted", "lease.awake", "endpoint.awake"]
    assert [kind for kind in kinds if kind in order][:5] == order


def test_aws_clients_see_no_instances_and_are_told_what_to_do(account):
    put_to_sleep(account, "aws")
    sagemaker = account.sagemaker

    def described():
        found = sagemaker.describe_endpoint(EndpointName="aws")
        (blue,) = found["ProductionVariants"]
        return (
            found["EndpointStatus"],
            blue["CurrentInstanceCount"],
            blue["DesiredInstanceCount"],
        )

    assert described() == ("InService", 0, 0)
    with pytest.raises(ClientError, match="is asleep and cannot be updated") as refused:
        sagemaker.update_endpoint(EndpointName="aws", EndpointConfigName="other")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "parkade wake aws" in str(refused.value)
    wanted = {"VariantName": "blue", "DesiredInstanceCount": 2}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="aws", DesiredWeightsAndCapacities=[wanted]
    )
    assert described() == ("InService", 0, 0)
    wake(account, "aws")
    wait_for(lambda: described() == ("InService", 2, 2), why="what was wanted asleep")


def test_what_sleeps_sleeps_through_a_restart_of_everything_and_a_kill(account):
    left = put_to_sleep(account, "deep", pause_clock=True)["lease"]["time_left_seconds"]
    account.house.down()
    account.house.up()
    view = asleep(account, "deep")
    assert view["lease"]["time_left_seconds"] == left
    former = account.house.kill("control")
    account.house.wait_reborn("control", former)
    assert asleep(account, "deep")["lease"]["time_left_seconds"] == left
    kinds = [each["kind"] for each in account.house.events(endpoint="deep")]
    assert kinds.count("endpoint.asleep") == 1
    assert "start.begun" not in kinds[kinds.index("endpoint.asleep") :]
    wake(account, "deep")


def test_what_sleeps_costs_nothing(account):
    put_to_sleep(account, "cheap")

    def cost():
        return endpoint(account, "cheap")["cost"]["cost"]["usd"]

    # What ran until then is written down within a second.
    begun = instant(account.house.ok("GET", "/v1/plan").json()["now"])

    def later():
        return instant(account.house.ok("GET", "/v1/plan").json()["now"])

    wait_for(lambda: later() > begun + timedelta(minutes=4))
    assert cost() != "0.00"

    def stays():
        """Tell whether it costs the same for 8 minutes: a busy machine may write it down later."""
        before, since = cost(), later()
        wait_for(lambda: later() > since + timedelta(minutes=8))
        return cost() == before

    wait_for(stays, why="it to cost nothing more")
    assert endpoint(account, "cheap")["sleep"]["saved"]["usd"] != "0.00"


def test_a_request_starts_what_has_run_out_where_its_owner_says_so(account):
    house = account.house
    house.ok("PUT", "/v1/leases/brief", json={"config_name": "plain", "minutes": 1})
    # Enough for a start on a slow machine; it is over as soon as there was one.
    wake = {"minutes": 200, "at_most_minutes": 200}
    house.ok("PUT", "/v1/endpoints/brief/sleep", json={"wake": wake})
    gone(account, "brief")
    answer = house.invoke("brief", headers={"Prefer": "wait=600"})
    assert answer.status_code == 200
    paid = last(account, "brief", "lease.paid")
    assert (paid["data"]["by"], paid["data"]["minutes"]) == ("wake", 200)
    run_out(house, "brief")
    gone(account, "brief")
    refused = house.invoke("brief", headers={"Prefer": "wait=600"})
    assert (refused.status_code, refused.json()["reason"]) == (503, "expired")
    assert wait_for(lambda: house.events(kind="lease.limit_reached", endpoint="brief"))
