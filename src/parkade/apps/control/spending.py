"""Brings each second, with what existed and what was used in it, to the bookkeeper's thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.actions import NoticeKind
from parkade.domain.errors import ParkadeError, Unavailable
from parkade.domain.event import METER, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from parkade.domain.cost import Instance
    from parkade.ports.clock import Clock
    from parkade.ports.machines import Machines
    from parkade.services.bookkeeping import Bookkeeper
    from parkade.services.budgets import Budgets
    from parkade.services.telling import Teller

logger = logging.getLogger(__name__)

#: Of the lease clock, between two times that what is too old is forgotten.
_FORGET_EVERY = timedelta(days=1)
#: Events that tell what cannot be kept or read, and that it can be again.
TROUBLE, WELL = "spend.unreadable", "spend.readable"


@dataclass(frozen=True, slots=True)
class _Second:
    """What existed, and was used, in the `span` up to `now`."""

    now: datetime
    span: timedelta
    instances: Sequence[Instance]
    used: set[tuple[str, str]]


class Spending:
    """Hears of each second on the loop, and has it written down in a thread."""

    def __init__(
        self,
        bookkeeper: Bookkeeper,
        machines: Machines,
        budgets: Budgets,
        teller: Teller,
        clock: Clock,
        *,
        kept: Callable[[], timedelta],
    ) -> None:
        self._bookkeeper = bookkeeper
        self._machines = machines
        self._budgets = budgets
        self._teller = teller
        self._clock = clock
        self._kept = kept
        self._seconds: deque[_Second] = deque()
        #: Held while seconds are written down: a thread outlives the task that waits for it.
        self._writing = threading.Lock()
        #: What was in the way of a second, and no longer of the next one: it is told all the same.
        self._passed: deque[str] = deque()
        self._heard = asyncio.Event()
        self._forgot: datetime | None = None
        self._told: str | None = None

    def second(self, now: datetime, span: timedelta, used: set[tuple[str, str]]) -> None:
        """Take note of a second; while the host cannot tell what exists, the next one makes up."""
        try:
            instances = self._machines.present()
        except Unavailable as error:
            logger.info("nothing is metered yet: %s", error.message)
            return
        hosts = {(name, self._machines.host_of(name, part)) for name, part in used}
        self._seconds.append(_Second(now, span, instances, hosts))
        self._heard.set()

    async def run(self) -> None:
        """Write seconds down until cancelled."""
        while True:
            await self._heard.wait()
            self._heard.clear()
            await self._write()

    async def close(self) -> None:
        """Write down what there is up to now; the last word before the workers are ended."""
        self.second(self._clock.now(), timedelta(0), set())
        await self._write()

    async def _write(self) -> None:
        await asyncio.to_thread(self._keep)
        self._tell()

    def _keep(self) -> None:
        with self._writing:
            while self._seconds:
                each, before = self._seconds.popleft(), self._bookkeeper.trouble
                self._bookkeeper.meter(each.now, each.span, each.instances, each.used)
                if before and before != self._bookkeeper.trouble:
                    self._passed.append(before)
                if self._forgot is None or each.now - self._forgot >= _FORGET_EVERY:
                    self._forget(each.now)

    def _forget(self, now: datetime) -> None:
        try:
            self._bookkeeper.forget(now - self._kept())
        except ParkadeError as error:
            logger.warning("what was spent long ago is not forgotten: %s", error.message)
        else:
            self._forgot = now

    def _tell(self) -> None:
        """Tell once what cannot be kept or read, and once that it can be again."""
        while self._passed:
            if not self._tell_of(self._passed[0]):
                return
            self._passed.popleft()
        self._tell_of(self._bookkeeper.trouble)

    def _tell_of(self, trouble: str) -> bool:
        """Tell of this trouble of the bookkeeper, where it is news; return whether it is known."""
        trouble = "; ".join(filter(None, [trouble, self._budgets.trouble]))
        if trouble == self._told:
            return True
        text = (
            f"what is spent, or a budget, cannot be kept or read: {trouble}; who has a budget may "
            "get no new time, and nothing is stopped"
            if trouble
            else "what is spent is kept and read again"
        )
        kind = TROUBLE if trouble else WELL
        event = Event(at=self._clock.now(), kind=kind, actor=METER, reason=text)
        try:
            if trouble:
                self._teller.once(event, NoticeKind.UNREADABLE, until=(WELL,))
            elif self._told:
                self._teller.record(event)
        except ParkadeError as error:
            # The same disk may be full: it is told when that is over, or after the next second.
            logger.warning("what the meter tells is not in the history yet: %s", error.message)
            return False
        self._told = trouble
        return True
