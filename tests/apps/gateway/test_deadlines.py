"""One timer for thousands of things, on a loop whose time is moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from parkade.apps.gateway.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator


class MovedLoop(asyncio.SelectorEventLoop):
    """Its time goes on only when it is moved."""

    moved = 1000.0

    def time(self) -> float:
        return self.moved

    def move(self, seconds: float) -> None:
        """Let time pass in steps of a millisecond, and what is due happen."""
        for _ in range(round(seconds * 1000)):
            self.moved += 0.001
            self.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def loop() -> Iterator[MovedLoop]:
    loop = MovedLoop()
    yield loop
    loop.close()


def test_each_thing_runs_out_after_its_whole_time_and_dropped_ones_never(loop: MovedLoop) -> None:
    over: dict[int, float] = {}
    deadlines = Deadlines[int](loop, 0.2, lambda thing: over.update({thing: loop.time()}))
    begun = {}
    for thing in range(6):
        begun[thing] = loop.time()
        deadlines.start(thing)
        loop.move(0.03)
    deadlines.drop(1)
    deadlines.drop(0)
    deadlines.drop(77)
    # Dropped and started again: its time is whole again.
    deadlines.drop(2)
    begun[2] = loop.time()
    deadlines.start(2)
    loop.move(0.5)
    assert list(over) == [3, 4, 5, 2]
    assert {thing: at - begun[thing] for thing, at in over.items()} == pytest.approx(
        dict.fromkeys(over, 0.2), abs=0.0021
    )


def test_a_thing_may_be_started_again_when_it_has_run_out(loop: MovedLoop) -> None:
    rings = []

    def again(thing: str) -> None:
        rings.append(loop.time())
        deadlines.start(thing)

    deadlines = Deadlines(loop, 0.02, again)
    deadlines.start("thing")
    loop.move(0.07)
    deadlines.drop("thing")
    loop.move(0.07)
    assert len(rings) == 3
