"""Updates, scalings and new weights under load, and with everything killed in their midst."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import contextmanager

import httpx
import pytest

from tests.clients.account import account, variant
from tests.house import PATIENCE, wait_for

#: Requests a second; a machine that is busy otherwise gets through fewer.
RATE = 200


@pytest.fixture
def own(tmp_path):
    """A house with endpoint `demo` in service on two instances, and what to update it to."""
    with account(tmp_path) as built:
        built.model("no-op")
        built.config("blue", variant(InitialInstanceCount=2))
        built.config("green", variant(InitialInstanceCount=3))
        folder = tmp_path / "broken" / "code"
        folder.mkdir(parents=True)
        (folder / "inference.py").write_text("raise RuntimeError('no such luck')\n")
        built.model("broken", folder.parent)
        built.config("red", variant(model="broken"))
        built.endpoint("demo", "blue")
        yield built


@contextmanager
def under_load(own, answers):
    """Send RATE requests a second meanwhile; count what they come to."""
    stop = threading.Event()

    async def one(client):
        try:
            answer = await client.post("/endpoints/demo/invocations", json={"text": "coin"})
        except httpx.HTTPError as error:
            answers[repr(error)] += 1
        else:
            answers[answer.status_code if answer.is_success else answer.text] += 1

    async def load():
        limits = httpx.Limits(max_connections=64)
        headers = {"Authorization": own.house.token}
        options = {"base_url": own.house.url, "timeout": PATIENCE, "limits": limits}
        async with (
            httpx.AsyncClient(headers=headers, **options) as client,
            asyncio.TaskGroup() as t,
        ):
            begun, sent = time.monotonic(), 0
            while not stop.is_set():
                due = int((time.monotonic() - begun) * RATE)
                for _ in range(min(due - sent, 32)):
                    t.create_task(one(client))
                sent = due
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(load()))
    thread.start()
    try:
        wait_for(lambda: answers[200] > 20, why="the load to begin")
        yield
    finally:
        stop.set()
        thread.join()


def kill_control(own):
    """Return once its successor answers."""
    own.house.wait_reborn("control", own.house.kill("control"))


def running(own):
    return len(own.house.workers())


def test_no_request_is_lost_in_an_update_a_scaling_or_a_change_of_weights(own):
    answers = Counter()
    with under_load(own, answers):
        own.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="green")
        own.wait("demo")
        own.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="red")
        assert "no such luck" in own.wait("demo")["FailureReason"]
        for change in (
            {"DesiredInstanceCount": 4},
            {"DesiredInstanceCount": 2},
            {"DesiredWeight": 5},
        ):
            own.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="demo",
                DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", **change}],
            )
            own.wait("demo")
    assert set(answers) == {200}
    wait_for(lambda: running(own) == 2)


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_an_update_goes_on_whenever_control_is_killed(own, delay):
    answers = Counter()
    with under_load(own, answers):
        own.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="green")
        time.sleep(delay)  # a rehearsal of crashes at different steps; no condition is waited for
        kill_control(own)
        assert own.wait("demo")["EndpointConfigName"] == "green"
    assert set(answers) == {200}
    wait_for(lambda: running(own) == 3)


@pytest.mark.parametrize("delay", [0.05, 0.5])
def test_an_update_that_fails_leaves_the_old_serving_though_control_is_killed(own, delay):
    answers = Counter()
    before = {process.pid for process in own.house.workers()}
    with under_load(own, answers):
        own.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="red")
        time.sleep(delay)  # as above
        kill_control(own)
        described = own.wait("demo")
    assert described["EndpointConfigName"] == "blue"
    assert "no such luck" in described["FailureReason"]
    assert set(answers) == {200}
    wait_for(lambda: {process.pid for process in own.house.workers()} == before)


@pytest.mark.parametrize("delay", [0.0, 0.4])
def test_an_update_goes_on_after_the_whole_server_was_killed(own, delay):
    own.sagemaker.update_endpoint(EndpointName="demo", EndpointConfigName="green")
    time.sleep(delay)  # as above
    own.house.supervisor.kill()
    own.house.supervisor.wait(PATIENCE)
    for name in ("control", "gateway"):
        for process in own.house.of(name):
            process.kill()
    own.house.up()
    assert own.wait("demo")["EndpointConfigName"] == "green"
    assert own.invoke("demo")["ResponseMetadata"]["HTTPStatusCode"] == 200
    wait_for(lambda: running(own) == 3)
