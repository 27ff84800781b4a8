"""The sweep loop: in time, on every change, and never spinning."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.apps.control.sweeper import INTERVAL, SHORTEST_PAUSE, Sweeper
from parkade.domain.actions import Plan
from parkade.domain.errors import Unavailable
from parkade.services.sweep import SweepReport
from tests.builders import NOW
from tests.house import PATIENCE


@dataclass
class CountingSweep:
    """A sweep that is due at the instants given, and counts its runs."""

    clock: ManualClock
    due: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    acted: list = field(default_factory=list)
    done: tuple = ()
    blind: bool = False

    def run(self):
        now = self.clock.now()
        self.runs.append(now)
        if self.blind:
            raise Unavailable("hosting cannot be seen")
        ahead = [instant for instant in self.due if instant > now]
        return SweepReport(
            plan=Plan(now=now, actions=(), next_at=min(ahead, default=None)),
            done=self.done,
            failed=(),
        )


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


def swept(scenario, **sweep_fields):
    """Run `scenario(clock, sweep, sweeper)` beside a sweeper that runs."""

    async def run():
        clock = ManualClock(NOW)
        sweep = CountingSweep(clock, **sweep_fields)
        sweeper = Sweeper(
            sweep,
            clock,
            acted=lambda: sweep.acted.append(clock.now()),
            measured=lambda *_: None,
        )
        task = asyncio.create_task(sweeper.run())
        try:
            await until(lambda: len(sweep.runs) == 1)
            await scenario(clock, sweep, sweeper)
        finally:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_it_sweeps_when_the_next_lease_is_due():
    due = NOW + timedelta(seconds=7)

    async def scenario(clock, sweep, _):
        clock.set(due)
        await until(lambda: sweep.runs == [NOW, due])

    swept(scenario, due=[due])


def test_it_sweeps_once_a_minute_when_nothing_is_due():
    async def scenario(clock, sweep, _):
        clock.set(NOW + INTERVAL)
        await until(lambda: sweep.runs == [NOW, NOW + INTERVAL])

    swept(scenario, due=[NOW + timedelta(hours=1)])


def test_it_sweeps_on_a_change_and_several_changes_of_one_moment_are_one_sweep():
    async def scenario(_, sweep, sweeper):
        for _ in range(5):
            sweeper.nudge()
        await until(lambda: len(sweep.runs) == 2)
        await asyncio.sleep(0.05)
        assert len(sweep.runs) == 2

    swept(scenario)


def test_where_hosting_cannot_be_seen_it_looks_again_within_a_minute():
    async def scenario(clock, sweep, _):
        sweep.blind = False
        clock.set(NOW + INTERVAL)
        await until(lambda: len(sweep.runs) == 2)

    swept(scenario, blind=True)


def test_an_instant_that_stays_due_does_not_make_it_spin():
    class Stuck(CountingSweep):
        def run(self):
            super().run()
            now = self.clock.now()
            return SweepReport(plan=Plan(now=now, actions=(), next_at=now), done=(), failed=())

    async def run():
        clock = ManualClock(NOW)
        sweep = Stuck(clock)
        task = asyncio.create_task(
            Sweeper(sweep, clock, acted=lambda: None, measured=lambda *_: None).run()
        )
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(sweep.runs) > 10)
        task.cancel()
        return asyncio.get_running_loop().time() - begun

    assert asyncio.run(run()) > 9 * SHORTEST_PAUSE


def test_what_a_sweep_did_is_shown_and_what_it_saw_is_not():
    async def scenario(_, sweep, sweeper):
        assert sweep.acted == []
        sweep.done = ("something",)
        sweeper.nudge()
        await until(lambda: sweep.acted == [NOW])

    swept(scenario)
