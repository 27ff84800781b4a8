"""The contract of the clock."""

import asyncio
from datetime import UTC, timedelta
from types import SimpleNamespace

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.system.clock import Scale, ScaledClock, SystemClock
from tests.builders import NOW, seconds


@pytest.fixture(params=["manual", "system", "scaled"])
def time(request):
    """A clock, and `pass_by`, which lets a fifth of a second go by on it."""
    if request.param == "manual":
        clock = ManualClock(NOW)

        async def pass_by():
            while not clock.sleepers:
                await asyncio.sleep(0)
            clock.advance(seconds(0.2))

        return SimpleNamespace(clock=clock, pass_by=pass_by)
    real = SystemClock()
    clock = ScaledClock(real, Scale(real=real.now(), scaled=NOW, factor=7.5))

    async def nothing():
        """Real time goes by unasked."""

    return SimpleNamespace(clock=real if request.param == "system" else clock, pass_by=nothing)


def test_now_is_aware_utc(time):
    assert time.clock.now().tzinfo is UTC


def test_now_never_runs_back(time):
    seen = [time.clock.now() for _ in range(1000)]
    assert seen == sorted(seen)


def test_sleep_until_returns_at_once_where_the_instant_is_past(time):
    async def sleep():
        await time.clock.sleep_until(time.clock.now())
        await time.clock.sleep_until(time.clock.now() - timedelta(days=9000))

    asyncio.run(asyncio.wait_for(sleep(), 30))


def test_sleep_until_returns_once_now_is_the_instant_or_later(time):
    async def sleep():
        wanted = time.clock.now() + seconds(0.2)
        sleeper = asyncio.create_task(time.clock.sleep_until(wanted))
        await asyncio.sleep(0)
        # In this order: where real time goes by, it may be over before anybody looks.
        woken = sleeper.done()
        assert not woken or time.clock.now() >= wanted
        await time.pass_by()
        await sleeper
        assert time.clock.now() >= wanted

    asyncio.run(asyncio.wait_for(sleep(), 30))


def test_a_sleeper_can_be_cancelled(time):
    async def sleep():
        sleeper = asyncio.create_task(time.clock.sleep_until(time.clock.now() + seconds(9999)))
        await asyncio.sleep(0)
        sleeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeper

    asyncio.run(asyncio.wait_for(sleep(), 30))
