"""Executions: stored before they begin, and after they ended."""

import asyncio
import json

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.executions import MemoryExecutionStore
from parkade.adapters.memory.invoker import MemoryInvoker, echo
from parkade.domain.errors import ExecutionNotFound, InvalidInput, TooLarge, Unavailable
from parkade.domain.token import Role
from parkade.ports.executions import ExecutionStatus
from parkade.ports.invoker import Answer
from parkade.services.executions import BODY_LIMIT, Executions
from tests.builders import NOW, a_token, an_execution, minutes, seconds

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class Office:
    def __init__(self, answer=echo):
        self.clock = ManualClock(NOW)
        self.store = MemoryExecutionStore()
        self.invoker = MemoryInvoker(answer)
        self.executions = Executions(self.store, self.invoker, clock=self.clock)

    def start(self, body='{"sentence": "hello"}'):
        return self.executions.start("falcon", body, token_name="ann")

    def run(self, arn):
        return asyncio.run(self.executions.run(arn))


def answering(status, text="no"):
    return lambda *_: Answer(status=status, content_type="application/json", body=text.encode())


def test_an_execution_runs_and_its_answer_is_stored():
    office = Office()
    begun = office.start()
    assert begun.status is ExecutionStatus.RUNNING
    assert begun.arn.startswith("arn:aws:states:local:000000000000:execution:parkade:")
    assert office.store.get(begun.arn) == begun
    office.clock.advance(minutes(2))
    ended = office.run(begun.arn)
    assert office.invoker.invoked == [("falcon", begun.body.encode(), "application/json")]
    assert (ended.status, ended.stopped_at) == (ExecutionStatus.SUCCEEDED, NOW + minutes(2))
    assert json.loads(ended.output) == {"Body": begun.body, "ContentType": "application/json"}
    assert office.store.get(begun.arn) == ended


def test_running_what_has_ended_invokes_nobody():
    office = Office()
    arn = office.start().arn
    ended = office.run(arn)
    assert office.run(arn) == ended
    assert len(office.invoker.invoked) == 1


@pytest.mark.parametrize(
    ("status", "text", "outcome", "error"),
    [
        (424, TIMED_OUT, ExecutionStatus.TIMED_OUT, "SageMakerRuntime.ModelErrorException"),
        (424, "boom", ExecutionStatus.FAILED, "SageMakerRuntime.ModelErrorException"),
        (400, "no such", ExecutionStatus.FAILED, "SageMakerRuntime.ValidationErrorException"),
        (503, "expired", ExecutionStatus.FAILED, "SageMakerRuntime.ServiceUnavailableException"),
        (413, TIMED_OUT, ExecutionStatus.FAILED, "SageMakerRuntime.413"),
    ],
)
def test_an_error_of_the_endpoint_is_the_outcome(status, text, outcome, error):
    office = Office(answering(status, text))
    ended = office.run(office.start().arn)
    assert (ended.status, ended.error, ended.cause) == (outcome, error, text)
    assert (ended.output, ended.stopped_at) == ("", NOW)


def test_an_answer_that_is_no_text_is_made_one():
    office = Office(lambda *_: Answer(status=200, content_type="image/png", body=b"\x89PNG"))
    assert json.loads(office.run(office.start().arn).output)["Body"] == "�PNG"


def test_a_data_plane_that_is_away_for_a_moment_is_tried_again():
    away = [Unavailable("restarting", retry_after=seconds(1))] * 2

    def answer(*invocation):
        if away:
            raise away.pop()
        return echo(*invocation)

    office = Office(answer)
    arn = office.start().arn

    async def scenario():
        running = asyncio.create_task(office.executions.run(arn))
        while not running.done():
            for instant in office.clock.sleepers:
                office.clock.set(instant)
            await asyncio.sleep(0)
        return await running

    ended = asyncio.run(scenario())
    assert (ended.status, ended.attempts) == (ExecutionStatus.SUCCEEDED, 3)
    assert ended.stopped_at == NOW + seconds(2)


def test_a_data_plane_that_stays_away_is_the_outcome():
    def away(*_):
        raise Unavailable("gone", retry_after=seconds(0))

    office = Office(away)
    ended = office.run(office.start().arn)
    assert (ended.status, ended.attempts, ended.cause) == (ExecutionStatus.FAILED, 3, "gone")


def test_a_bug_is_seen_and_ends_the_execution():
    def bug(*_):
        raise ZeroDivisionError("division by zero")

    office = Office(bug)
    arn = office.start().arn
    with pytest.raises(ZeroDivisionError):
        office.run(arn)
    ended = office.store.get(arn)
    assert (ended.status, ended.cause) == (
        ExecutionStatus.FAILED,
        "ZeroDivisionError: division by zero",
    )


def test_what_a_crash_cut_short_is_begun_again_but_not_for_ever():
    office = Office()
    for number in range(4):
        office.store.put(an_execution(f"arn-{number}", attempts=number))
    office.store.put(an_execution("arn-done", status=ExecutionStatus.SUCCEEDED, stopped_at=NOW))
    again = [execution.arn for execution in office.executions.unfinished()]
    assert again == ["arn-0", "arn-1", "arn-2"]
    given_up = office.store.get("arn-3")
    assert (given_up.status, given_up.stopped_at) == (ExecutionStatus.FAILED, NOW)
    assert [execution.arn for execution in office.executions.unfinished()] == again
    assert office.run("arn-2").status is ExecutionStatus.SUCCEEDED


def test_an_execution_that_is_cancelled_stays_to_be_begun_again():
    async def scenario():
        office = Office()
        reached = asyncio.Event()

        async def never(*_):
            reached.set()
            await asyncio.Event().wait()

        office.invoker.invoke = never
        arn = office.start().arn
        running = asyncio.create_task(office.executions.run(arn))
        await reached.wait()
        running.cancel()
        await asyncio.wait([running])
        return office, arn

    office, arn = asyncio.run(scenario())
    assert [(e.arn, e.attempts) for e in office.executions.unfinished()] == [(arn, 1)]


def test_only_whoever_started_it_and_operators_see_it():
    office = Office()
    arn = office.start().arn
    for token in (
        a_token("ann", role=Role.INVOKER),
        a_token("bob"),
        a_token("eve", role=Role.ADMIN),
    ):
        assert office.executions.describe(arn, token=token).arn == arn
    with pytest.raises(ExecutionNotFound) as hidden:
        office.executions.describe(arn, token=a_token("mallory", role=Role.INVOKER))
    with pytest.raises(ExecutionNotFound) as absent:
        Office().executions.describe(arn, token=a_token("mallory", role=Role.INVOKER))
    assert str(hidden.value) == str(absent.value)


def test_old_ones_are_forgotten():
    office = Office()
    arn = office.start().arn
    running = office.start().arn
    office.run(arn)
    office.clock.advance(minutes(10))
    assert office.executions.forget(minutes(10)) == 0
    office.clock.advance(seconds(1))
    assert office.executions.forget(minutes(10)) == 1
    assert office.store.get(running)
    with pytest.raises(ExecutionNotFound):
        office.store.get(arn)


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("a_b", "{}", InvalidInput),
        ("falcon", "x" * (BODY_LIMIT + 1), TooLarge),
        ("falcon", "ä" * (BODY_LIMIT // 2 + 1), TooLarge),
        ("falcon", "\ud800", InvalidInput),
    ],
)
def test_what_cannot_be_invoked_is_not_stored(name, body, error):
    office = Office()
    with pytest.raises(error):
        office.executions.start(name, body, token_name="ann")
    assert office.store.running() == []


def test_the_largest_body_is_taken():
    assert Office().start("x" * BODY_LIMIT).status is ExecutionStatus.RUNNING
