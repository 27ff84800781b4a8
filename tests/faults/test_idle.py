"""Idle endpoints, rehearsed with real processes in fast time.

The flow of the endpoint maintainer: a tagged endpoint that nobody uses is alarmed on, its owner is
told, and it is deleted after a grace and three windows of 5 minutes; and what must never be.
"""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from tests.clients.account import Account, arn, variant
from tests.house import house, wait_for

#: A minute of leases is half a second here.
SCALE = "120"
TAGGED = [{"Key": "auto-maintain", "Value": "true"}]
#: The notice after 3 minutes, the stop after 10.
TIMERS = {
    "auto-maintain.grace": "1m",
    "auto-maintain.window": "1m",
    "auto-maintain.stop-after": "9",
}
#: The stop after 26: enough between them to do something about it, on a busy machine as well.
PATIENT = {**TIMERS, "auto-maintain.stop-after": "25"}
STOP = "endpoint.idle_stopped"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """An account of a house in fast time, with a config of two variants."""
    with (
        house(tmp_path_factory.mktemp("idle") / "state", "--time-scale", SCALE) as built,
        closing(Account(built)) as made,
    ):
        made.model("no-op")
        made.config("two", variant("blue"), variant("green"))
        yield made


def instant(text):
    return datetime.fromisoformat(str(text))


def event(account, kind, name):
    """Return the newest event of this kind about the endpoint, once there is one."""
    found = wait_for(
        lambda: account.house.events(kind=kind, endpoint=name, order="latest"),
        why=f"{kind} of {name}",
    )
    return found[-1]


def why(account, name):
    return account.house.ok("GET", f"/v1/endpoints/{name}/why").json()


def pass_time(account, until):
    """Wait until the clock of leases is past an instant."""
    wait_for(lambda: instant(account.house.ok("GET", "/v1/plan").json()["now"]) > until)


def alarms(cloudwatch, name):
    """Return the names of the alarms that the maintainer made for an endpoint."""
    found = cloudwatch.describe_alarms()["MetricAlarms"]
    return [each["AlarmName"] for each in found if each["AlarmName"].endswith(f"/{name}")]


class Traffic:
    """Calls one variant of an endpoint again and again until told to stop."""

    def __init__(self, account, name, variant_name):
        self._call = lambda: account.invoke(name, TargetVariant=variant_name)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.calls = 0

    def _run(self):
        while not self._stopped.wait(0.2):
            self._call()
            self.calls += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()


def test_what_nobody_uses_goes_on_time_with_its_alarm_and_what_is_used_is_never_touched(account):
    cloudwatch = account.session.client("cloudwatch", endpoint_url=account.house.url)
    account.endpoint("busy", "two", Tags=TAGGED)
    account.endpoint("idle", "two", Tags=TAGGED)
    cloudwatch.put_metric_alarm(
        AlarmName="busy",  # the name of an endpoint, and always in alarm
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": "busy"},
            {"Name": "VariantName", "Value": "green"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    with Traffic(account, "busy", "blue") as traffic:
        wait_for(lambda: alarms(cloudwatch, "idle"), why="the alarm of the idle endpoint")
        begun = instant(why(account, "idle")["watch"]["in_service_at"])
        told = event(account, "endpoint.idle", "idle")
        stopped = event(account, STOP, "idle")
        account.wait_gone("idle")
        wait_for(lambda: not alarms(cloudwatch, "idle"), why="its alarm to go with it")
        assert instant(told["at"]) >= begun + timedelta(minutes=15)
        assert instant(stopped["at"]) >= begun + timedelta(minutes=20)
        evidence = stopped["data"]["evidence"]
        assert instant(evidence["idle_since"]) == begun + timedelta(minutes=5)
        assert instant(evidence["stops_at"]) == begun + timedelta(minutes=20)
        assert len(evidence["use"]["series"]) == 2
        assert stopped["data"]["left_over"] == {"configs": [], "models": []}  # busy has them
        calls = traffic.calls
        wait_for(lambda: traffic.calls > calls + 2)
        pass_time(account, begun + timedelta(minutes=45))
    view = why(account, "busy")
    assert account.status("busy") == "InService"
    assert view["watch"]["noticed_at"] is None
    assert account.house.events(kind="endpoint.idle", endpoint="busy") == []
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def tags(timers):
    return TAGGED + [{"Key": key, "Value": value} for key, value in timers.items()]


def test_removing_the_tag_saves_it_and_adding_it_begins_anew(account):
    account.endpoint("saved", "two", Tags=tags(PATIENT))
    told = event(account, "endpoint.idle", "saved")
    account.sagemaker.delete_tags(ResourceArn=arn("endpoint", "saved"), TagKeys=["auto-maintain"])
    event(account, "watch.ended", "saved")
    due = instant(told["data"]["evidence"]["stops_at"])
    pass_time(account, due + timedelta(minutes=2))
    assert account.status("saved") == "InService"
    account.sagemaker.add_tags(
        ResourceArn=arn("endpoint", "saved"), Tags=tags({"auto-maintain.stop-after": "2"})
    )
    wait_for(
        lambda: len(account.house.events(kind="watch.begun", endpoint="saved")) == 2,
        why="it to be watched again",
    )
    begun = instant(event(account, "watch.begun", "saved")["at"])
    assert begun > due
    stopped = event(account, STOP, "saved")
    assert instant(stopped["data"]["evidence"]["idle_since"]) >= begun


def test_a_killed_control_process_goes_on_with_the_ladder_and_undo_brings_back_what_it_took(
    account,
):
    house = account.house
    house.ok(
        "PUT",
        "/v1/leases/leased",
        json={"config_name": "two", "minutes": 10_000, "tags": {"auto-maintain": "true", **TIMERS}},
    )
    # What happens is told by the history: it is in service for seconds.
    begun = instant(event(account, "watch.begun", "leased")["at"])
    event(account, "endpoint.idle", "leased")
    former = house.kill("control")
    house.wait_reborn("control", former)
    ended = event(account, "lease.ended", "leased")
    assert ended["data"]["ended"] == "idle"
    idle_since = instant(ended["data"]["evidence"]["idle_since"])
    assert instant(ended["at"]) - timedelta(minutes=9) >= idle_since >= begun
    in_service = instant(event(account, "endpoint.in_service", "leased")["at"])
    assert instant(ended["at"]) >= in_service + timedelta(minutes=10)
    notices = house.events(kind="endpoint.idle", endpoint="leased")
    assert len({each["data"]["evidence"]["idle_since"] for each in notices}) == len(notices)
    wait_for(lambda: house.state_of("leased") == "idle")
    assert why(account, "leased")["decision"]["data"]["evidence"]["windows"] >= 9
    undone = house.ok("POST", "/v1/endpoints/leased/undo").json()
    assert undone["minutes"] == ended["data"]["minutes_given_up"]
    wait_for(
        lambda: len(house.events(kind="endpoint.in_service", endpoint="leased")) == 2,
        why="it to be in service again",
    )
    kept = house.ok("GET", "/v1/endpoints/leased/tags").json()["tags"]
    assert kept == {"auto-maintain": "true", **TIMERS}


def test_what_sagemakers_api_deleted_comes_back_with_its_tags(account):
    account.endpoint("gone", "two", Tags=TAGGED)
    account.delete("gone")
    account.house.ok("POST", "/v1/endpoints/gone/undo")
    account.wait("gone")
    assert account.sagemaker.list_tags(ResourceArn=arn("endpoint", "gone"))["Tags"] == TAGGED
