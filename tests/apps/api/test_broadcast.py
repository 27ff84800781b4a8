"""Waiting for changes."""

import asyncio

from parkade.apps.api.broadcast import Broadcast


def test_a_change_between_look_and_wait_is_not_missed():
    async def scenario():
        broadcast = Broadcast()
        seen = broadcast.number
        broadcast.notify()
        assert await broadcast.wait(seen, 60) == 1

    asyncio.run(scenario())


def test_every_waiter_is_woken_by_one_change():
    async def scenario():
        broadcast = Broadcast()
        waiters = [asyncio.create_task(broadcast.wait(0, 60)) for _ in range(10)]
        await asyncio.sleep(0)
        broadcast.notify()
        assert await asyncio.gather(*waiters) == [1] * 10

    asyncio.run(scenario())


def test_waiting_ends_without_a_change_as_well():
    async def scenario():
        assert await Broadcast().wait(0, 0.01) == 0

    asyncio.run(scenario())
