"""The metric store with 1,000 endpoints: what is read, what is written, how much room it takes.

    python bench/metrics.py [--endpoints 1000] [--days 15] [--hours 90] [--busy 0.2] [--queries 200]

Makes a file as it is after so many days: minutes of days in packs, today's hours in packs, this hour in
rows, and hours for months. Packs are of 40 different endpoints, written again for the others: they
are packed one by one, so that this changes neither their size nor their cost. Then, on that file: a
dashboard query, a minute of all series written, all that a restarted monitor reads, the idle
decision of a sweep, and the packing of an hour. For what a store would take and do that has a row
for each point, some of the same series are stored like that, too. See bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fleet import DASHBOARD, DISTINCT, END, NOW, Fleet, history, measured, samples
from stopwatch import a_loop, timed, told

from parkade.adapters.sqlite import metricsrows
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.adapters.sqlite.metricsrows import DAY, HOUR, Level
from parkade.apps.control.monitor.accounts import Accounts
from parkade.apps.control.monitor.collector import Collector, Report
from parkade.apps.control.monitor.knowledge import Instant, Knowledge
from parkade.apps.control.monitor.recall import HORIZON, recall
from parkade.apps.control.monitor.subjects import Subject
from parkade.apps.control.monitor.usage import KnownUsage
from parkade.domain.circumstances import Circumstances
from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.idle import IdleRules
from parkade.domain.ladder import Watch
from parkade.domain.lease import Lease, LeaseRules
from parkade.domain.plan import plan
from parkade.domain.series import Aggregate
from parkade.domain.statistics import Statistic
from parkade.ports.metrics import MINUTE
from parkade.services.metrics import Metrics, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="the metric store, measured")
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--days", type=int, default=15, help="days of minutes")
    parser.add_argument("--hours", type=int, default=90, help="days of hours")
    parser.add_argument("--busy", type=float, default=0.2, help="share that is used all day")
    parser.add_argument("--queries", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pkb") as folder:
        path = Path(folder) / "metrics.db"
        fleet = Fleet(given.endpoints, given.busy)
        begun = time.perf_counter()
        with closing(SqliteMetricStore(path)) as store:
            fill(store, fleet, given.days, given.hours)
        print(f"filled in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        with closing(SqliteMetricStore(path)) as store:
            rows = [("a Python loop of a million", told([timed(a_loop) for _ in range(9)]))]
            rows += room(path, fleet)
            rows += queries(store, fleet, given.queries)
            rows += restart(store, fleet)
            rows += decision(fleet)
            rows += writing(store, fleet)
            rows += packing(store)
        rows += counterpart(Path(folder), given.days, given.queries)
    print("| what | value |\n| --- | --- |")
    for what, value in rows:
        print(f"| {what} | {value} |")


# -- filling -------------------------------------------------------------------------------


def fill(store: SqliteMetricStore, fleet: Fleet, days: int, hours: int) -> None:
    """Write a file as it would be now: today's packs by tidying, the former ones at once."""
    with store._file.writing() as connection:  # noqa: SLF001  faster than days of adding
        for place, name in enumerate(fleet.names):
            busy = fleet.busy(name)
            for series in fleet.series(name):
                cursor = connection.execute(
                    "INSERT INTO series (namespace, name, dimensions, unit, newest)"
                    " VALUES (?, ?, ?, 'None', ?)",
                    (series.namespace, series.name, json.dumps(series.dimensions), END),
                )
                connection.executemany(
                    "INSERT INTO packs VALUES (?, ?, ?, ?)",
                    [
                        (level, begin, cursor.lastrowid, content)
                        for level, begin, content in history(
                            series.name, place % DISTINCT, days, hours, busy=busy
                        )
                    ],
                )
    chance = np.random.default_rng(4)
    for minute in range(END - END % HOUR, END, 60):
        store.add(samples(chance, fleet, minute))


# -- measuring -----------------------------------------------------------------------------


def room(path: Path, fleet: Fleet) -> Iterator[tuple[str, str]]:
    number = sum(1 for name in fleet.names for _ in fleet.series(name))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        held = dict(
            connection.execute("SELECT level, sum(length(content)) FROM packs GROUP BY level")
        )
    yield "endpoints, series", f"{fleet.number}, {number}"
    yield "size of the file", f"{path.stat().st_size / 1e6:.0f} MB"
    for level, what in ((Level.DAY, "minutes of days"), (Level.HOUR, "minutes of today"),
                        (Level.WEEK, "hours")):  # fmt: skip
        yield f"of that, packed {what}", f"{held.get(level, 0) / 1e6:.0f} MB"


def queries(store: SqliteMetricStore, fleet: Fleet, number: int) -> Iterator[tuple[str, str]]:
    """Ask for a day of six series of busy endpoints, which is what takes longest."""
    metrics = Metrics(store)
    busy = [name for name in fleet.names if fleet.busy(name)]
    asked = [busy[place] for place in np.random.default_rng(7).integers(len(busy), size=number)]
    for seconds in (60, 300, 3600):
        took = [timed(partial(ask, metrics, fleet, name, seconds)) for name in asked]
        yield f"dashboard: 6 series, 24 h, {seconds} s a point", told(took)


def ask(metrics: Metrics, fleet: Fleet, name: str, seconds: int) -> None:
    wanted = [
        Wanted(series, (Statistic.of(DASHBOARD[series.name]),))
        for series in fleet.series(name)
        if series.name in DASHBOARD and "InstanceId" not in dict(series.dimensions)
    ]
    answers = metrics.query(wanted, NOW - timedelta(days=1), NOW, seconds)
    if any(
        len(each.points) < 86400 // seconds - 1
        for each in answers
        if each.wanted.series.name == "Invocations"
    ):
        raise SystemExit("a day is not all there")


def writing(store: SqliteMetricStore, fleet: Fleet) -> Iterator[tuple[str, str]]:
    chance = np.random.default_rng(5)
    minute = END - END % 60
    everything = samples(chance, fleet, minute)
    yield (
        f"a minute of all: {len(everything)} samples in one transaction",
        told([timed(lambda: store.add(everything))]),
    )
    yield "the same minute again, merged", told([timed(lambda: store.add(everything))])
    used = [each for each in everything if each.value.total and "Latency" not in each.series.name]
    yield (
        f"a second of what is used: {len(used)} samples",
        told([timed(lambda: store.add(used)) for _ in range(5)]),
    )


def packing(store: SqliteMetricStore) -> Iterator[tuple[str, str]]:
    """Tidy after the hour is over: each slice is what others may have to wait for."""
    later = NOW.replace(minute=0) + timedelta(hours=1, minutes=10)
    took = []
    more = [True]
    while more[-1]:
        took.append(timed(lambda: more.append(store.tidy(later))))
    whole = sum(passed for passed, _ in took) / 1e3
    yield f"packing an hour of all, {len(took)} slices", f"{whole:.1f} s"
    yield "one slice of it", told(took)


class Counted:
    """The subjects of the monitor."""

    fleets: Mapping[str, object] = {}

    def __init__(self, fleet: Fleet) -> None:
        self._known = {
            name: (
                Subject(
                    endpoint_name=name, name="AllTraffic", variant_name="AllTraffic", instances=1
                ),
            )
            for name in fleet.names
        }

    def all(self) -> Mapping[str, tuple[Subject, ...]]:
        """Return one for each endpoint."""
        return self._known


def a_collector(fleet: Fleet) -> tuple[Collector, Instant]:
    at = Instant(NOW, 0.0)
    knowledge = Knowledge.begin(at, None, scale=1.0, period=1.0, stored=NOW)
    collector = Collector(Accounts(), knowledge, Counted(fleet))  # type: ignore[arg-type]
    collector.report(Report(peer="a", gateway="a", usage={}), at)
    collector.settle(at)
    return collector, at


def restart(store: SqliteMetricStore, fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Read since when all is without use, as a monitor does that has just begun."""
    collector, _ = a_collector(fleet)
    took = timed(lambda: asyncio.run(recall(collector, store, NOW - timedelta(minutes=1), NOW)))
    quiet = sum(each.since <= NOW - HORIZON for each in collector.quiet.values())
    yield (
        f"a restart's reading: {HORIZON // timedelta(hours=1)} h of {fleet.number} series, {quiet} quiet",
        told([took]),
    )


def decision(fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Decide for all, with each of them watched by the maintainer."""
    collector, at = a_collector(fleet)
    for each in collector.quiet.values():
        each.unread = ""
    usage = KnownUsage(lambda: collector, lambda: at, trouble=str, backlog=lambda _: 0)
    leases = [lease(name) for name in fleet.names]
    seen = {name: observed(name) for name in fleet.names}
    watches = {name: watch(name) for name in fleet.names}

    rules = LeaseRules(max_ahead=timedelta(days=1), initial=timedelta(minutes=30), warnings=())

    def decide() -> None:
        uses = usage.uses(fleet.names, NOW)
        plan(NOW, leases, seen, rules, around=Circumstances(uses=uses, watches=watches))

    yield (
        f"idle decision of a sweep for {fleet.number}: use and plan",
        told([timed(decide) for _ in range(10)]),
    )


def lease(name: str) -> Lease:
    return Lease(
        endpoint_name=name,
        config_name=f"{name}-config",
        owner="bench",
        created_at=NOW - timedelta(hours=2),
        expires_at=NOW + timedelta(hours=2),
    )


def observed(name: str) -> ObservedEndpoint:
    return ObservedEndpoint(
        name=name,
        status=EndpointStatus.IN_SERVICE,
        config_name=f"{name}-config",
        changed_at=NOW - timedelta(hours=2),
        created_at=NOW - timedelta(hours=2),
        healthy=1,
        wanted=1,
    )


def watch(name: str) -> Watch:
    since = NOW - timedelta(hours=2)
    return Watch(
        endpoint_name=name,
        created_at=since,
        in_service_at=since,
        since=since,
        rules=IdleRules(),
        by="tag auto-maintain=true",
    )


# -- the counterpart -----------------------------------------------------------------------


def counterpart(folder: Path, days: int, number: int) -> Iterator[tuple[str, str]]:
    """Store one busy and four idle endpoints both ways: packed, and a row for each point."""
    few = Fleet(5, 0.2)
    chance = np.random.default_rng(6)
    today = END - END % DAY
    plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute(
        "CREATE TABLE points (series TEXT, at INTEGER, count REAL, total REAL, least REAL,"
        " most REAL, buckets TEXT, PRIMARY KEY (series, at)) WITHOUT ROWID"
    )
    points = 0
    with closing(SqliteMetricStore(folder / "packed.db")) as store:  # noqa: SIM117
        with store._file.writing() as connection:  # noqa: SLF001
            plain.execute("BEGIN")
            for index, series in enumerate(each for name in few.names for each in few.series(name)):
                name = dict(series.dimensions)["EndpointName"]
                for begin in range(today - days * DAY, today, DAY):
                    day = measured(chance, series.name, begin, DAY, MINUTE, busy=few.busy(name))
                    metricsrows.put_pack(connection, Level.DAY, begin, index, day)
                    points += len(day)
                    plain.executemany(
                        "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)",
                        [
                            (str(series), *row, json.dumps(buckets) if buckets else None)
                            for row, buckets in zip(
                                zip(
                                    day.at, day.counts, day.totals, day.least, day.most, strict=True
                                ),
                                day.histograms,
                                strict=True,
                            )
                        ],
                    )
            plain.execute("COMMIT")
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    took = [timed(lambda: read_plainly(plain, few)) for _ in range(number // 10)]
    plain.close()
    packed, rows = ((folder / each).stat().st_size for each in ("packed.db", "plain.db"))
    yield "bytes a point, packed", f"{packed / points:.2f}"
    yield "bytes a point, a row for each", f"{rows / points:.1f} ({rows / packed:.0f} times)"
    yield "dashboard of 60 s from a row for each", told(took)


def read_plainly(connection: sqlite3.Connection, few: Fleet) -> None:
    end = END - END % DAY
    for series in few.series(few.names[0]):
        if series.name not in DASHBOARD or "InstanceId" in dict(series.dimensions):
            continue
        for _, count, total, least, most, buckets in connection.execute(
            "SELECT at, count, total, least, most, buckets FROM points"
            " WHERE series = ? AND at >= ? AND at < ?",
            (str(series), end - DAY, end),
        ):
            numbers = {int(k): v for k, v in json.loads(buckets).items()} if buckets else {}
            value = Aggregate(count=count, total=total, least=least, most=most, buckets=numbers)
            value.percentile(99)


if __name__ == "__main__":
    main()
