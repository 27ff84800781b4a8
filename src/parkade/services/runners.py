"""Carries stored records out, each by a task that can end with its process at any moment.

What is to be done, and how far it has come, is stored; a task only asks for the next thing to do.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from parkade.domain.deploy.retries import RETRIES
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from parkade.domain.errors import NotFound
    from parkade.ports.clock import Clock

logger = logging.getLogger(__name__)


class Carrier(Protocol):
    """Has records carried out, wherever that is done."""

    def require_able(self) -> None:
        """Raise Conflict where nothing can be carried out: ask before a record is stored."""
        ...

    def carry_out(self, record_id: str) -> None:
        """Have a record carried out from where it stands; where it is already, it is looked at again."""
        ...

    def nudge(self) -> None:
        """Have all that are under way looked at again: something has changed."""
        ...


class Runners:
    """One task for each record that is under way. For one event loop."""

    def __init__(
        self,
        advance: Callable[[str], datetime | None],
        *,
        noun: str,
        gone: type[NotFound],
        clock: Clock,
        spawn: Callable[[Coroutine[object, object, object]], None],
        changed: Callable[[], None],
    ) -> None:
        """Take what does one thing for a record, by its id, and returns when to come again.

        That is at once where it may go on, and None where it is over; `gone` is what it raises of
        one that is not there any more. `spawn` runs a task, `changed` is called after everything
        that was done.
        """
        self._advance = advance
        self._noun = noun
        self._gone = gone
        self._clock = clock
        self._spawn = spawn
        self._changed = changed
        #: What wakes the tasks, by the record's id.
        self._tasks: dict[str, asyncio.Event] = {}

    def require_able(self) -> None:
        """Do nothing: tasks of this process can always be begun."""

    def carry_out(self, record_id: str) -> None:
        """Have a task carry it out, or the one that does look again."""
        if record_id in self._tasks:
            self._tasks[record_id].set()
            return
        self._tasks[record_id] = asyncio.Event()
        self._spawn(self._run(record_id, self._tasks[record_id]))

    def nudge(self) -> None:
        """Have all of them look again: something has changed."""
        for changed in self._tasks.values():
            changed.set()

    async def _run(self, record_id: str, changed: asyncio.Event) -> None:
        try:
            while True:
                changed.clear()
                now = self._clock.now()
                try:
                    until = self._advance(record_id)
                except self._gone:
                    return  # it could not be read, and was forgotten
                except ParkadeError as error:
                    # The store itself: nothing is known, nothing is done, and it is tried again.
                    logger.warning("%s %s waits: %s", self._noun, record_id, error.message)
                    until = now + RETRIES.longest
                if until is None:
                    self._changed()
                    return
                if until > now:
                    await self._pause(until, changed)
                else:
                    self._changed()
                    await asyncio.sleep(0)
        finally:
            del self._tasks[record_id]

    async def _pause(self, until: datetime, changed: asyncio.Event) -> None:
        due = asyncio.ensure_future(self._clock.sleep_until(until))
        woken = asyncio.ensure_future(changed.wait())
        try:
            await asyncio.wait({due, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            due.cancel()
            woken.cancel()
