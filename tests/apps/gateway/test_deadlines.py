"""One timer for thousands of things."""

from __future__ import annotations

import asyncio
import time

from parkade.apps.gateway.deadlines import Deadlines


def test_each_thing_runs_out_after_its_whole_time_and_dropped_ones_never() -> None:
    async def story() -> dict[int, float]:
        loop = asyncio.get_running_loop()
        over: dict[int, float] = {}
        deadlines = Deadlines[int](loop, 0.2, lambda thing: over.update({thing: time.monotonic()}))
        begun = {}
        for thing in range(6):
            begun[thing] = time.monotonic()
            deadlines.start(thing)
            await asyncio.sleep(0.03)
        deadlines.drop(1)
        deadlines.drop(0)
        deadlines.drop(77)
        # Dropped and started again: its time is whole again.
        deadlines.drop(2)
        begun[2] = time.monotonic()
        deadlines.start(2)
        while len(over) < 4:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return {thing: at - begun[thing] for thing, at in over.items()}

    took = asyncio.run(story())
    assert list(took) == [3, 4, 5, 2]
    assert all(seconds >= 0.19 for seconds in took.values())


def test_a_thing_may_be_started_again_when_it_has_run_out() -> None:
    async def story() -> int:
        loop = asyncio.get_running_loop()
        rings = 0

        def again(thing: str) -> None:
            nonlocal rings
            rings += 1
            deadlines.start(thing)

        deadlines = Deadlines(loop, 0.02, again)
        deadlines.start("thing")
        while rings < 3:
            await asyncio.sleep(0.01)
        deadlines.drop("thing")
        return rings

    assert asyncio.run(story()) >= 3
