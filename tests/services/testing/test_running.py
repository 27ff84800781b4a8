"""A run of clients side by side, in time that passes by itself."""

import asyncio
import json

import pytest

from parkade.adapters.memory.callers import MemoryCaller
from parkade.adapters.memory.ticks import MemoryTicks
from parkade.domain import cases
from parkade.domain.tester.course import Course
from parkade.domain.tester.shot import Outcome, Reply
from parkade.services.testing.running import Running

CASES = cases.read(
    json.dumps([{"id": str(n), "input": n, "expected": n, "content_type": "application/json"}
                for n in range(3)])
)  # fmt: skip
JSON = "application/json"


class World:
    """Callers whose other side takes its time by the same ticks."""

    def __init__(self, course, answer=None, *, took=0.05):
        self.ticks = MemoryTicks(start=1000.0)
        self.took = took
        self.answer = answer or (lambda body: Reply(status=200, content_type=JSON, body=body))
        #: When each caller was asked what, from the begin.
        self.asked = []
        self.callers = []
        self.running = Running(CASES, course, self._caller, self.ticks)

    def _caller(self):
        number = len(self.callers)

        async def told(body, _content_type):
            self.asked.append((number, round(self.ticks.now() - 1000.0, 6), body))
            await self.ticks.sleep_until(self.ticks.now() + self.took)
            return self.answer(body)

        self.callers.append(MemoryCaller(told))
        return self.callers[-1]

    def run(self):
        asyncio.run(self.running.run())
        return self.running.shots


def test_clients_have_connections_of_their_own_and_begin_one_after_the_other():
    world = World(Course(clients=3, interval=0.9, duration=1.8))
    world.run()
    assert len(world.callers) == 3
    assert not any(each.opened for each in world.callers)  # closed again
    assert [(number, at) for number, at, _ in world.asked] == [
        (0, 0.0), (1, 0.3), (2, 0.6), (0, 0.9), (1, 1.2), (2, 1.5),
    ]  # fmt: skip


def test_they_go_through_the_cases_beginning_with_different_ones():
    world = World(Course(clients=3, interval=1, duration=3))
    world.run()
    of_clients = [[body for number, _, body in world.asked if number == n] for n in range(3)]
    assert of_clients == [[b"0", b"1", b"2"], [b"1", b"2", b"0"], [b"2", b"0", b"1"]]


def test_the_time_is_that_of_the_whole_answer():
    (shot, *_) = World(Course(clients=1, duration=0), took=0.25).run()
    assert shot.seconds == pytest.approx(0.25)
    assert shot.at == pytest.approx(0.0)


def test_where_an_answer_takes_longer_than_the_interval_calls_are_left_out():
    world = World(Course(clients=1, interval=1, duration=6), took=1.5)
    world.run()
    assert [at for _, at, _ in world.asked] == [0.0, 2.0, 4.0]


def test_without_a_duration_every_client_asks_every_case_once():
    world = World(Course(clients=2, interval=0, duration=0))
    shots = world.run()
    assert sorted((each.client, each.case) for each in shots) == [
        (client, case) for client in range(2) for case in ("0", "1", "2")
    ]


def test_the_answers_are_judged():
    def answer(body):
        if body == b"0":
            return Reply(status=503, content_type=JSON, body=b'"busy"')
        return Reply(status=200, content_type=JSON, body=b"1")

    shots = World(Course(clients=1, duration=0), answer).run()
    assert [each.outcome for each in shots] == [Outcome.STATUS, Outcome.OK, Outcome.WRONG]


def test_called_off_it_ends_with_what_it_has():
    world = World(Course(clients=2, interval=1, duration=60))
    world.running._heard = lambda _: len(world.running.shots) == 5 and world.running.call_off()
    assert len(world.run()) in {5, 6}
    assert world.running.seconds < 4


def test_a_bug_in_a_client_is_raised_and_ends_the_run():
    def answer(_body):
        raise ZeroDivisionError

    world = World(Course(clients=2, duration=60), answer)
    with pytest.raises(ZeroDivisionError):
        world.run()
    assert not any(each.opened for each in world.callers)


def test_called_off_before_it_began_it_asks_nothing():
    world = World(Course(clients=2, interval=1, duration=60))
    world.running.call_off()
    assert world.run() == []
    assert world.asked == []
    assert world.running.seconds == 0
