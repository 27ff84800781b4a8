"""State machines run by the tests' clock; what fails has its name."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.aws.clock import SetClock
from tests.aws.machines import Machine, Machines, Task, TaskFailed
from tests.aws.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.aws

LAMBDA = "arn:aws:states:::lambda:invoke"


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SetClock]:
    made = SetClock(tmp_path / "clock")
    yield made
    made.close()


def machine(states: dict[str, Any], start: str = "First", **given: Any) -> Machine:
    definition = {"StartAt": start, "States": states, **given}
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:walk"
    return Machine(arn=arn, name="walk", definition=definition)


def task(**given: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": LAMBDA, **given}


def test_waits_and_pauses_are_those_of_the_tests_clock(clock: SetClock) -> None:
    asked: list[tuple[Any, timedelta]] = []
    started = clock.now()

    def do(task: Task) -> Any:
        asked.append((task.input, clock.now() - started))
        if len(asked) < 3:
            raise TaskFailed("Busy", "come again")
        return {"Payload": {"waited": True}}

    walk = machine(
        {
            "First": {"Type": "Wait", "Seconds": 3600, "Next": "Second"},
            "Second": task(
                Parameters={"FunctionName": "sweep", "Payload.$": "$"},
                ResultSelector={"told.$": "$.Payload.waited"},
                Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 600, "MaxAttempts": 2}],
                End=True,
            ),
        }
    )
    machines = Machines(clock, do)
    try:
        execution = machines.run(walk, {"name": "demo"})
        assert execution.succeeded() == {"told": True}
        assert execution.entered == ["First", "Second"]
        assert asked[0][0] == {"FunctionName": "sweep", "Payload": {"name": "demo"}}
        minutes = [when.total_seconds() / 60 for _, when in asked]
        # 60, and then pauses of 10 and 20 minutes.
        for minute, meant in zip(minutes, (60, 70, 90), strict=True):
            assert meant <= minute < meant + 1
    finally:
        machines.close()


def test_a_wait_until_an_instant_ends_when_the_clock_is_there(clock: SetClock) -> None:
    walk = machine({"First": {"Type": "Wait", "TimestampPath": "$.until", "End": True}})
    machines = Machines(clock, lambda _: None)
    try:
        until = clock.now() + timedelta(hours=2)
        execution = machines.start(walk, {"until": until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
        # It waits by then, however long Node takes to begin.
        wait_for(lambda: not machines.busy(), why="the wait to have begun")
        clock.set_to(until - timedelta(minutes=1))
        wait_for(lambda: not machines.busy(), why="the clock to have had its effect")
        assert not execution.over.is_set()
        clock.set_to(until)
        assert execution.over.wait(PATIENCE)
        assert execution.ended_at is not None
        assert timedelta(seconds=-1) < execution.ended_at - until < timedelta(seconds=5)
    finally:
        machines.close()


def test_what_is_not_caught_ends_the_execution_by_its_name(clock: SetClock) -> None:
    def do(task: Task) -> Any:
        raise TaskFailed("LeaseNotFound", "no lease of 'demo'")

    catcher = {"ErrorEquals": ["LeaseNotFound"], "ResultPath": "$", "Next": "Last"}
    caught = task(End=True, Catch=[catcher])
    last = {"Type": "Fail", "Error": "NoLease", "CausePath": "$.Cause"}
    machines = Machines(clock, do)
    try:
        plain = machines.run(machine({"First": task(End=True)}), {})
        assert (plain.status, plain.error) == ("FAILED", "LeaseNotFound")
        failed = machines.run(machine({"First": caught, "Last": last}), {})
        assert (failed.error, failed.cause) == ("NoLease", "no lease of 'demo'")
    finally:
        machines.close()


def test_limits_and_stops_and_names(clock: SetClock) -> None:
    long = {"First": {"Type": "Wait", "Seconds": 86400, "End": True}}
    machines = Machines(clock, lambda _: None)
    try:
        limited = machines.run(machine(long, TimeoutSeconds=60), {})
        assert limited.status == "TIMED_OUT"
        stopped = machines.start(machine(long), {}, name="once")
        machines.stop(stopped.arn)
        assert stopped.status == "ABORTED"
        with pytest.raises(TaskFailed, match="ExecutionAlreadyExists"):
            machines.start(machine(long), {}, name="once")
    finally:
        machines.close()
