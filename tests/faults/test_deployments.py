"""Deployments of a whole Parkade whose control process is killed in each of their steps.

Steps take milliseconds. To be killed in one for sure, control is held up there by its own database:
a trigger that never ends runs in the very write that would end the step. What the step does is done
then, and not yet stored as done.
"""

import json
import threading
from contextlib import closing, contextmanager, suppress

import httpx
import pytest

from tests.clients.account import Account, account, variant
from tests.faults.holding import hold_up, is_writing, rows
from tests.house import PATIENCE, wait_for

FORWARD = [
    "look", "config", "scaling_off", "bring_up", "wait", "check", "scaling_on", "settle", "tidy",
    "notify",
]  # fmt: skip
FAILED = [
    "look", "config", "scaling_off", "bring_up", "wait", "check", "roll_back", "scaling_back",
    "clean_up", "notify",
]  # fmt: skip
#: The steps in which a creation is killed; an update is killed in all others.
CREATING = ["config", "bring_up", "wait"]
#: Each kill is followed by a start of control, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(300)

_HELD_UP = """
    json_extract(OLD.content, '$.steps[#-1].kind') = '{step}'
    AND json_extract(OLD.content, '$.steps[#-1].outcome') IS NULL
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deployments")
    with account(folder) as built:
        built.model("no-op")
        broken = folder / "broken" / "code"
        broken.mkdir(parents=True)
        (broken / "inference.py").write_text("raise RuntimeError('no such luck')\n")
        built.model("broken", broken.parent)
        yield built


def a_payload(name, model="no-op", **keys):
    return {
        "endpointName": name,
        "productionVariants": [
            variant("AllTraffic", model, AcceleratorType="ml.eia1.medium", InitialVariantWeight=1)
        ],
        "autoscalingMinCapacity": 1,
        "autoscalingMaxCapacity": 4,
        "minutes": 45,
        **keys,
    }


def begin(own, payload):
    return own.house.ok("POST", "/v1/deployments", json=payload).json()["id"]


def stored(own, deployment_id):
    """The record as it is in the database, whoever is alive."""
    ((content,),) = rows(own.house, "SELECT content FROM deployments WHERE id = ?", deployment_id)
    return json.loads(content)


def over(own, deployment_id):
    wait_for(
        lambda: stored(own, deployment_id)["status"] != "running",
        why=f"deployment to be over; {stored(own, deployment_id)['steps']}",
    )
    wait_for(own.house.is_ready)
    return own.house.ok("GET", f"/v1/deployments/{deployment_id}").json()


def is_held_up(own, deployment_id, step):
    """Tell whether control is in a write that does not end, in this step."""
    last = (stored(own, deployment_id)["steps"] or [{}])[-1]
    if last.get("kind") != step or last.get("outcome") is not None:
        return False
    return is_writing(own.house)


def hold_up_in(own, step, *, before=None):
    """Hold control up in this step, and no longer in the one before."""
    then = _HELD_UP.format(step=step) if step else None
    hold_up(own.house, "deployments", before=before, then=then)


def killed_in(own, steps, payload):
    """Deploy, with control killed in each of these steps; return the deployment when it is over."""
    hold_up_in(own, steps[0])
    with unanswered(own, payload) as deployment_id:
        kill_in_each(own, deployment_id, steps)
    return over(own, deployment_id)


@contextmanager
def unanswered(own, payload):
    """Have somebody else deploy: control may be held up before it answers."""

    def ask():
        with suppress(httpx.HTTPError):
            key = {"Idempotency-Key": payload["endpointName"]}
            own.house.call("POST", "/v1/deployments", json=payload, headers=key)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield wait_for(lambda: running(own, payload["endpointName"]), why="it to have begun")
    finally:
        asking.join()


def running(own, name):
    """The id of the deployment of an endpoint that is running."""
    found = rows(
        own.house,
        "SELECT id FROM deployments WHERE endpoint_name = ? AND status = 'running'",
        name,
    )
    return found and found[0][0]


def kill_in_each(own, deployment_id, steps):
    """Kill control in each of the steps, which it is held up in.

    The supervisor pauses for longer each time that control dies, so that now and then it is killed
    as well, and everything is started anew. The next control may be held up before it answers.
    """
    for number, step in enumerate(steps, 1):
        wait_for(
            lambda step=step: is_held_up(own, deployment_id, step), why=f"control to be in {step}"
        )
        everything = number % 4 == 0
        if everything:
            own.house.supervisor.kill()
            own.house.supervisor.wait(PATIENCE)
        pid = own.house.kill("control")
        hold_up_in(own, steps[number] if number < len(steps) else None, before=step)
        if everything:
            own.house.end()
            own.house.begin()
        else:
            own.house.wait_begun("control", pid)


def came_to(own, name):
    """All that a deployment of an endpoint leaves: what runs, what pays, what scales."""
    wait_for(own.house.is_ready)
    scaling = own.session.client("application-autoscaling", endpoint_url=own.house.url)
    with closing(scaling):
        targets = scaling.describe_scalable_targets(
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{name}/variant/AllTraffic"],
        )["ScalableTargets"]
        policies = scaling.describe_scaling_policies(
            ServiceNamespace="sagemaker", ResourceId=f"endpoint/{name}/variant/AllTraffic"
        )["ScalingPolicies"]
    described = own.sagemaker.describe_endpoint(EndpointName=name)
    events = own.house.events(endpoint=name)
    return {
        "status": described["EndpointStatus"],
        "counts": [each["DesiredInstanceCount"] for each in described["ProductionVariants"]],
        "configs": len(configs(own, name)),
        "bounds": [(each["MinCapacity"], each["MaxCapacity"]) for each in targets],
        "suspended": [sorted(each["SuspendedState"].items()) for each in targets],
        "policies": [
            {
                key: each["TargetTrackingScalingPolicyConfiguration"][key]
                for key in ("TargetValue", "ScaleOutCooldown", "ScaleInCooldown")
            }
            for each in policies
        ],
        "paid": [
            each["data"]["minutes"]
            for each in events
            if each["kind"] in {"lease.added", "lease.extended", "lease.started"}
        ],
        "told": len([each for each in events if each["kind"] == "notice.deployment"]),
        "created": len([each for each in events if each["kind"] == "endpoint.creating"]),
    }


def configs(own, name):
    answer = own.sagemaker.list_endpoint_configs(NameContains=f"{name}-", MaxResults=100)
    return [each["EndpointConfigName"] for each in answer["EndpointConfigs"]]


def step_kinds(deployment):
    return [each["kind"] for each in deployment["steps"]]


@pytest.fixture(scope="module")
def expected(own):
    """What an undisturbed deployment comes to."""
    plain = over(own, begin(own, a_payload("plain")))
    assert plain["status"] == "succeeded", plain
    assert step_kinds(plain) == FORWARD
    assert "retired Elastic Inference" in plain["warnings"][0]
    return came_to(own, "plain")


def test_undisturbed_it_comes_to_what_the_payload_says(expected):
    assert expected == {
        "status": "InService",
        "counts": [1],
        "configs": 1,
        "bounds": [(1, 4)],
        "suspended": [
            [
                ("DynamicScalingInSuspended", False),
                ("DynamicScalingOutSuspended", False),
                ("ScheduledScalingSuspended", False),
            ]
        ],
        "policies": [{"TargetValue": 5000.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 300}],
        "paid": [45.0],
        "told": 1,
        "created": 1,
    }


def test_a_creation_that_is_killed_is_finished_once(own: Account, expected):
    hard = killed_in(own, CREATING, a_payload("hard"))
    assert (hard["status"], step_kinds(hard)) == ("succeeded", FORWARD)
    assert came_to(own, "hard") == expected


def test_an_update_that_is_killed_in_every_other_step_is_finished_once(own: Account, expected):
    changed = [variant("AllTraffic", "no-op", InstanceType="ml.c5.large")]
    payload = a_payload("plain", productionVariants=changed, autoscalingMaxCapacity=3, minutes=15)
    others = [step for step in FORWARD if step not in CREATING]
    hard = killed_in(own, others, payload)
    assert (hard["status"], step_kinds(hard)) == ("succeeded", FORWARD)
    assert came_to(own, "plain") == {
        **expected,
        "configs": 2,
        "bounds": [(1, 3)],
        "paid": [45.0, 15.0],
        "told": 2,
    }
    described = own.sagemaker.describe_endpoint(EndpointName="plain")
    assert described["EndpointConfigName"] == hard["config_name"]


def test_an_update_that_fails_and_is_killed_in_each_step_that_undoes_it(own: Account):
    over(own, begin(own, a_payload("old")))
    before = came_to(own, "old")
    (config,) = configs(own, "old")
    failed = killed_in(
        own,
        ["roll_back", "scaling_back", "clean_up"],
        a_payload("old", "broken", autoscalingMaxCapacity=9, minutes=15),
    )
    assert (failed["status"], step_kinds(failed)) == ("failed", FAILED)
    assert "no such luck" in failed["reason"]
    assert came_to(own, "old") == {**before, "paid": [45.0, 15.0], "told": 2}
    assert configs(own, "old") == [config]
    assert own.sagemaker.describe_endpoint(EndpointName="old")["EndpointConfigName"] == config
    assert own.house.invoke("old").status_code == 200
