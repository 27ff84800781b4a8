"""The state machines of the package: whole, with an end to every wait, and what they ask for there."""

import json
import re
from pathlib import Path

import pytest

import parkade.infra
from parkade.apps.lambdas.deployer import _LONGEST_PAUSE, _PAUSES
from parkade.domain.deploy.order import LONGEST_WAIT
from parkade.domain.deploy.steps import StepKind

FOLDER = Path(parkade.infra.__file__).parent / "statemachines"
MACHINES = {path.name.removesuffix(".asl.json"): path for path in FOLDER.glob("*.asl.json")}
#: Events of a history, of Step Functions' 25,000, with as many kept for retries.
HISTORY = 25_000
ENDS = {"Succeed", "Fail"}


def machine(name):
    return json.loads(MACHINES[name].read_text(encoding="utf-8"))


def leads_to(state):
    choices = state.get("Choices", [])
    catches = state.get("Catch", [])
    found = [state.get("Next"), state.get("Default"), *(each["Next"] for each in choices + catches)]
    return {each for each in found if each}


def tasks(name):
    return {key: each for key, each in machine(name)["States"].items() if each["Type"] == "Task"}


def test_there_are_those_that_the_stacks_ask_for():
    assert set(MACHINES) == {"meter-timer", "deployer", "maintainer", "execution"}


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_leads_to_one_that_there_is(name):
    states, reached = machine(name)["States"], set()
    ahead = [machine(name)["StartAt"]]
    while ahead:
        current = ahead.pop()
        if current not in reached:
            reached.add(current)
            ahead += leads_to(states[current])
    assert reached == set(states)
    for key, state in states.items():
        assert state["Type"] in ENDS or leads_to(state), key


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_and_every_task_has_an_end(name):
    assert machine(name)["TimeoutSeconds"] > 0
    for key, task in tasks(name).items():
        assert 0 < task["TimeoutSeconds"] <= 900, key
        assert task["Retry"], key
        for retrier in task["Retry"]:
            assert 0 < retrier["MaxAttempts"] <= 40, key
            assert retrier["MaxDelaySeconds"] >= retrier["IntervalSeconds"], key
        assert [each["ErrorEquals"] for each in task["Catch"]] == [["States.ALL"]], key


@pytest.mark.parametrize("name", sorted(MACHINES.keys() - {"execution"}))
def test_steps_that_can_be_repeated_are_where_their_function_ran_out_of_time_or_died(name):
    """Step Functions calls that by names of Lambda's: its own time limit for a task is longer."""
    for key, task in tasks(name).items():
        if "sns:publish" not in task["Resource"]:
            again = {error for retrier in task["Retry"] for error in retrier["ErrorEquals"]}
            assert again >= {"Sandbox.Timedout", "Lambda.Unknown", "States.Timeout"}, key


def test_an_invocation_that_may_have_been_made_is_not_made_again():
    (task,) = tasks("execution").values()
    again = {error for retrier in task["Retry"] for error in retrier["ErrorEquals"]}
    assert not again & {"Sandbox.Timedout", "Lambda.Unknown", "States.Timeout", "States.ALL"}


@pytest.mark.parametrize("name", MACHINES)
def test_what_fails_ends_in_failing_with_error_and_cause(name):
    states = machine(name)["States"]
    fails = {key: each for key, each in states.items() if each["Type"] == "Fail"}
    assert fails
    for key, state in fails.items():
        assert (state["ErrorPath"], state["CausePath"]) == ("$.Error", "$.Cause"), key
    for key, task in tasks(name).items():
        (catch,) = task["Catch"]
        following = catch["Next"]
        assert following in fails or "sns:publish" in states[following]["Resource"], key


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_put_in_has_a_place_and_no_wait_is_written_down(name):
    text = MACHINES[name].read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= {
        "TimerFunction", "DeployerFunction", "MaintainerFunction", "ExecutionFunction", "TopicArn",
    }  # fmt: skip
    for state in machine(name)["States"].values():
        assert state["Type"] != "Wait" or "TimestampPath" in state


def test_the_deployer_has_a_state_for_each_step_which_asks_for_that():
    states = machine("deployer")["States"]
    routed = {
        each["StringEquals"]: each["Next"]
        for each in states["WhichStep"]["Choices"]
        if each["Variable"] == "$.following"
    }
    assert set(routed) == set(StepKind)
    asked = {states[key]["Parameters"]["Payload"]["step"]: key for key in routed.values()}
    assert asked == routed


def test_a_deployment_that_waits_for_as_long_as_it_may_fits_into_a_history():
    states = machine("deployer")["States"]
    (most,) = [
        each["NumericGreaterThan"]
        for each in states["WhichStep"]["Choices"]
        if each["Variable"] == "$.turn"
    ]
    # WhichStep, Pause, GoOn, WhichStep: 2 events each; a task 5.
    assert most * 13 < HISTORY * 0.9
    waited, turn = 0.0, 0
    while waited < LONGEST_WAIT.total_seconds():
        pause = next((span for turns, span in _PAUSES if turn < turns), _LONGEST_PAUSE)
        waited += pause.total_seconds()
        turn += 1
    assert turn + 40 < most
