"""What whoever measures hears of asynchronous invocations."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from parkade.adapters.memory.topics import MemoryTopics
from parkade.domain.errors import ResourceLimitExceeded, Unavailable
from parkade.runtime import backlog as backlog_module
from parkade.runtime.backlog import Backlog
from parkade.runtime.courier import Courier
from parkade.runtime.trips import Stage
from parkade.runtime.views import FleetView
from tests.builders import an_async_request, seconds
from tests.runtime.test_backlog import SUCCESS, World, a_worker, running

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.runtime.trips import Ended


class Heard:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.ends: list[Ended] = []
        self.untold_of: list[tuple[str, str]] = []

    def ended(self, ended: Ended) -> None:
        self.ends.append(ended)

    def untold(self, endpoint_name: str, variant_name: str) -> None:
        self.untold_of.append((endpoint_name, variant_name))


class Watched(World):
    """A backlog that is watched."""

    def make(self) -> Backlog:
        self.heard = Heard()
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
            observer=lambda: self.heard,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(backlog_module, "PAUSE", 0)
    return Watched(tmp_path)


def one(world: Watched, answer: Any = None, **fields: Any) -> Ended:
    """Have one request carried out, or not; return what was heard of it."""

    async def scenario() -> None:
        behave = answer or (lambda _, body: (200, body))
        async with a_worker(world, behave) as worker, running(world.backlog):
            world.has(worker)
            body = b"" if "input_location" in fields else b"hello"
            world.backlog.add(an_async_request(**fields), body)
            await world.ended("r-1")

    asyncio.run(scenario())
    (ended,) = world.heard.ends
    return ended


def test_a_request_that_is_answered(world: Watched) -> None:
    ended = one(world)
    trip = ended.trip
    assert trip is not None
    assert (ended.endpoint_name, ended.completed, ended.expired) == ("falcon", True, False)
    assert (trip.variant_name, trip.status) == ("blue", 200)
    assert trip.model is not None
    assert trip.model > 0
    assert trip.upload > 0


def test_an_input_that_is_not_there_fails_while_it_is_fetched(world: Watched) -> None:
    ended = one(world, input_location="s3://inputs/none")
    assert ended.trip is not None
    assert (ended.completed, ended.trip.stage) == (False, Stage.DOWNLOAD)
    assert (ended.trip.status, ended.trip.model) == (None, None)


def test_an_output_that_cannot_be_kept_fails_while_it_is_stored(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ResourceLimitExceeded("the disk is full")

    monkeypatch.setattr(world.objects, "writer", full)
    ended = one(world)
    assert ended.trip is not None
    assert (ended.completed, ended.trip.stage, ended.trip.status) == (False, Stage.UPLOAD, 200)


def test_a_model_that_refuses_fails_there(world: Watched) -> None:
    ended = one(world, lambda *_: (500, b"no such animal"))
    assert ended.trip is not None
    assert (ended.completed, ended.trip.stage, ended.trip.status) == (False, Stage.MODEL, 500)


def test_a_request_that_is_tried_again_ends_once(world: Watched) -> None:
    tries = iter([None, None, (200, b"at last")])
    ended = one(world, lambda *_: next(tries))
    assert ended.completed
    assert len(world.heard.ends) == 1


def test_a_request_that_expires_was_never_on_its_way(world: Watched) -> None:
    async def scenario() -> None:
        async with running(world.backlog):
            world.backlog.add(an_async_request(), b"")
            while not world.clock.sleepers:
                await asyncio.sleep(0.005)
            world.clock.set(an_async_request().expires_at)
            await world.ended("r-1")

    asyncio.run(scenario())
    (ended,) = world.heard.ends
    assert (ended.expired, ended.completed, ended.trip) == (True, False, None)
    assert ended.took >= timedelta(0)


def test_how_long_it_waited_is_told(world: Watched) -> None:
    async def scenario() -> None:
        async with a_worker(world) as worker, running(world.backlog):
            world.backlog.add(an_async_request(), b"hello")
            world.clock.advance(seconds(30))
            world.has(worker)
            world.backlog.nudge()
            await world.ended("r-1")

    asyncio.run(scenario())
    (ended,) = world.heard.ends
    assert ended.trip is not None
    assert ended.trip.waited == ended.took >= seconds(30)


def test_a_topic_that_cannot_be_told_is_heard_of(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object) -> None:
        raise Unavailable("nobody listens")

    monkeypatch.setattr(MemoryTopics, "publish", deaf)
    one(world, success_topic=SUCCESS)
    assert world.heard.untold_of == [("falcon", "blue")]


def test_how_much_waits_is_not_known_before_the_store_was_looked_into(world: Watched) -> None:
    assert world.backlog.size("falcon") is None

    async def scenario() -> None:
        async with running(world.backlog):
            await asyncio.sleep(0)
            world.backlog.add(an_async_request(), b"")
            while world.backlog.size("falcon") is None:
                await asyncio.sleep(0.005)
            assert world.backlog.size("falcon") == 1
            assert world.backlog.size("other") == 0

    asyncio.run(scenario())
