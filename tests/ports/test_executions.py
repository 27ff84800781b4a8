"""The contract of the execution store."""

from dataclasses import replace

import pytest

from parkade.domain.errors import ExecutionNotFound
from parkade.ports.executions import ExecutionStatus
from tests.builders import NOW, an_execution, minutes


def test_every_field_comes_back(store):
    execution = an_execution(
        body="\0ü\n{",
        status=ExecutionStatus.TIMED_OUT,
        stopped_at=NOW + minutes(1),
        output="out",
        error="error",
        cause="cause",
        attempts=3,
    )
    store.executions.put(execution)
    assert store.executions.get(execution.arn) == execution


def test_get_raises_execution_not_found(store):
    with pytest.raises(ExecutionNotFound, match="arn:x"):
        store.executions.get("arn:x")


def test_put_stores_over_the_execution_of_the_arn(store):
    execution = an_execution()
    store.executions.put(execution)
    done = replace(execution, status=ExecutionStatus.SUCCEEDED, stopped_at=NOW, output="1")
    store.executions.put(done)
    assert store.executions.get(execution.arn) == done


def test_running_returns_the_running_ones_oldest_first(store):
    young = an_execution("arn:a", started_at=NOW)
    old = an_execution("arn:b", started_at=NOW - minutes(5))
    for execution in (young, old, an_execution("arn:c", status=ExecutionStatus.FAILED)):
        store.executions.put(execution)
    assert store.executions.running() == [old, young]


def test_forget_deletes_what_stopped_before_the_instant_and_counts_it(store):
    done = {"status": ExecutionStatus.SUCCEEDED}
    for age in (3, 2, 1):
        store.executions.put(an_execution(f"arn:{age}", stopped_at=NOW - minutes(age), **done))
    running = an_execution("arn:running", started_at=NOW - minutes(60))
    store.executions.put(running)
    assert store.executions.forget(NOW - minutes(2)) == 1
    with pytest.raises(ExecutionNotFound):
        store.executions.get("arn:3")
    assert store.executions.get("arn:2").status is ExecutionStatus.SUCCEEDED
    assert store.executions.running() == [running]
    assert store.executions.forget(NOW - minutes(2)) == 0
