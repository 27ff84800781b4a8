"""The loop that scales: when it looks, and at what."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from parkade.apps.control.autoscaler import AutoscalerLoop
from parkade.domain.errors import Unavailable
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.ports.capacity import Readiness
from tests.builders import minutes, seconds
from tests.services.scalingworld import BUSY, COPIES, LATE, OTHER, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Watched:
    """The loop on a world in memory, and the ids of what each look was at; None: all."""

    def __init__(self) -> None:
        self.world = World()
        self.looks: list[Any] = []
        self._asked: Any = None
        self._think, self._act = self.world.autoscaler.think, self.world.autoscaler.act
        self.world.autoscaler.think = self._noted  # type: ignore[method-assign]
        self.world.autoscaler.act = self._acted  # type: ignore[method-assign]
        self.loop = AutoscalerLoop(self.world.autoscaler, self.world.clock)

    def _noted(self, readings: Any, only: Any = None, **more: Any) -> Any:
        self._asked = None if only is None else set(only)
        return self._think(readings, only, **more)

    def _acted(self, thoughts: Any) -> None:
        # Not in the thread that thinks: the loop does not know yet what was found there.
        self._act(thoughts)
        self.looks.append(self._asked)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loop; its first look is over."""
        task = asyncio.create_task(self.loop.run())
        try:
            await self.until(lambda: self.looks == [None])
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.005)

    async def looks_again(self, expected: list[Any]) -> None:
        await self.until(lambda: len(self.looks) >= len(expected))
        assert self.looks == expected


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_it_looks_once_the_points_of_a_minute_are_stored(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        world.track()
        world.pass_minutes(3, 1800.0)
        async with watched.running():
            now = world.clock.now()
            watched.loop.stored(now)
            await watched.looks_again([None, None])
            # In the same minute nothing new is known.
            watched.loop.stored(now + seconds(30))
            watched.loop.stored(now + minutes(1))
            await watched.looks_again([None, None, None])
            assert world.desired() == 3

    asyncio.run(story())


def test_it_looks_as_well_where_nothing_can_be_stored(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        async with watched.running():
            await watched.until(lambda: world.clock.sleepers)
            world.have(BUSY, 9)
            world.clock.advance(minutes(2))
            await watched.until(lambda: world.desired() == 4)

    asyncio.run(story())


def test_what_was_stopped_is_looked_at_when_it_is_back(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        async with watched.running():
            world.capacity.forget(BUSY)
            watched.loop.changed()
            await watched.looks_again([None, {BUSY.id}])
            world.have(BUSY, 9)
            watched.loop.changed()
            await watched.until(lambda: world.desired() == 4)

    asyncio.run(story())


def test_what_changes_while_the_first_look_is_under_way_is_looked_at(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        looked, go_on = threading.Event(), threading.Event()
        think = world.autoscaler.think

        def slowly(*given: Any, **more: Any) -> Any:
            looked.set()
            assert go_on.wait(60)
            return think(*given, **more)

        world.autoscaler.think = slowly  # type: ignore[method-assign]
        task = asyncio.create_task(watched.loop.run())
        await watched.until(looked.is_set)
        world.have(BUSY, 9)
        watched.loop.changed()
        go_on.set()
        await watched.until(lambda: world.desired() == 4)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_what_is_waited_for_is_looked_at_when_something_changes(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        world.register(OTHER)
        world.have(BUSY, 9, readiness=Readiness.CHANGING, why="endpoint 'falcon' is Updating")
        async with watched.running():
            world.have(BUSY, 9)
            watched.loop.changed()
            await watched.looks_again([None, {BUSY.id}])
            await watched.until(lambda: world.desired() == 4)
            # It is on its way, and followed; then nothing is waited for.
            watched.loop.changed()
            await watched.looks_again([None, {BUSY.id}, {BUSY.id}])
            watched.loop.changed()
            watched.loop.registered()
            await watched.looks_again([None, {BUSY.id}, {BUSY.id}, None])

    asyncio.run(story())


def test_an_alarm_has_its_resources_looked_at_from_any_thread(watched: Watched) -> None:
    async def story() -> None:
        watched.world.register()
        watched.world.register(OTHER)
        async with watched.running():
            await asyncio.to_thread(watched.loop.alarmed, {OTHER.id})
            await watched.looks_again([None, {OTHER.id}])

    asyncio.run(story())


def test_points_of_ten_seconds_are_looked_at_each_ten_seconds(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        world.register(OTHER)
        fine = Tracking(target=2.0, metric=Predefined.REQUESTS_PER_MODEL)
        world.track(BUSY, tracking=fine)
        async with watched.running():
            now = world.clock.now()
            watched.loop.stored(now)
            await watched.looks_again([None, None])
            watched.loop.stored(now + seconds(9))
            watched.loop.stored(now + seconds(10))
            await watched.looks_again([None, None, {BUSY.id}])

    asyncio.run(story())


@pytest.mark.semantics("scaling.component_zero")
def test_a_component_that_was_called_has_a_copy_at_once(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.have(COPIES, 0, floor=0)
        world.register(COPIES, 0, 2)
        async with watched.running():
            watched.loop.called(["parrot", "none"])
            assert world.desired(COPIES) == 1
            watched.loop.changed()
            await watched.looks_again([None, {COPIES.id}])
            assert world.activities() == [("Successful", "Setting desired copy count to 1.")]

    asyncio.run(story())


@pytest.mark.semantics("async.to_zero")
def test_an_asynchronous_endpoint_that_requests_wait_for_has_an_instance(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.have(LATE, 0, floor=0)
        world.register(LATE, 0, 2)
        async with watched.running():
            watched.loop.backlogged("late")
            watched.loop.backlogged("none")
            await watched.until(lambda: world.desired(LATE) == 1)
            (activity,) = world.scaling.activities(LATE)
            assert activity.cause == "requests wait while there is no instance"

    asyncio.run(story())


def test_what_cannot_be_seen_or_read_stops_no_later_look(watched: Watched) -> None:
    async def story() -> None:
        world = watched.world
        world.register()
        async with watched.running():
            seen = world.capacity.all
            hidden = [Unavailable("hosting has not started")]

            def now_and_then() -> Any:
                if hidden:
                    raise hidden.pop()
                return seen()

            world.capacity.all = now_and_then  # type: ignore[method-assign]
            watched.loop.registered()
            await watched.until(lambda: not hidden)
            world.have(BUSY, 9)
            watched.loop.registered()
            await watched.until(lambda: world.desired() == 4)

    asyncio.run(story())
