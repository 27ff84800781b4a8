"""The monitor of a control process: beats once a second of the lease clock."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from parkade.apps.control.monitor import memory, recall, targetmodels
from parkade.apps.control.monitor.accounts import Accounts
from parkade.apps.control.monitor.asynchronous import AsyncMeasures
from parkade.apps.control.monitor.collector import Collector
from parkade.apps.control.monitor.concurrency import Concurrency
from parkade.apps.control.monitor.flusher import Flusher
from parkade.apps.control.monitor.knowledge import Instant, Knowledge
from parkade.apps.control.monitor.machine import Machine
from parkade.apps.control.monitor.subjects import Subjects
from parkade.apps.control.monitor.usage import KnownUsage
from parkade.domain.errors import ParkadeError, Unavailable
from parkade.domain.series import Aggregate, Unit
from parkade.ports.metrics import FINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from parkade.apps.control.monitor.collector import Report
    from parkade.apps.control.monitor.subjects import Subject
    from parkade.ports.catalog import RecordedInstance
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
    from parkade.runtime.backlog import Backlog
    from parkade.runtime.host import Host
    from parkade.runtime.placement import Placement
    from parkade.services.telling import Teller

logger = logging.getLogger(__name__)

#: Seconds of real time until what could not be read is asked for anew.
READ_AGAIN = 10.0


class OnSecond(Protocol):
    """Hears what was used in each second of the lease clock; must return at once."""

    def __call__(self, now: datetime, span: timedelta, used: set[tuple[str, str]]) -> None:
        """Know that `span` has passed, and which (endpoint, variant) were used within."""
        ...


class Notebook(Protocol):
    """Texts by key that survive."""

    def get(self, key: str) -> str | None:
        """Return the text, or None where nothing was put."""
        ...

    def put(self, key: str, value: str) -> None:
        """Store the text over the one of this key."""
        ...


_KEY = "monitor"


class Monitor:
    """Collects what is told, stores it, and knows how endpoints are used: `usage` is the port."""

    def __init__(
        self,
        *,
        store: MetricStore,
        notebook: Notebook,
        history: History,
        teller: Teller,
        clock: Clock,
        monotonic: Callable[[], float],
        host: Host,
        scale: float,
        period: float,
        folder: Path,
        backlog: Backlog,
        placement: Placement,
    ) -> None:
        """Take what it works with.

        `scale`: seconds of the lease clock in one of real time; `period`: seconds of real time
        between two reports; `folder` is on the disk that instances use.
        """
        self.accounts = Accounts()
        self.collector: Collector | None = None
        self.usage = KnownUsage(
            lambda: self.collector,
            self._instant,
            trouble=lambda: self.trouble,
            backlog=backlog.size,
        )
        self._store = store
        self._notebook = notebook
        self._clock = clock
        self._monotonic = monotonic
        self._subjects = Subjects(host)
        self._placement = placement
        #: Observes the backlog.
        self.asynchronous = AsyncMeasures(
            self.accounts, self._subjects, clock, view=backlog.view, used=self._touch
        )
        self._machine = Machine(self.accounts, host, self._subjects, folder)
        self._concurrency = Concurrency(self.accounts)
        self._scale = scale
        self._period = period
        self._flusher = Flusher(
            self.accounts, store, history, teller, clock, lost=self._samples_lost
        )
        self._listeners: list[OnSecond] = []
        self._on_stored: list[Callable[[datetime], None]] = []
        #: All that was measured before this instant is stored.
        self._whole_until: datetime | None = None
        #: Of what is being gauged and not accounted for yet: when that was.
        self._gauging: datetime | None = None
        #: The newest point that was stored before this process began.
        self._stored: datetime | None = None
        self._begun: datetime | None = None
        self._beaten: datetime | None = None
        self._saved = ""

    @property
    def trouble(self) -> str:
        """Why what is measured cannot be stored; empty: it can."""
        return self._flusher.trouble

    def on_second(self, listener: OnSecond) -> None:
        """Have it called with each second's use."""
        self._listeners.append(listener)

    def on_stored(self, listener: Callable[[datetime], None]) -> None:
        """Have it called with each instant before which all that was measured is stored."""
        self._on_stored.append(listener)

    @property
    def stored_until(self) -> datetime | None:
        """The instant before which all that was measured is stored; None: it is not known."""
        return self._whole_until

    @property
    def whole(self) -> tuple[datetime, datetime] | None:
        """Since when nothing was missed, and until when all of it is stored; None: not known."""
        if self.collector is None or self._whole_until is None:
            return None
        return self.collector.knowledge.known_since, self._whole_until

    async def begin(self) -> None:
        """Take up what the process before knew; to be called before gateways can connect."""
        remembered = None
        try:
            self._stored = await asyncio.to_thread(recall.newest, self._store)
            text = await asyncio.to_thread(self._notebook.get, _KEY)
        except ParkadeError as error:
            logger.warning("the monitor begins anew: %s", error.message)
        else:
            self._saved = text or ""
            remembered = memory.read(text)
        at = self._instant()
        self._begun = at.now
        knowledge = Knowledge.begin(
            at, remembered, scale=self._scale, period=self._period, stored=self._stored
        )
        self.collector = Collector(self.accounts, knowledge, self._subjects)

    def serving(self) -> None:
        """Know that gateways are told what they serve by, and report, from now on."""
        if self.collector is not None:
            self.collector.knowledge.serving(self._instant())

    def report(self, report: Report) -> None:
        """Take a gateway's message."""
        if self.collector is not None:
            self.collector.report(report, self._instant())

    def joined(self, peer: str, gateway: str) -> None:
        """Know which gateway is at the other end of a connection."""
        if self.collector is not None:
            self.collector.joined(peer, gateway, self._instant())

    def gone(self, peer: str) -> None:
        """Know that a gateway's connection has ended."""
        if self.collector is not None:
            self.collector.gone(peer, self._instant())

    def arrived(self, record: RecordedInstance, seconds: float) -> None:
        """Know that a worker was started, and the seconds that it took."""
        name = record.component_name or record.variant_name
        for each in self._subjects.of(record.endpoint_name):
            if each.name == name and each.serverless:
                setup = Aggregate.of(seconds * 1e6)
                series = each.series("ModelSetupTime")
                self.accounts.add(series, self._clock.now(), setup, unit=Unit.MICROSECONDS)

    def changed(self) -> None:
        """Know that endpoints may have come, gone or changed."""
        self._subjects.changed()

    async def run(self) -> None:
        """Beat until cancelled."""
        await asyncio.gather(self._beat_always(), self._read_all(), self._gauge_always())

    async def close(self) -> None:
        """Store what there is; the last word of an orderly end."""
        await self._flusher.flush()
        await self._save()

    async def _beat_always(self) -> None:
        while True:
            if self.collector is not None:
                whole = None
                try:
                    whole = self._beat(self.collector)
                except Unavailable as error:
                    logger.info("nothing is measured yet: %s", error.message)
                await self._flusher.flush()
                if whole is not None and not self.trouble:
                    self._tell_stored(whole)
                await self._save()
            await asyncio.sleep(self._period)

    def _beat(self, collector: Collector) -> datetime | None:
        """Return up to when all is measured; None: a gateway has yet to tell what it has counted."""
        at = self._instant()
        collector.settle(at)
        collector.write_zeros(at)
        subjects = [each for some in self._subjects.all().values() for each in some]
        self._concurrency.sample(collector, subjects, at.now)
        targetmodels.measure(self.accounts, self._placement, at.now)
        self._tell_second(collector, at.now)
        if collector.knowledge.missing(at):
            return None
        return at.now if self._gauging is None else min(at.now, self._gauging)

    async def _gauge_always(self) -> None:
        """Look at what is, rather than at what happens, every ten seconds of the lease clock."""
        pause = max(self._period, FINE / self._scale)
        while True:
            self._gauging = now = self._clock.now()
            try:
                self.asynchronous.sample()
                targetmodels.count_loaded(self.accounts, self._placement, now)
                await self._machine.sample(now)
            except Unavailable as error:
                logger.info("nothing is measured yet: %s", error.message)
            finally:
                self._gauging = None
            await asyncio.sleep(pause)

    def _tell_stored(self, until: datetime) -> None:
        self._whole_until = until
        for listener in self._on_stored:
            listener(until)

    def _tell_second(self, collector: Collector, now: datetime) -> None:
        used = collector.take_used()
        span = timedelta(0) if self._beaten is None else max(timedelta(0), now - self._beaten)
        self._beaten = now
        for listener in self._listeners:
            listener(now, span, used)

    async def _read_all(self) -> None:
        """Read what was stored before this process began, until that has worked."""
        whole = False
        while not whole:
            if self.collector is not None and self._begun is not None:
                self.collector.settle(self._instant())
                whole = await recall.recall(self.collector, self._store, self._stored, self._begun)
            await asyncio.sleep(0 if whole else READ_AGAIN)

    async def _save(self) -> None:
        if self.collector is None:
            return
        text = memory.written(self.collector.knowledge.remembered)
        if text == self._saved:
            return
        try:
            await asyncio.to_thread(self._notebook.put, _KEY, text)
        except ParkadeError as error:
            logger.warning("what the monitor knows cannot be stored: %s", error.message)
        else:
            self._saved = text

    def _touch(self, subject: Subject) -> None:
        if self.collector is not None:
            self.collector.touch(subject, self._clock.now())

    def _samples_lost(self) -> None:
        if self.collector is not None:
            self.collector.knowledge.lose(self._instant())

    def _instant(self) -> Instant:
        return Instant(self._clock.now(), self._monotonic())
