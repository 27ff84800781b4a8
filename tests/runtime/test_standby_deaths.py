"""Standby processes that end at an unhandy moment: the next ones wait all the same."""

import asyncio
import os
import signal

from parkade.runtime import standby as standby_module
from parkade.runtime.standby import Standby, Unusable
from tests.runtime.premises import alive, in_service, running, until
from tests.runtime.test_standbys import PLAIN, one_waits


def kill(pid):
    """End the process; return once it has, whether that was noticed or not."""
    os.kill(pid, signal.SIGKILL)
    while alive(pid):
        pass


async def noticed(standby):
    """Return once its host has noticed its end."""
    await standby.worker.exited
    await asyncio.sleep(0)


def test_one_that_is_killed_once_it_has_imported_is_no_sign_that_its_kind_is_of_no_use(
    shop, monkeypatch, caplog
):
    killed = []
    shows = standby_module._shows

    def too_late(pid, recipe):
        if not killed:
            killed.append(pid)
            kill(pid)
        return shows(pid, recipe)

    monkeypatch.setattr(standby_module, "_shows", too_late)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            # The dead one is kept until its end is noticed.
            await until(lambda: killed and set(host.standbys()) - set(killed))

    asyncio.run(story())
    assert "was killed by signal 9" in caplog.text


def test_one_that_ends_while_it_is_given_up_is_not_given_up_twice(shop, monkeypatch):
    ended = []
    warm_up = Standby.warm_up

    async def ends(self, *, limit):
        if not ended:
            ended.append(self.worker.pid)
            kill(self.worker.pid)
            await noticed(self)
            raise Unusable("its imports took too long")
        await warm_up(self, limit=limit)

    monkeypatch.setattr(Standby, "warm_up", ends)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            await until(lambda: ended and set(host.standbys()) - set(ended))

    asyncio.run(story())


def test_one_that_ends_while_another_is_ended_is_not_ended_twice(shop, monkeypatch):
    end = Standby.end
    others = []

    async def with_another(self):
        for other in [each for each in others if each is not self]:
            others.clear()
            kill(other.worker.pid)
            await noticed(other)
        await end(self)

    async def story():
        async with running(shop) as host:
            shop.allow(host, 2)
            for level in ("low", "high"):
                shop.serve(host, PLAIN, name=level, LEVEL=level)
                await in_service(host, level)
            await until(lambda: len(host.standbys()) == 2)
            others.extend(host._premises.standbys._kept)
            monkeypatch.setattr(Standby, "end", with_another)
            shop.allow(host, 0)
            await until(lambda: not shop.waiting())
            assert not others
            shop.allow(host, 1)
            await one_waits(host)

    asyncio.run(story())
