"""The contract of ticks."""

import asyncio

import pytest

from parkade.adapters.memory.ticks import MemoryTicks
from parkade.adapters.system.ticks import SystemTicks


@pytest.fixture(params=[MemoryTicks, SystemTicks])
def ticks(request):
    return request.param()


def test_they_go_on(ticks):
    seen = [ticks.now() for _ in range(100)]
    assert seen == sorted(seen)


def test_who_sleeps_wakes_when_it_is_time_and_not_before(ticks):
    async def sleep():
        begin = ticks.now()
        woken = []

        async def until(span):
            await ticks.sleep_until(begin + span)
            woken.append((span, ticks.now() - begin))

        async def begun():
            return ticks.now() - begin

        *_, late = await asyncio.gather(*(until(span) for span in (0.03, 0.01, 0.02)), begun())
        return woken, late

    while True:
        woken, late = asyncio.run(sleep())
        assert all(at >= span for span, at in woken)
        if late < 0.01:  # all of them slept before it was time for the first
            break
    assert [span for span, _ in woken] == [0.01, 0.02, 0.03]


def test_what_has_passed_is_not_waited_for_but_others_have_their_turn(ticks):
    async def sleep():
        order = []

        async def other():
            order.append("other")

        task = asyncio.create_task(other())
        await ticks.sleep_until(ticks.now() - 1)
        order.append("sleeper")
        await task
        return order

    assert asyncio.run(sleep()) == ["other", "sleeper"]


def test_one_that_is_called_off_holds_up_nobody(ticks):
    async def sleep():
        begin = ticks.now()
        off = asyncio.create_task(ticks.sleep_until(begin + 0.01))
        on = asyncio.create_task(ticks.sleep_until(begin + 0.02))
        await asyncio.sleep(0)
        off.cancel()
        await on
        assert off.cancelled()
        return ticks.now() - begin

    assert asyncio.run(sleep()) >= 0.02
