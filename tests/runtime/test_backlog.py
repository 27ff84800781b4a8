"""Asynchronous invocations against real workers on real sockets; time is moved by hand."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from parkade.adapters.memory.backlog import MemoryBacklogStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.memory.topics import MemoryTopics
from parkade.domain.catalog import Asynchronous
from parkade.domain.errors import ObjectNotFound, Unavailable
from parkade.ports.backlog import RequestStatus
from parkade.ports.events import EventQuery
from parkade.runtime import backlog as backlog_module
from parkade.runtime import courier
from parkade.runtime.backlog import Backlog
from parkade.runtime.courier import Courier
from parkade.runtime.views import FleetView, InstanceView, VariantView
from tests.builders import NOW, an_async_request, minutes, seconds

SUCCESS, ERROR = "arn:aws:sns:us-east-1:1:done", "arn:aws:sns:us-east-1:1:failed"


class Worker:
    """Answers each request by `answer(head, body)`.

    That gives status and body, or all the bytes of the answer, or None to hang up.
    """

    def __init__(self, path, answer):
        self.path = str(path)
        self.answer = answer
        self.got = []
        self.at_once = 0
        self.most_at_once = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        self.got.append((head, body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.hold.wait()
        self.at_once -= 1
        given = self.answer(head, body)
        if isinstance(given, bytes):
            writer.write(given)
            await writer.drain()
        elif given is not None:
            status, content = given
            start = f"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n"
            writer.write(f"{start}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            await writer.drain()
        writer.close()


class World:
    """A backlog with all around it; `variants` maps names to weight and workers."""

    def __init__(self, folder):
        self.folder = folder
        self.store = MemoryBacklogStore()
        self.clock = ManualClock(NOW)
        self.objects = MemoryObjects(self.clock)
        self.topics = MemoryTopics()
        self.history = MemoryHistory()
        self.rules = Asynchronous(output="s3://answers", concurrency=2)
        self.variants = []
        #: Endpoints that were asked for, as often as they were; a message that is raised instead.
        self.wanted = []
        self.refuses_to_ask = ""
        self.backlog = self.make()

    def want(self, endpoint_name):
        self.wanted.append(endpoint_name)
        if self.refuses_to_ask:
            raise Unavailable(self.refuses_to_ask)

    def make(self):
        return Backlog(
            self.store,
            self.objects,
            self.topics,
            self.history,
            self.clock,
            Courier(self.objects),
            fleets=lambda: {
                "falcon": FleetView(variants=tuple(self.variants), asynchronous=self.rules)
            },
            region=lambda: "us-east-1",
            wanted=self.want,
        )

    def has(self, *workers, name="blue", weight=1.0):
        instances = tuple(
            InstanceView(
                id=f"{name}-{number}",
                addresses=_addresses(each),
                variant_name=name,
                models=self.folder,
            )
            for number, each in enumerate(workers)
        )
        self.variants.append(VariantView(name=name, weight=weight, instances=instances))

    def read(self, location):
        bucket, _, key = location.removeprefix("s3://").partition("/")
        with self.objects.open(bucket, key) as file:
            return file.read()

    async def ended(self, *ids):
        async def look():
            while not all(self.store.get(each).told for each in ids):
                await asyncio.sleep(0.005)

        await asyncio.wait_for(look(), 60)
        return [self.store.get(each) for each in ids]


def _addresses(worker):
    return tuple(each.path for each in (worker if isinstance(worker, tuple) else (worker,)))


@asynccontextmanager
async def a_worker(world, answer=lambda _, body: (200, body.upper()), name="w"):
    worker = Worker(world.folder / f"{name}.sock", answer)
    async with await asyncio.start_unix_server(worker.serve, worker.path):
        yield worker
        worker.hold.set()


@asynccontextmanager
async def running(backlog):
    task = asyncio.create_task(backlog.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(backlog_module, "PAUSE", 0)
    return World(tmp_path)


def test_an_inline_body_is_answered_into_its_output_object(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            request = an_async_request(content_type="text/csv", custom_attributes="trace=1")
            world.backlog.add(request, b"hello")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.COMPLETED
        assert world.read(ended.output_location) == b"HELLO"
        assert world.objects.stat("answers", "r-1.out").headers["content-type"] == "text/plain"
        head = worker.got[0][0].lower()
        assert "content-type: text/csv" in head
        assert "x-amzn-sagemaker-custom-attributes: trace=1" in head
        assert "x-amzn-sagemaker-inference-id: r-1" in head

    asyncio.run(scenario())


@pytest.mark.semantics("async.length")
@pytest.mark.parametrize(
    "rest",
    [b"\r\nHELLO", b"Transfer-Encoding: chunked\r\n\r\n3\r\nHEL\r\n2\r\nLO\r\n0\r\n\r\n"],
    ids=["until-close", "chunked"],
)
def test_an_answer_without_a_length_is_taken(world, rest):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + rest

    async def scenario():
        async with a_worker(world, lambda *_: answer) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(), b"hello")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.COMPLETED
        assert world.read(ended.output_location) == b"HELLO"

    asyncio.run(scenario())


def put(world, key, content):
    with world.objects.writer("inputs", key) as writer:
        writer.write(content)
        writer.commit()
    return f"s3://inputs/{key}"


def test_an_input_object_streams_to_the_worker(world):
    large = bytes(range(256)) * 20_000
    location = put(world, "large", large)

    async def scenario():
        async with a_worker(world, lambda _, body: (200, body)) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(input_location=location), b"")
            [ended] = await world.ended("r-1")
        assert world.read(ended.output_location) == large

    asyncio.run(scenario())


def test_a_missing_input_is_a_failure_that_names_it(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(input_location="s3://inputs/none"), b"")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.FAILED
        assert "s3://inputs/none" in ended.failure
        assert world.read(ended.failure_location).decode() == ended.failure
        assert worker.got == []

    asyncio.run(scenario())


@pytest.mark.semantics("async.payload")
def test_an_input_over_the_limit_is_refused_by_its_size(world, monkeypatch):
    monkeypatch.setattr(courier, "PAYLOAD_LIMIT", 10)
    location = put(world, "large", b"x" * 11)

    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(input_location=location), b"")
            [ended] = await world.ended("r-1")
        assert "11 bytes" in ended.failure
        assert worker.got == []

    asyncio.run(scenario())


@pytest.mark.semantics("async.payload")
def test_an_answer_over_the_limit_leaves_no_output(world, monkeypatch):
    monkeypatch.setattr(courier, "PAYLOAD_LIMIT", 10)

    async def scenario():
        async with (
            a_worker(world, lambda *_: (200, b"x" * 11)) as worker,
            running(world.backlog),
        ):
            world.has(worker)
            world.backlog.add(an_async_request(), b"")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.FAILED
        with pytest.raises(ObjectNotFound):
            world.read(ended.output_location)

    asyncio.run(scenario())


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (500, "server")])
def test_a_models_error_is_a_failure_with_its_words(world, status, side):
    async def scenario():
        async with (
            a_worker(world, lambda *_: (status, b"no such animal")) as worker,
            running(world.backlog),
        ):
            world.has(worker)
            world.backlog.add(an_async_request(), b"")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.FAILED
        assert f"{side} error ({status})" in ended.failure
        assert "no such animal" in ended.failure
        assert ended.attempts == 1

    asyncio.run(scenario())


def test_a_worker_that_goes_away_is_tried_again_and_given_up_in_the_end(world):
    answers = iter([None, (200, b"at last")])

    async def scenario():
        async with (
            a_worker(world, lambda *_: next(answers), "once") as once,
            running(world.backlog),
        ):
            world.has(once)
            world.backlog.add(an_async_request(), b"")
            [ended] = await world.ended("r-1")
            assert (ended.status, ended.attempts) == (RequestStatus.COMPLETED, 2)
        async with a_worker(world, lambda *_: None, "never") as never, running(world.make()):
            world.variants.clear()
            world.has(never)
            world.store.add(an_async_request("r-2"), b"")
        backlog = world.make()
        async with a_worker(world, lambda *_: None, "never") as never, running(backlog):
            world.variants.clear()
            world.has(never)
            backlog.nudge()
            [ended] = await world.ended("r-2")
            assert ended.status is RequestStatus.FAILED
            assert len(never.got) == backlog_module.ATTEMPTS

    asyncio.run(scenario())


@pytest.mark.semantics("async.time")
def test_a_model_that_takes_too_long_is_a_failure(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            worker.hold.clear()
            world.has(worker)
            world.backlog.add(an_async_request(timeout=1), b"")
            [ended] = await world.ended("r-1")
        assert ended.failure == "The model did not answer within 1 seconds."

    asyncio.run(scenario())


@pytest.mark.semantics("async.expiry")
def test_what_waits_longer_than_its_time_is_reported(world):
    async def scenario():
        async with running(world.backlog):
            world.backlog.add(an_async_request(expires_at=NOW + minutes(1)), b"")
            world.backlog.add(an_async_request("r-2"), b"")
            await asyncio.sleep(0)
            world.clock.advance(minutes(1))
            [ended] = await world.ended("r-1")
        assert "RequestTTLSeconds" in ended.failure
        assert world.store.get("r-2").status is RequestStatus.PENDING

    asyncio.run(scenario())


@pytest.mark.semantics("metrics.async", "async.concurrency")
def test_an_instance_gets_no_more_than_its_number_at_a_time_and_all_are_used(world):
    async def scenario():
        async with a_worker(world, name="a") as one, a_worker(world, name="b") as two:
            one.hold.clear()
            two.hold.clear()
            world.has(one, two)
            async with running(world.backlog):
                for number in range(10):
                    world.backlog.add(an_async_request(f"r-{number}"), b"")
                await asyncio.wait_for(until(lambda: one.at_once + two.at_once == 4), 60)
                view = world.backlog.view("falcon")
                assert (view.waiting, view.running) == (6, 4)
                world.clock.advance(seconds(7))
                assert world.backlog.view("falcon").oldest == seconds(7)
                one.hold.set()
                two.hold.set()
                await world.ended(*(f"r-{number}" for number in range(10)))
            assert one.most_at_once == two.most_at_once == 2

    asyncio.run(scenario())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


def test_variants_get_their_shares(world):
    async def scenario():
        async with a_worker(world, name="a") as one, a_worker(world, name="b") as two:
            world.has(one, name="blue", weight=3.0)
            world.has(two, name="green", weight=1.0)
            async with running(world.backlog):
                for number in range(20):
                    world.backlog.add(an_async_request(f"r-{number}"), b"")
                    await world.ended(f"r-{number}")
            assert (len(one.got), len(two.got)) == (15, 5)

    asyncio.run(scenario())


def test_a_pipeline_takes_each_answer_to_the_next_container(world):
    async def scenario():
        async with (
            a_worker(world, name="first") as first,
            a_worker(world, lambda _, body: (200, body[::-1]), "last") as last,
            running(world.backlog),
        ):
            world.has((first, last))
            world.backlog.add(an_async_request(), b"abc")
            [ended] = await world.ended("r-1")
        assert world.read(ended.output_location) == b"CBA"
        assert "content-type: text/plain" in last.got[0][0].lower()

    asyncio.run(scenario())


@pytest.mark.semantics("async.included")
def test_the_topics_are_told_with_the_answer_where_asked_for(world):
    topics = {"success_topic": SUCCESS, "error_topic": ERROR}

    async def scenario():
        def answer(_, body):
            return (500, b"oops") if body == b"bad" else (200, b"good")

        async with a_worker(world, answer) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(
                an_async_request(include_response_in=("SUCCESS_NOTIFICATION_TOPIC",), **topics),
                b"",
            )
            world.backlog.add(an_async_request("r-2", **topics), b"bad")
            await world.ended("r-1", "r-2")

    asyncio.run(scenario())
    told = {topic: json.loads(message) for topic, message in world.topics.messages}
    success, failure = told[SUCCESS], told[ERROR]
    assert success["invocationStatus"] == "Completed"
    assert success["inferenceId"] == "r-1"
    assert success["responseParameters"]["outputLocation"] == "s3://answers/r-1.out"
    assert success["responseBody"] == {"content": "Z29vZA==", "encoding": "BASE64"}
    assert success["receivedTime"] == "2026-03-01T12:00:00.000Z"
    assert failure["invocationStatus"] == "Failed"
    assert "oops" in failure["failureReason"]
    assert "responseBody" not in failure


def test_a_topic_that_cannot_be_told_is_told_of_as_an_event(world):
    world.topics.broken = True

    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(success_topic=SUCCESS), b"")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.COMPLETED

    asyncio.run(scenario())
    [event] = world.history.read(EventQuery(limit=10))
    assert event.kind == "async.untold"
    assert event.data["topic"] == SUCCESS


def test_an_orderly_end_puts_back_what_runs_and_costs_no_attempt(world):
    async def scenario():
        async with a_worker(world) as worker:
            worker.hold.clear()
            world.has(worker)
            async with running(world.backlog):
                world.backlog.add(an_async_request(), b"x")
                await asyncio.wait_for(until(lambda: worker.at_once == 1), 60)
            put_back = world.store.get("r-1")
            assert (put_back.status, put_back.attempts) == (RequestStatus.PENDING, 0)
            worker.hold.set()
            async with running(world.make()):
                [ended] = await world.ended("r-1")
            assert ended.status is RequestStatus.COMPLETED

    asyncio.run(scenario())


@pytest.mark.parametrize("attempts", [1, 3])
def test_what_a_crash_left_running_begins_again_or_is_given_up(world, attempts):
    left = an_async_request(status=RequestStatus.RUNNING, attempts=attempts)
    world.store.add(left, b"x")

    async def scenario():
        async with a_worker(world) as worker:
            world.has(worker)
            async with running(world.backlog):
                [ended] = await world.ended("r-1")
            assert ended.status is (
                RequestStatus.FAILED if attempts == 3 else RequestStatus.COMPLETED
            )
            assert len(worker.got) == (0 if attempts == 3 else 1)

    asyncio.run(scenario())


def test_what_was_answered_before_a_crash_is_not_begun_again(world):
    world.store.add(an_async_request(status=RequestStatus.RUNNING, attempts=1), b"x")
    with world.objects.writer("answers", "r-1.out") as writer:
        writer.write(b"there")
        writer.commit()

    async def scenario():
        async with a_worker(world) as worker:
            world.has(worker)
            async with running(world.backlog):
                [ended] = await world.ended("r-1")
            assert ended.status is RequestStatus.COMPLETED
            assert worker.got == []

    asyncio.run(scenario())


def test_what_ended_before_a_crash_and_was_not_told_is_told(world):
    ended = an_async_request(status=RequestStatus.COMPLETED, finished_at=NOW, success_topic=SUCCESS)
    world.store.add(ended, b"")

    async def scenario():
        async with running(world.backlog):
            await world.ended("r-1")

    asyncio.run(scenario())
    assert [topic for topic, _ in world.topics.messages] == [SUCCESS]


@pytest.mark.parametrize("status", [RequestStatus.RUNNING, RequestStatus.COMPLETED])
def test_a_store_that_takes_nothing_for_a_while_loses_nothing(world, monkeypatch, status):
    """Nothing else comes or goes that would have it tried again."""
    monkeypatch.setattr(backlog_module, "_AGAIN", 0)
    refusals = iter([True, True])
    put_for_real = world.store.put

    def put_sometimes(request):
        if request.status is status and next(refusals, False):
            raise Unavailable("the disk is full")
        put_for_real(request)

    world.store.put = put_sometimes

    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(), b"x")
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.COMPLETED
        assert len(worker.got) == 1

    asyncio.run(scenario())


def test_finished_requests_are_forgotten_and_their_answers_stay(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.has(worker)
            world.backlog.add(an_async_request(), b"x")
            [ended] = await world.ended("r-1")
        world.clock.advance(minutes(60))
        world.backlog.forget(minutes(59))
        assert world.read(ended.output_location) == b"X"
        assert world.store.open() == []
        with pytest.raises(Exception, match="r-1"):
            world.store.get("r-1")

    asyncio.run(scenario())


def test_nothing_is_sent_while_there_is_no_worker_and_all_once_there_is(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.backlog.add(an_async_request(), b"x")
            await asyncio.sleep(0)
            assert world.store.get("r-1").status is RequestStatus.PENDING
            world.has(worker)
            world.rules = replace(world.rules, concurrency=None)
            world.backlog.nudge()
            [ended] = await world.ended("r-1")
        assert ended.status is RequestStatus.COMPLETED

    asyncio.run(scenario())


def test_what_waits_asks_for_its_endpoint_until_that_has_a_worker(world):
    async def scenario():
        async with a_worker(world) as worker, running(world.backlog):
            world.backlog.add(an_async_request(), b"x")
            await until(lambda: world.wanted == ["falcon"])
            world.backlog.nudge()
            await until(lambda: world.wanted == ["falcon", "falcon"])
            world.has(worker)
            world.backlog.nudge()
            await world.ended("r-1")
            world.backlog.nudge()
        assert world.wanted == ["falcon", "falcon"]

    asyncio.run(scenario())


def test_what_a_crash_left_waiting_asks_for_its_endpoint(world):
    async def scenario():
        world.store.add(an_async_request(), b"x")
        async with running(world.backlog):
            await until(lambda: world.wanted == ["falcon"])

    asyncio.run(scenario())


def test_what_cannot_be_asked_for_is_asked_for_again(world, monkeypatch, caplog):
    monkeypatch.setattr(backlog_module, "_AGAIN", 0)
    world.refuses_to_ask = "the disk is full"

    async def scenario():
        async with running(world.backlog):
            world.backlog.add(an_async_request(), b"x")
            await until(lambda: len(world.wanted) > 3)

    asyncio.run(scenario())
    assert "falcon cannot be asked for" in caplog.text
