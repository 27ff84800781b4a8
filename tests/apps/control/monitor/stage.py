"""A monitor's inner parts on a stage: gateways that are told what to say, clocks that are moved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.apps import link
from parkade.apps.control.monitor import memory, recall
from parkade.apps.control.monitor.accounts import Accounts
from parkade.apps.control.monitor.collector import Collector, Report
from parkade.apps.control.monitor.knowledge import Instant, Knowledge
from parkade.apps.control.monitor.subjects import Subject
from parkade.apps.control.monitor.usage import KnownUsage

if TYPE_CHECKING:
    from parkade.domain.idle import Use
    from parkade.domain.series import Point

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def subject(endpoint: str = "e", name: str = "v", **fields: Any) -> Subject:
    given = {"endpoint_name": endpoint, "name": name, "variant_name": name, "instances": 1}
    return Subject(**{**given, **fields})


class FixedSubjects:
    """What hosting has, as the test says."""

    def __init__(self, *subjects: Subject) -> None:
        self.subjects = list(subjects)

    def of(self, endpoint_name: str) -> tuple[Subject, ...]:
        return self.all().get(endpoint_name, ())

    def all(self) -> dict[str, tuple[Subject, ...]]:
        found: dict[str, tuple[Subject, ...]] = {}
        for each in self.subjects:
            found[each.endpoint_name] = (*found.get(each.endpoint_name, ()), each)
        return found


@dataclass
class FakeGateway:
    """Counts by endpoint, variant; keeps counts until they are taken."""

    id: str
    stage: Stage
    counts: dict[tuple[str, str], link.Usage] = field(default_factory=dict)
    used: dict[tuple[str, str], float] = field(default_factory=dict)
    heard: float | None = None
    #: Whether the next report tells of everything.
    anew: bool = True

    def invoke(self, number: int = 1, endpoint: str = "e", name: str = "v", **more: Any) -> None:
        key = (endpoint, name)
        known = self.counts.get(key, link.Usage())
        self.counts[key] = replace(known, invocations=known.invocations + number, **more)
        self.used[key] = self.stage.tick

    def report(self, *, last: bool = False) -> None:
        usage: dict[str, dict[str, link.Usage]] = {}
        keys = set(self.counts) | (set(self.used) if self.anew else set())
        for key in keys:
            row = self.counts.get(key, link.Usage())
            age = self.stage.tick - self.used[key] if key in self.used else None
            usage.setdefault(key[0], {})[key[1]] = replace(row, age=age)
        silence = None if self.heard is None else self.stage.tick - self.heard
        self.stage.collector.report(
            Report(peer=self.id, gateway=self.id, usage=usage, silence=silence, last=last),
            self.stage.instant,
        )
        self.counts = {
            key: link.Usage(in_flight=row.in_flight)
            for key, row in self.counts.items()
            if row.in_flight
        }
        self.heard = self.stage.tick
        self.anew = False


class Stage:
    """A control process that can be killed, the store that survives it, and the clocks."""

    def __init__(self, *subjects: Subject, scale: float = 1.0) -> None:
        self.now, self.tick, self.scale = START, 1000.0, scale
        self.store = MemoryMetricStore()
        self.subjects = FixedSubjects(*(subjects or (subject(),)))
        self.remembered: str | None = None
        self.trouble = ""
        self.backlog: dict[str, int | None] = {}
        self.begin()

    def begin(self, seconds: float = 0) -> None:
        """Start a control process, after the one before, if any, has died.

        Its host takes so long to know what runs.
        """
        self.stored = recall.newest(self.store)
        self.accounts = Accounts()
        knowledge = Knowledge.begin(
            self.instant,
            memory.read(self.remembered),
            scale=self.scale,
            period=1.0,
            stored=self.stored,
        )
        self.begun = self.now
        self.collector = Collector(self.accounts, knowledge, self.subjects)
        self.usage = KnownUsage(
            lambda: self.collector,
            lambda: self.instant,
            trouble=lambda: self.trouble,
            backlog=lambda name: self.backlog.get(name, 0),
        )
        self.pass_(seconds)
        knowledge.serving(self.instant)
        self.collector.settle(self.instant)

    def read(self) -> None:
        """Take up what is stored."""
        asyncio.run(recall.recall(self.collector, self.store, self.stored, self.begun))

    @property
    def instant(self) -> Instant:
        return Instant(self.now, self.tick)

    def pass_(self, seconds: float) -> None:
        """Let real time pass, and the lease clock with it."""
        self.tick += seconds
        self.now += timedelta(seconds=seconds * self.scale)

    def jump(self, seconds: float) -> None:
        """Set the lease clock."""
        self.now += timedelta(seconds=seconds)

    def beat(self, *, flush: bool = True) -> None:
        self.collector.settle(self.instant)
        self.collector.write_zeros(self.instant)
        if flush:
            self.flush()

    def flush(self) -> None:
        self.store.add(self.accounts.take())
        self.remembered = memory.written(self.collector.knowledge.remembered)

    def use(self, endpoint: str = "e") -> Use:
        return self.usage.uses([endpoint], self.now)[endpoint]

    def run(self, seconds: float, *gateways: FakeGateway, step: float = 1.0) -> None:
        """Let time pass in order: gateways report, the monitor beats."""
        end = self.tick + seconds
        while self.tick < end:
            self.pass_(min(step, end - self.tick))
            for gateway in gateways:
                gateway.report()
            self.beat()

    def points(self, name: str = "Invocations", of: Subject | None = None) -> list[Point]:
        series = (of or self.subjects.subjects[0]).series(name)
        start = START - timedelta(days=1)
        return list(self.store.points([series], start, START + timedelta(days=2), 60)[series])
