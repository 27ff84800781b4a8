"""Samples on their way to a store that may fail."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.notices import MemoryNotices
from parkade.apps.control.monitor.accounts import Accounts
from parkade.apps.control.monitor.flusher import Flusher
from parkade.domain.errors import ResourceLimitExceeded
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.events import EventQuery
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.ports.metrics import Sample

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERIES = Series.of(SAGEMAKER, "Invocations", EndpointName="e", VariantName="v")


class MoodyStore(MemoryMetricStore):
    """Takes nothing while it is full."""

    full = False

    def add(self, samples: Iterable[Sample]) -> None:
        if self.full:
            raise ResourceLimitExceeded("the disk is full", hint="make room")
        super().add(samples)


class Bench:
    """A flusher with all that it works with."""

    def __init__(self, most: int = 1000) -> None:
        self.store, self.history = MoodyStore(), MemoryHistory()
        self.accounts, self.lost = Accounts(most), 0
        self.notices = MemoryNotices()
        self.restart()

    def restart(self) -> None:
        self.flusher = Flusher(
            self.accounts,
            self.store,
            self.history,
            Teller(self.history, self.notices),
            ManualClock(START),
            lost=self._lose,
        )

    def _lose(self) -> None:
        self.lost += 1

    def count(self, number: int, minute: int = 0) -> None:
        at = START + timedelta(minutes=minute, seconds=7)
        self.accounts.add(SERIES, at, Aggregate.of(1.0, number), unit="Count")

    def flush(self) -> None:
        asyncio.run(self.flusher.flush())

    @property
    def stored(self) -> list[float]:
        found = self.store.points([SERIES], START, START + timedelta(days=1), 60)
        return [each.value.total for each in found[SERIES]]

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.history.latest(EventQuery(limit=100))]


def test_what_cannot_be_stored_is_kept_and_told_once() -> None:
    bench = Bench()
    bench.count(1)
    bench.flush()
    bench.store.full = True
    for minute in range(3):
        bench.count(2, minute)
        bench.flush()
    assert bench.stored == [1]
    assert "the disk is full" in bench.flusher.trouble
    assert bench.kinds == ["monitor.unavailable"]
    assert len(bench.notices.told) == 1
    bench.store.full = False
    bench.count(3, 2)
    bench.flush()
    assert bench.stored == [3, 2, 5]
    assert not bench.flusher.trouble
    bench.flush()
    assert bench.kinds == ["monitor.unavailable", "monitor.available"]
    assert not bench.lost


def test_a_restart_tells_nothing_again_and_the_end_of_trouble_once() -> None:
    bench = Bench()
    bench.store.full = True
    bench.count(1)
    bench.flush()
    bench.restart()
    bench.flush()
    assert bench.kinds == ["monitor.unavailable"]
    bench.store.full = False
    bench.restart()
    bench.flush()
    assert bench.kinds == ["monitor.unavailable", "monitor.available"]
    bench.restart()
    bench.count(1)
    bench.flush()
    assert len(bench.kinds) == 2


def test_memory_is_bounded_and_what_goes_is_the_oldest() -> None:
    bench = Bench(most=3)
    bench.store.full = True
    for minute in range(5):
        bench.count(1 + minute, minute)
    bench.flush()
    assert bench.lost == 1
    bench.store.full = False
    bench.flush()
    assert bench.stored == [3, 4, 5]


def test_a_fault_of_ours_loses_nothing_either() -> None:
    bench = Bench()
    bench.count(4)

    def fault(_: object) -> None:
        raise RuntimeError("a bug")

    bench.store.add = fault  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a bug"):
        bench.flush()
    del bench.store.add
    bench.flush()
    assert bench.stored == [4]
