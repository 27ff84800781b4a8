"""The deployer's steps: the walk of the control process, a state at a time."""

import pytest

from parkade.apps.lambdas.deployer import ACTOR, Steps
from parkade.domain.deploy.steps import StepKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InUse, InvalidInput
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, seconds
from tests.services.deployworld import NAME, DeployWorld

#: As the first deployer's users have it.
SEED = {
    "endpointName": NAME,
    "productionVariants": [
        {
            "AcceleratorType": "ml.eia1.medium",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
            "InstanceType": "ml.c5.2xlarge",
            "ModelName": "blue",
            "VariantName": "AllTraffic",
        }
    ],
    "autoscalingMinCapacity": 1,
    "autoscalingMaxCapacity": 4,
    "targetTrackingScalingPolicyConfiguration": {
        "TargetValue": 5000.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    },
}


class Machine:
    """The state machine, as far as it decides: it asks for the step that is told to follow."""

    def __init__(self):
        self.world = DeployWorld()
        self.steps = Steps(self.world.deployer, self.world.walk, self.world.clock)
        self.states = []

    def begin(self, order=SEED, execution="one"):
        return self.steps({"order": order, "execution": execution}, a_call())

    def step(self, told, left=60):
        given = {
            "deployment": told["deployment"], "step": told["following"], "turn": told["turn"],
        }  # fmt: skip
        self.states.append(given["step"])
        self.world.deployer = self.world.a_deployer()
        return self.steps(given, a_call(left))

    def run(self, told, arrive=None):
        """Go from state to state; what it waits for comes about, as do sweeps."""
        for _ in range(100):
            if told["over"]:
                return told
            if told["waits"]:
                assert told["until"] > f"{self.world.clock.now():%Y-%m-%dT%H:%M:%S}"
                self.world.sweep.run()
                (arrive or self.world.arrive)()
                self.world.clock.advance(seconds(5))
            told = self.step(told)
        raise AssertionError(f"it is never over: {told}")


@pytest.fixture
def machine():
    return Machine()


def test_the_seed_s_order_is_carried_out_as_it_is_and_what_serves_is_told(machine):
    told = machine.run(machine.begin())
    assert told["status"] == "succeeded"
    assert told["endpointName"] == NAME
    assert told["endpointConfigName"] == machine.world.config_of()
    assert told["reason"] == f"{told['endpointConfigName']} serves"
    assert [each["step"] for each in told["steps"]] == list(dict.fromkeys(machine.states))
    assert {each["outcome"] for each in told["steps"]} <= {"done", "skipped"}
    target = machine.world.target()
    assert (target.least, target.most) == (1, 4)


def test_the_same_execution_begins_one_deployment_however_often_it_is_asked(machine):
    first, second = machine.begin(), machine.begin()
    assert first["deployment"] == second["deployment"]
    with pytest.raises(InUse):
        machine.begin(execution="two")


def test_the_second_run_updates_and_takes_no_more_than_it_needs(machine):
    machine.run(machine.begin())
    machine.states.clear()
    told = machine.run(machine.begin(execution="two"))
    assert told["status"] == "succeeded"


def test_an_endpoint_that_fails_fails_the_deployment_which_is_told_once(machine):
    def fail():
        if machine.world.status(NAME) is EndpointStatus.CREATING:
            machine.world.hosting.fail(NAME, "no such image")
        else:
            machine.world.arrive()

    told = machine.run(machine.begin(), fail)
    assert told["status"] == "failed"
    assert "no such image" in told["reason"]
    assert told["tells"] is True
    assert StepKind.ROLL_BACK in machine.states
    again = machine.step({**told, "following": StepKind.NOTIFY})
    assert (again["over"], again["tells"]) == (True, False)
    resumed = machine.begin({"resume": told["deployment"]}, "two")
    assert (resumed["status"], resumed["tells"]) == ("failed", False)


def test_an_execution_that_broke_off_is_gone_on_with(machine):
    told = machine.step(machine.begin())
    resumed = machine.begin({"resume": told["deployment"]}, "two")
    assert resumed["deployment"] == told["deployment"]
    assert machine.run(resumed)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({**SEED, "endpointNam": "x"}, "endpointNam"),
        ({**SEED, "productionVariants": []}, "ProductionVariants"),
        ([], ""),
        ({"resume": "0123", "endpointName": "x"}, "endpointName"),
    ],
)
def test_an_order_that_is_none_is_refused_by_the_key_that_is_wrong(machine, order, field):
    with pytest.raises(InvalidInput) as refused:
        machine.begin(order)
    assert field in refused.value.field


def test_a_state_whose_step_is_done_does_nothing(machine):
    told = machine.step(machine.begin())
    again = machine.step({**told, "following": StepKind.LOOK})
    assert again["following"] == told["following"]
    assert [each.kind for each in machine.world.desk.deployments.get(told["deployment"]).steps] == [
        StepKind.LOOK
    ]


def test_without_time_a_step_is_left_to_the_next_call(machine):
    begun = machine.begin()
    told = machine.step(begun, left=5)
    assert told["following"] == begun["following"]
    assert told["waits"] is False


def test_who_waits_long_is_looked_at_less_often(machine):
    told = machine.begin()
    while not told["waits"]:
        told = machine.step(told)
    now = machine.world.clock.now()
    for turn, pause in ((0, 5), (100, 20), (1000, 60)):
        later = machine.step({**told, "turn": turn})
        assert later["until"] == f"{now + seconds(pause):%Y-%m-%dT%H:%M:%SZ}"
    assert now == NOW
    assert machine.world.deployments.get(told["deployment"]).actor == ACTOR
