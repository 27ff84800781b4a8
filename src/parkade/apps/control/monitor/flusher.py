"""Brings samples to the store, in a thread, and keeps them where it takes none."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from parkade.domain.actions import NoticeKind
from parkade.domain.errors import ParkadeError
from parkade.domain.event import MONITOR, Event
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
    from parkade.services.telling import Teller

logger = logging.getLogger(__name__)

UNAVAILABLE, AVAILABLE = "monitor.unavailable", "monitor.available"


class Flusher:
    """Empties the accounts into the store; tells once that it cannot, and once that it can."""

    def __init__(
        self,
        accounts: Accounts,
        store: MetricStore,
        history: History,
        teller: Teller,
        clock: Clock,
        *,
        lost: Callable[[], None],
    ) -> None:
        """Call `lost` where samples had to go that were never stored."""
        #: Why nothing can be stored; empty: it can.
        self.trouble = ""
        self._accounts = accounts
        self._store = store
        self._history = history
        self._teller = teller
        self._clock = clock
        self._lost = lost
        self._busy = asyncio.Lock()
        #: Samples that had to go since that was last told.
        self._dropped = 0
        #: Whether a process before this one may have told that nothing can be stored.
        self._heir = True

    async def flush(self) -> None:
        """Store what there is."""
        async with self._busy:
            try:
                stored = await asyncio.to_thread(self._flush)
            except ParkadeError as error:
                self._fail(error.message)
            else:
                if stored:
                    self._recover()
            finally:
                if self._dropped:
                    self._dropped = 0
                    self._lost()

    def _flush(self) -> bool:
        """Store what there is; tell whether there was anything."""
        samples = self._accounts.take()
        if not samples:
            return False
        try:
            self._store.add(samples)
        except BaseException:
            self._dropped += self._accounts.give_back(samples)
            raise
        return True

    def _fail(self, why: str) -> None:
        if self.trouble:
            return
        self.trouble = why
        reason = f"measurements cannot be stored and are kept in memory: {why}"
        logger.error("%s", reason)
        event = self._event(UNAVAILABLE, reason)
        self._try(lambda: self._teller.once(event, NoticeKind.UNKNOWN, until=(AVAILABLE,)))

    def _recover(self) -> None:
        if self.trouble or self._heir:
            told, self.trouble, self._heir = bool(self.trouble), "", False
            self._try(lambda: self._tell_recovery(told=told))

    def _tell_recovery(self, *, told: bool) -> None:
        query = EventQuery(kinds=(UNAVAILABLE, AVAILABLE), limit=1)
        if told or any(each.kind == UNAVAILABLE for each in self._history.latest(query)):
            self._teller.record(self._event(AVAILABLE, "measurements are stored again"))

    def _event(self, kind: str, reason: str) -> Event:
        return Event(at=self._clock.now(), kind=kind, actor=MONITOR, reason=reason)

    def _try(self, tell: Callable[[], object]) -> None:
        try:
            tell()
        except ParkadeError as error:
            # The same disk may be full; the log has it.
            logger.warning("what the monitor tells is not in the history: %s", error.message)
