"""Executions are begun once, and the end of each lease is waited for once."""

import json

import pytest

from parkade.adapters.aws.functions import Later
from parkade.adapters.aws.stepfunctions import Machine, Timers, execution_name, timer_name
from parkade.domain.errors import AlreadyExists, InvalidInput, ParkadeError
from tests.aws_account import unique
from tests.builders import NOW, a_lease, minutes, seconds

ROLE = "arn:aws:iam::123456789012:role/machines"


@pytest.fixture
def machine(aws):
    made = aws.client("stepfunctions").create_state_machine(
        name=unique("machine"),
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
        roleArn=ROLE,
    )
    return Machine(aws, made["stateMachineArn"])


def executions(aws, machine):
    told = aws.client("stepfunctions").list_executions(stateMachineArn=machine.arn)
    return {each["name"]: each["executionArn"] for each in told["executions"]}


def given(aws, arn):
    return json.loads(aws.client("stepfunctions").describe_execution(executionArn=arn)["input"])


def test_an_execution_is_begun_with_its_name_and_input(aws, machine):
    arn = machine.begin("one", {"a": 1})
    assert executions(aws, machine) == {"one": arn}
    assert given(aws, arn) == {"a": 1}


def test_a_name_is_used_once(machine):
    machine.begin("one", {"a": 1})
    with pytest.raises(AlreadyExists, match="one"):
        machine.begin("one", {"a": 2})


def test_a_machine_that_is_not_there_is_told_with_what_to_do(aws, machine):
    missing = Machine(aws, machine.arn + "-gone")
    with pytest.raises(InvalidInput, match="no state machine") as told:
        missing.begin("one", {})
    assert "parkade cloud deploy" in told.value.hint


def test_the_end_of_a_lease_is_waited_for_until_a_whole_second_that_is_not_too_early(aws, machine):
    lease = a_lease(expires_at=NOW + minutes(30) + seconds(0.25))
    Timers(machine).wait_for(lease)
    ((name, arn),) = executions(aws, machine).items()
    assert name == timer_name("falcon", lease.expires_at)
    assert given(aws, arn) == {
        "endpoint_name": "falcon", "expires_at": "2026-03-01T12:30:01Z", "turn": 0,
    }  # fmt: skip


def test_it_is_waited_for_once_by_however_many(aws, machine):
    lease = a_lease()
    first, second = Timers(machine), Timers(machine)
    assert first.missing([lease], NOW) == [lease]
    first.wait_for(lease)
    second.wait_for(lease)
    assert len(executions(aws, machine)) == 1
    assert first.missing([lease], NOW) == []


def test_an_extended_lease_has_a_timer_of_its_own(aws, machine):
    timers = Timers(machine)
    timers.wait_for(a_lease())
    longer = a_lease(expires_at=NOW + minutes(40))
    assert timers.missing([longer], NOW) == [longer]
    timers.wait_for(longer)
    assert len(executions(aws, machine)) == 2


def test_only_what_runs_out_is_waited_for_the_soonest_first(machine):
    soon = a_lease(endpoint_name="soon", expires_at=NOW + minutes(1))
    late = a_lease(endpoint_name="late", expires_at=NOW + minutes(9))
    over = a_lease(endpoint_name="over", expires_at=NOW)
    paused = a_lease(endpoint_name="paused", asleep_at=NOW, paused_at=NOW)
    assert Timers(machine).missing([late, over, paused, soon], NOW) == [soon, late]


def test_names_fit_and_tell_endpoints_and_instants_apart():
    longest = "e" * 63
    assert len(timer_name(longest, NOW)) <= 80
    names = {timer_name(name, at) for name in ("a", "b") for at in (NOW, NOW + seconds(0.001))}
    assert len(names) == 4
    assert execution_name("a b", "12:30:00Z") == "a-b-12-30-00Z"


def test_a_function_that_is_not_there_cannot_be_called_later(aws):
    with pytest.raises(ParkadeError, match="cannot be called"):
        Later(aws, unique("function"))({"from": "x"})
