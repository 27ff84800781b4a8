"""Updates in stages, rehearsed with real processes in fast time, and with control killed in their midst."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing, contextmanager

import httpx
import pytest
from botocore.config import Config

from tests.clients.account import REGION, Account, variant
from tests.clients.test_rollouts import alarm, speaking
from tests.faults.holding import hold_up, is_writing, rows
from tests.faults.test_updates import under_load
from tests.house import PATIENCE, house, wait_for

#: A minute of leases is half a second here; what was measured takes some 5 seconds to be seen.
SCALE = 120
WAIT = 60
#: What callers get where a model answers with status 500.
FAILED = 424


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """An account of a house in fast time, with two configs and endpoint `demo`."""
    folder = tmp_path_factory.mktemp("rollouts")
    with (
        house(folder / "state", "--time-scale", str(SCALE)) as built,
        closing(Account(built)) as made,
    ):
        made.model("no-op")
        made.model("failing", failing(folder / "failing"))
        for name in ("blue", "green"):
            made.config(name, variant(InitialInstanceCount=2))
        made.model("speaking", speaking(folder / "speaking", "well"))
        made.config("well", variant(model="speaking"))
        made.config("ill", variant(model="failing"))
        made.endpoint("demo", "blue")
        yield made


def failing(folder):
    """Return the folder of a model that loads, and then answers nothing but errors."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(
        "def model_fn(folder):\n"
        "    return None\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    raise RuntimeError('a new model that is no good')\n"
    )
    return folder


TENTH, HALF = ({"Type": "CAPACITY_PERCENT", "Value": percent} for percent in (10, 50))
CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": TENTH,
            "WaitIntervalInSeconds": WAIT,
        },
        "TerminationWaitInSeconds": WAIT,
    }
}
ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": WAIT}}


#: What is stored of the update of an endpoint.
_STANDS = "SELECT content ->> '$.rollout.stage', content ->> '$.rollout.taken' FROM endpoints"
#: In the write by which it leaves a stage, after so many steps that requests have taken.
_HELD_UP = f"""
    NEW.name = 'demo' AND ifnull(NEW.content ->> '$.rollout.stage', '') <> '{{stage}}'
    AND EXISTS ({_STANDS} WHERE name = 'demo' AND content ->> '$.rollout.stage' = '{{stage}}'
        AND content ->> '$.rollout.taken' = {{taken}})
"""


def kill_in(own, stage, taken):
    """Kill control in this stage, however short it is; return once its successor answers."""
    wait_for(
        lambda: (
            rows(own.house, f"{_STANDS} WHERE name = 'demo'") == [(stage, taken)]
            and is_writing(own.house)
        ),
        why=f"demo to be {stage} after {taken} steps",
    )
    former = own.house.kill("control")
    hold_up(own.house, "endpoints", before=stage, then=None)
    own.house.wait_reborn("control", former)


@pytest.mark.semantics("guardrails.staged")
@pytest.mark.parametrize(
    ("deployment", "stage", "taken"),
    [
        (CANARY, "rising", 0),
        (CANARY, "baking", 1),
        (CANARY, "baking", 2),
        (ROLLING, "baking", 1),
        (ROLLING, "baking", 2),
    ],
)
def test_whenever_control_is_killed_it_ends_the_same_and_loses_no_request(
    own, deployment, stage, taken
):
    before = own.sagemaker.describe_endpoint(EndpointName="demo")["EndpointConfigName"]
    target = "green" if before == "blue" else "blue"
    answers = Counter()
    with under_load(own, answers):
        then = _HELD_UP.format(stage=stage, taken=taken)
        hold_up(own.house, "endpoints", before=None, then=then, write="INSERT")
        own.sagemaker.update_endpoint(
            EndpointName="demo", EndpointConfigName=target, DeploymentConfig=deployment
        )
        kill_in(own, stage, taken)
        assert own.wait("demo")["EndpointConfigName"] == target
    assert set(answers) == {200}
    assert len(own.house.ok("GET", "/v1/endpoints/demo").json()["instances"]) == 2


@pytest.mark.semantics("guardrails.staged")
def test_a_new_model_that_fails_is_rolled_back_by_its_alarm_at_the_canarys_share(own):
    own.endpoint("guarded", "well")
    config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
    door = {"endpoint_url": own.house.url, "config": config, "region_name": REGION}
    with closing(own.session.client("cloudwatch", **door)) as cloudwatch:
        guard = alarm(cloudwatch, "guarded")
    routing = {
        "Type": "CANARY",
        "CanarySize": TENTH,
        # Half a minute of real time: the alarm is earlier, or the test fails.
        "WaitIntervalInSeconds": 3600,
    }
    with calling(own, "guarded") as answers:
        wait_for(lambda: answers.count(200) > 20, why="the traffic to begin")
        own.sagemaker.update_endpoint(
            EndpointName="guarded",
            EndpointConfigName="ill",
            DeploymentConfig={
                "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": guard}]},
            },
        )
        described = own.wait("guarded")
        # One of them may have been asked before, and not be counted yet.
        after = len(answers) + 1
        wait_for(lambda: len(answers) > after + 50, why="the traffic to go on")
    assert described["EndpointConfigName"] == "well"
    assert f"alarm {guard!r} went off" in described["FailureReason"]
    assert set(answers) == {200, FAILED}
    assert set(answers[after:]) == {200}
    assert 0 < answers.count(FAILED) <= after / 10
    own.delete("guarded")


@contextmanager
def calling(own, name):
    """Call the endpoint, one call after the other, meanwhile; give the statuses of the answers."""
    answers, stopped = [], threading.Event()
    path = f"/endpoints/{name}/invocations"

    def call():
        headers = {"Authorization": own.house.token}
        with httpx.Client(base_url=own.house.url, headers=headers, timeout=PATIENCE) as client:
            while not stopped.is_set():
                answers.append(client.post(path, content=b"x").status_code)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        thread.join()
