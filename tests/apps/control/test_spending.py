"""Seconds on their way to the bookkeeper."""

import asyncio
import threading
from datetime import timedelta

from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.notices import MemoryNotices
from parkade.apps.control.spending import Spending
from parkade.domain.errors import ResourceLimitExceeded, Unavailable
from parkade.ports.events import EventQuery
from parkade.ports.spend import SpendQuery
from parkade.services.telling import Teller
from tests.builders import NOW, seconds
from tests.money import an_instance
from tests.services.test_bookkeeping import World

DAY = timedelta(days=1)
SECOND = seconds(1)


class Desk(World):
    def __init__(self):
        super().__init__()
        self.notices = MemoryNotices()
        self.spending = Spending(
            self.keeper,
            self.money.machines,
            self.money.budgets,
            Teller(self.history, self.notices),
            self.clock,
            kept=lambda: 10 * DAY,
        )
        self.machines = self.money.machines

    def pass_second(self, *used, span=SECOND):
        self.clock.advance(span)
        self.spending.second(self.clock.now(), span, set(used))

    def write(self):
        asyncio.run(self.spending._write())

    def told(self):
        events = self.history.read(EventQuery(kinds=("spend.",)))
        return [each.kind for each in events]


def spans(desk):
    return [(each.used, each.idle) for each in desk.tallies()]


def test_seconds_are_written_down_in_their_order():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    for used in ([("falcon", "blue")], [], []):
        desk.pass_second(*used)
    desk.write()
    assert spans(desk) == [(seconds(1), seconds(2))]


def test_use_of_a_component_is_use_of_the_variant_it_runs_on():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    desk.machines.hosts["falcon", "parrot"] = "blue"
    desk.pass_second(("falcon", "parrot"))
    desk.write()
    assert spans(desk) == [(seconds(1), seconds(0))]


def test_while_the_host_cannot_tell_nothing_is_lost():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    desk.pass_second()
    present, desk.machines.present = desk.machines.present, refuse
    desk.pass_second()
    desk.machines.present = present
    desk.pass_second()
    desk.write()
    assert spans(desk) == [(seconds(0), seconds(3))]


def refuse():
    raise Unavailable("the host has not started")


def test_what_cannot_be_stored_is_told_once_and_once_that_it_can_be_again():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    for broken in (None, ResourceLimitExceeded("the disk is full"), None):
        desk.money.spend.broken = broken
        for _ in range(3):
            desk.pass_second()
            desk.write()
    assert desk.told() == ["spend.unreadable", "spend.readable"]
    (notice,) = desk.notices.told
    assert "cannot be kept or read: the disk is full; who has a budget may get" in notice.text
    assert spans(desk) == [(seconds(0), seconds(9))]


def test_what_was_in_the_way_of_one_second_alone_is_told_though_further_ones_were_waiting():
    """A file that was taken away is told to its writer once; a busy machine writes several at a time."""
    desk = Desk()
    desk.machines.instances = [an_instance()]
    desk.pass_second()
    desk.write()
    add, troubles = desk.money.spend.add, [Unavailable("it was taken away")]

    def once(*given, **more):
        if troubles:
            raise troubles.pop()
        return add(*given, **more)

    desk.money.spend.add = once
    for _ in range(3):
        desk.pass_second()
    desk.write()
    assert desk.told() == ["spend.unreadable", "spend.readable"]
    assert "it was taken away" in desk.notices.told[0].text
    assert spans(desk) == [(seconds(0), seconds(4))]


class FullHistory(MemoryHistory):
    """Takes nothing while its disk is full."""

    full = False

    def append(self, event):
        if self.full:
            raise ResourceLimitExceeded("the disk is full")
        return super().append(event)


def test_a_full_disk_that_keeps_it_from_being_told_ends_nothing_and_it_is_told_later():
    desk = Desk()
    history = FullHistory()
    desk.spending._teller = Teller(history, desk.notices)
    desk.machines.instances = [an_instance()]
    desk.money.spend.broken = ResourceLimitExceeded("the disk is full")
    history.full = True
    for _ in range(2):
        desk.pass_second()
        desk.write()
    history.full = False
    for _ in range(2):
        desk.pass_second()
        desk.write()
    [event] = history.read(EventQuery())
    assert event.kind == "spend.unreadable"


def test_what_is_too_old_is_forgotten_once_a_day():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    desk.pass_second()
    desk.write()
    desk.machines.instances = []
    for _ in range(12):
        desk.pass_second(span=DAY)
        desk.write()
    query = SpendQuery(start=NOW - DAY, end=NOW + DAY)
    assert list(desk.money.spend.tallies(query)) == []


def test_the_last_word_is_written_before_the_workers_are_ended():
    desk = Desk()
    desk.machines.instances = [an_instance()]
    desk.pass_second()
    desk.clock.advance(seconds(5))
    asyncio.run(desk.spending.close())
    assert spans(desk) == [(seconds(0), seconds(6))]


def test_the_last_word_waits_for_the_second_that_is_just_written_down():
    """The task is cancelled at the end; its thread goes on, and two must not keep one book."""
    desk = Desk()
    desk.machines.instances = [an_instance()]
    begun, go_on, under_way = threading.Event(), threading.Event(), []
    meter = desk.keeper.meter

    def slowly(*given):
        under_way.append(len(under_way))
        begun.set()
        assert go_on.wait(60)
        meter(*given)
        under_way.pop()

    def one_at_a_time(*given):
        assert not under_way
        meter(*given)

    desk.keeper.meter = slowly

    async def run():
        task = asyncio.create_task(desk.spending.run())
        desk.pass_second()
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        await asyncio.wait([task])
        desk.keeper.meter = one_at_a_time
        desk.clock.advance(seconds(5))
        last = asyncio.create_task(desk.spending.close())
        done, _ = await asyncio.wait([last], timeout=0.1)
        go_on.set()
        await last
        return done

    assert not asyncio.run(run())
    assert spans(desk) == [(seconds(0), seconds(6))]


def test_it_goes_on_for_as_long_as_seconds_come():
    desk = Desk()
    desk.machines.instances = [an_instance()]

    async def run():
        task = asyncio.create_task(desk.spending.run())
        for number in range(1, 4):
            desk.pass_second()
            while desk.money.spend.until() != NOW + seconds(number):
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(run())
    assert spans(desk) == [(seconds(0), seconds(3))]
