"""The task that keeps the store of measurements tidy."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.apps.control.monitor.tidier import Tidier
from parkade.domain.errors import Unavailable
from tests.builders import NOW
from tests.house import PATIENCE
from tests.ports.test_metrics import sample


class Troubled:
    """Has three slices to do, and fails as long as it is told to."""

    def __init__(self):
        self.failing = "the disk is gone"
        self.slices = 0

    def tidy(self, now):
        if self.failing:
            raise Unavailable(self.failing)
        self.slices += 1
        return self.slices % 3 != 0


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


def test_all_that_is_due_is_done(tmp_path):
    path = tmp_path / "metrics.db"
    store = SqliteMetricStore(path)
    store.add([sample(at=NOW + timedelta(minutes=each)) for each in range(120)])
    asyncio.run(Tidier(store, ManualClock(NOW + timedelta(days=2)), scale=1.0).once())
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM points").fetchone() == (0,)
        # Its day, and its week's hours.
        assert connection.execute("SELECT level FROM packs ORDER BY 1").fetchall() == [(2,), (3,)]


def test_trouble_is_logged_once_and_ends(told):
    store = Troubled()
    tidier = Tidier(store, ManualClock(NOW), scale=1.0)
    for _ in range(3):
        asyncio.run(tidier.once())
    assert told() == ["measurements are not packed: the disk is gone"]
    store.failing = ""
    asyncio.run(tidier.once())
    assert store.slices == 3
    store.failing = "the disk is gone"
    asyncio.run(tidier.once())
    assert len(told()) == 2


def test_it_goes_on_until_cancelled():
    store = Troubled()
    store.failing = ""

    async def run():
        task = asyncio.create_task(Tidier(store, ManualClock(NOW), scale=1e9).run())
        async with asyncio.timeout(PATIENCE):
            while store.slices < 6:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert store.slices >= 6
