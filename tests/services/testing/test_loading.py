"""Steps of load, in time that passes by itself, against servers that are known."""

import asyncio
import json

import pytest

from parkade.adapters.memory.callers import MemoryCaller
from parkade.adapters.memory.ticks import MemoryTicks
from parkade.domain import cases, load
from parkade.domain.load import Aim
from parkade.domain.tester.shot import Reply
from parkade.services.testing.loading import Load

CASES = cases.read(json.dumps([{"id": "a", "input": 1, "expected": 1}]))
GOOD = Reply(status=200, content_type="application/json", body=b"1")


class Server:
    """Serves one request after the other, each in the same time."""

    def __init__(self, ticks, seconds, answer=lambda: GOOD):
        self.ticks = ticks
        self.seconds = seconds
        self.answer = answer
        self.free = 0.0
        self.arrivals = []

    async def __call__(self, _body, _content_type):
        self.arrivals.append(self.ticks.now())
        self.free = max(self.free, self.ticks.now()) + self.seconds
        await self.ticks.sleep_until(self.free)
        return self.answer()


class World:
    def __init__(self, seconds=0.01, *, answer=lambda: GOOD, connections=16):
        self.ticks = MemoryTicks()
        self.server = Server(self.ticks, seconds, answer)
        self.load = Load(
            CASES,
            lambda: MemoryCaller(self.server),
            self.ticks,
            share=0.99,
            connections=connections,
        )

    def step(self, rate, seconds=2.0, warm_up=0.5):
        async def run():
            found = await self.load.step(rate, seconds, warm_up)
            await self.load.close()
            return found

        return asyncio.run(run())


def test_requests_are_sent_when_they_are_due_and_the_warm_up_does_not_count():
    world = World(0.001)
    found = world.step(10, 2.0, 0.5)
    assert world.server.arrivals == pytest.approx([n / 10 for n in range(25)])
    assert (found.sent, found.answered, found.errors) == (20, 20, 0)
    assert found.p50 == found.p99 == found.latency == pytest.approx(1.0)
    assert found.lag == 0


def test_a_request_does_not_wait_for_the_one_before():
    # 300 ms an answer, a request each 333 ms.
    world = World(0.3)
    found = world.step(3, 2.0, 0.0)
    assert world.server.arrivals == pytest.approx([n / 3 for n in range(6)])
    assert found.latency == pytest.approx(300)


def test_what_waits_for_a_connection_has_waited_since_it_was_due():
    # One connection, 10 ms an answer, a request each 8 ms: each waits 2 ms longer than the one before.
    found = World(0.01, connections=1).step(125, 0.03, 0.0)
    assert (found.sent, found.answered) == (4, 4)
    assert found.p50 == pytest.approx(12)
    assert found.latency == pytest.approx(16)
    assert found.lag == 0


def test_where_more_and_more_wait_the_step_is_over_early():
    world = World(1.0, connections=2)
    found = world.step(100, 10.0, 0.0)
    assert "16 requests waited" in found.ended
    assert found.sent < 30
    assert world.ticks.now() < 1


def test_what_has_no_answer_when_the_step_is_over_is_an_error():
    found = World(30.0).step(4, 1.0, 0.0)
    assert (found.sent, found.answered, found.errors) == (4, 0, 4)
    assert found.latency is None
    assert "4 requests had no answer yet" in found.trouble


def test_errors_and_wrong_answers_are_counted_and_the_first_is_told():
    answers = iter([Reply(status=503, body=b"busy"), Reply(status=200, body=b"2"), *[GOOD] * 8])
    found = World(answer=lambda: next(answers)).step(10, 1.0, 0.0)
    assert (found.sent, found.answered, found.errors) == (10, 10, 2)
    assert found.trouble == "case a: 503 busy"


def test_a_slow_client_is_told_from_a_slow_server():
    world = World(0.001)
    sleep = world.ticks.sleep_until

    async def late(tick):
        await sleep(tick)
        if world.ticks.now() < 100:
            world.ticks.advance(0.02)

    world.ticks.sleep_until = late
    found = world.step(10, 1.0, 0.0)
    assert found.lag >= 20
    assert load.judged(Aim(target_ms=10), found).held is load.Held.CLIENT


def test_a_bug_is_raised_when_the_step_is_over():
    def answer():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        World(answer=answer).step(10, 0.5, 0.0)


def test_the_known_capacity_of_a_server_is_found():
    # 5 ms each, one at a time: 200 a second, and not more.
    aim = Aim(target_ms=50, first=10, last=1000)
    steps = []
    while (rate := load.following(aim, steps)) is not None:
        steps.append(load.judged(aim, World(0.005).step(rate)))
    assert load.greatest(steps).finding.rate == pytest.approx(200, rel=0.06)
    assert any("waited" in each.reason or "more than 50 ms" in each.reason for each in steps)
