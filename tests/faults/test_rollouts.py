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
from tests.faults.test_updates import kill_control, under_load
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


def stage(own, wanted):
    """Wait until the update is there: what its newest event of a stage says."""

    def there():
        described = own.sagemaker.describe_endpoint(EndpointName="demo")
        pending = described.get("PendingDeploymentSummary")
        if pending is None:
            return False
        (rising,) = pending["ProductionVariants"]
        status = rising["VariantStatus"][0]
        return (status["Status"], status["StatusMessage"].split(" %")[0]) == wanted

    wait_for(there, why=f"demo to be {wanted}")


@pytest.mark.semantics("guardrails.staged")
@pytest.mark.parametrize(
    ("deployment", "at"),
    [
        (CANARY, ("Creating", "0")),
        (CANARY, ("Baking", "10")),
        (CANARY, ("Baking", "100")),
        (ROLLING, ("Baking", "50")),
        (ROLLING, ("Baking", "100")),
    ],
)
def test_whenever_control_is_killed_it_ends_the_same_and_loses_no_request(own, deployment, at):
    before = own.sagemaker.describe_endpoint(EndpointName="demo")["EndpointConfigName"]
    target = "green" if before == "blue" else "blue"
    answers = Counter()
    with under_load(own, answers):
        own.sagemaker.update_endpoint(
            EndpointName="demo", EndpointConfigName=target, DeploymentConfig=deployment
        )
        stage(own, at)
        kill_control(own)
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
        wait_for(lambda: answers[200] > 20, why="the traffic to begin")
        own.sagemaker.update_endpoint(
            EndpointName="guarded",
            EndpointConfigName="ill",
            DeploymentConfig={
                "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": guard}]},
            },
        )
        described = own.wait("guarded")
        after = answers.copy()
        wait_for(lambda: answers[200] > after[200] + 50, why="the traffic to go on")
    assert described["EndpointConfigName"] == "well"
    assert f"alarm {guard!r} went off" in described["FailureReason"]
    assert set(answers) == {200, FAILED}
    assert answers[FAILED] == after[FAILED]
    assert 0 < answers[FAILED] <= sum(after.values()) / 10
    own.delete("guarded")


@contextmanager
def calling(own, name):
    """Call the endpoint, one call after the other, meanwhile; count what the answers are."""
    answers, stopped = Counter(), threading.Event()
    path = f"/endpoints/{name}/invocations"

    def call():
        headers = {"Authorization": own.house.token}
        with httpx.Client(base_url=own.house.url, headers=headers, timeout=PATIENCE) as client:
            while not stopped.is_set():
                answers[client.post(path, content=b"x").status_code] += 1

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        thread.join()
