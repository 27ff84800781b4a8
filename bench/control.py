"""What control does again and again, with 1,000 endpoints: sweeps, snapshots, scaling, alarms.

    python bench/control.py [--endpoints 1000] [--asleep 900] [--rounds 15]

Three state folders are filled: one where all endpoints serve; one where most of them sleep, with leases
whose clock is paused; and one where the leases of as many are over, and requests may buy them
time. Each owner has a budget. The services are those of a control process, on a host that says
what the benchmark says. A fourth has as many scalable targets, each with a policy of target tracking,
its two alarms and the points of half an hour. See bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from stopwatch import a_loop, timed, told

from parkade.adapters.memory.capacity import MemoryCapacity
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.sqlite.alarms import SqliteAlarmStore
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.adapters.sqlite.scaling import SqliteScalingStore
from parkade.adapters.sqlite.terms import SqliteTermsStore
from parkade.apps import wiring
from parkade.apps.api.broadcast import Broadcast
from parkade.apps.assembly import Signals
from parkade.apps.control.publisher import Publisher
from parkade.apps.control.traffic import Traffic
from parkade.apps.settings import server_settings
from parkade.domain import lease as leases
from parkade.domain.catalog import Container, EndpointConfig, Model, Variant
from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.event import Event
from parkade.domain.lease import EndReason, Lease
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.target import Resource
from parkade.domain.series import Aggregate
from parkade.domain.statistics import begin
from parkade.domain.terms import Sleep, Terms, Wake
from parkade.ports.capacity import Readiness, Reading
from parkade.ports.metrics import Sample
from parkade.runtime.views import FleetView, InstanceView, VariantView
from parkade.services.alarms import Alarms
from parkade.services.alarmwatch import AlarmWatch
from parkade.services.autoscaler import Autoscaler
from parkade.services.metricqueries import MetricQueries
from parkade.services.scaling import Scaling
from parkade.services.scalingalarms import ScalingAlarms
from parkade.services.scalingmoves import Moves
from parkade.services.scalingsight import Certain, Looking
from parkade.services.timetables import Timetables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CONFIG = "config"
#: What each owner may spend: far more than is ever asked for.
BUDGETS = "money:\n  budget:\n    usd: 10000000\n    per: month\n"
OWNERS = 20
TRACKING = Tracking(target=600.0, metric=Predefined.INVOCATIONS_PER_INSTANCE)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="what control does again and again, measured")
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--asleep", type=int, default=900, help="how many of them sleep")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = [("a Python loop of a million", told([timed(a_loop) for _ in range(9)]))]
    with tempfile.TemporaryDirectory(prefix="pkb") as folder:
        awake = House(Path(folder) / "awake", given.endpoints)
        asleep = House(Path(folder) / "asleep", given.endpoints, asleep=given.asleep)
        over = House(Path(folder) / "over", given.endpoints, over=given.asleep)
        whats: Mapping[str, Callable[[], object]] = {
            "a sweep, all serve": awake.sweep,
            f"a sweep, {given.asleep} sleep": asleep.sweep,
            f"a sweep, {given.asleep} are over and can be woken": over.sweep,
            "a snapshot, all serve": awake.snapshot,
            f"a snapshot, {given.asleep} sleep": asleep.snapshot,
            f"a snapshot, {given.asleep} are over and can be woken": over.snapshot,
        }
        rows += by_turns(whats, given.rounds)
        rows += Scaled(Path(folder) / "scaled", given.endpoints).rows(given.rounds)
    print(f"| {given.endpoints} endpoints | |\n| --- | --- |")
    for what, value in rows:
        print(f"| {what} | {value} |")


def by_turns(whats: Mapping[str, Callable[[], object]], rounds: int) -> Iterator[tuple[str, str]]:
    """Measure one after the other, again and again: a machine's speed drifts."""
    took: dict[str, list[tuple[float, float]]] = {what: [] for what in whats}
    for _ in range(rounds):
        for what, do in whats.items():
            took[what].append(timed(do))
    for what, times in took.items():
        yield what, told(times)


# -- leases --------------------------------------------------------------------------------


class House:
    """The services of a control process whose host is the benchmark."""

    def __init__(self, folder: Path, number: int, *, asleep: int = 0, over: int = 0) -> None:
        folder.mkdir()
        (folder / "server.yaml").write_text(BUDGETS)
        self._now = datetime.now(UTC)
        self._names = [f"endpoint-{place:04}" for place in range(number)]
        self._asleep = frozenset(self._names[:asleep])
        self._over = frozenset(self._names[:over])
        settings = server_settings(state=folder, environment={})
        self._fill(Database(settings.paths.database))
        self._services = wiring.build(
            settings,
            traffic=lambda _: Traffic(),
            broadcast=Broadcast(),
            signals=Signals(
                changed=lambda: None,
                released=_nothing,
                ready=lambda: "",
                spawn=lambda task: task.close(),
                inside=lambda: "",
                say=lambda *_: None,
            ),
        )
        there = [name for name in self._names if name not in self._over]
        observed = {name: self._seen(name) for name in there}
        fleets = {name: _fleet(name) for name in there if name not in self._asleep}
        host = self._services.host
        asyncio.run(host.start())  # there is nothing to take up, but to ask: what machines cost
        host.observed = lambda: observed  # type: ignore[method-assign]
        host.fleets = lambda: fleets  # type: ignore[method-assign]
        server = SimpleNamespace(push=lambda _: None)
        self._publisher = Publisher(self._services, server, 1.0)  # type: ignore[arg-type]

    def sweep(self) -> None:
        """Do what is done each second."""
        report = self._services.sweep.run()
        if report.failed or report.done:
            raise SystemExit(f"a sweep had something to do: {report.failed or report.done}")

    def snapshot(self) -> None:
        """Do what is done after each change."""
        self._publisher._publish()  # noqa: SLF001  from without it is only asked for

    def _fill(self, database: Database) -> None:
        catalog, book = SqliteCatalogStore(database), SqliteLeaseBook(database)
        terms = SqliteTermsStore(database)
        model = Model(
            name="model",
            containers=(Container(image="script", data_url="s3://models/model.tar.gz"),),
            created_at=self._now,
        )
        variant = Variant(
            name="main", model_name="model", instance_type="ml.m5.large", instance_count=1
        )
        catalog.add_model(model, self._event("model.created"))
        catalog.add_config(
            EndpointConfig(name=CONFIG, variants=(variant,), created_at=self._now),
            self._event("config.created"),
        )
        for place, name in enumerate(self._names):
            lease = Lease(
                endpoint_name=name,
                config_name=CONFIG,
                owner=f"owner-{place % OWNERS}",
                created_at=self._now,
                expires_at=self._now + timedelta(hours=6),
                warned=frozenset(),
            )
            if name in self._asleep:
                lease = leases.asleep(lease, self._now, pauses=True)
            if name in self._over:
                lease = leases.end(lease, EndReason.EXPIRED, self._now)
            book.put(lease, self._event("lease.added", name))
            if name in self._asleep | self._over:
                sleep = Sleep(after=timedelta(minutes=15), pauses=True)
                wake = Wake(minutes=timedelta(minutes=30), at_most=timedelta(hours=4))
                settled = Terms(endpoint_name=name, sleep=sleep, wake=wake)
                terms.put(settled, self._event("terms.set", name))

    def _seen(self, name: str) -> ObservedEndpoint:
        # Left out where nothing sleeps: an earlier Parkade is measured by the same lines.
        asleep: dict[str, Any] = {"asleep": True} if name in self._asleep else {}
        return ObservedEndpoint(
            name=name,
            status=EndpointStatus.IN_SERVICE,
            config_name=CONFIG,
            changed_at=self._now,
            created_at=self._now,
            healthy=0 if asleep else 1,
            wanted=0 if asleep else 1,
            **asleep,
        )

    def _event(self, kind: str, name: str = "") -> Event:
        return Event(at=self._now, kind=kind, actor="bench", reason=kind, endpoint_name=name)


def _fleet(name: str) -> FleetView:
    address = f"/run/{name}.sock"
    instance = InstanceView(
        id=name, addresses=(address,), variant_name="main", models=Path("/models")
    )
    return FleetView(variants=(VariantView(name="main", weight=1.0, instances=(instance,)),))


async def _nothing() -> None:
    """Wait for nothing."""


# -- scaling -------------------------------------------------------------------------------


class Scaled:
    """Targets that are at rest: their points are neither high nor low."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir()
        #: The begin of a minute, when what was measured before it is stored.
        self._now = begin(datetime.now(UTC), 60)
        self._clock = ManualClock(self._now)
        database = Database(folder / "parkade.db")
        self._history = SqliteHistory(database)
        store = SqliteScalingStore(database)
        self._alarms = Alarms(SqliteAlarmStore(database), clock=self._clock)
        self._metrics = SqliteMetricStore(folder / "metrics.db")
        self._queries = MetricQueries(self._metrics)
        capacity = MemoryCapacity(self._clock)
        alarms = ScalingAlarms(
            self._alarms,
            store,
            self._clock,
            endpoint_of=lambda policy: policy.resource.name,
            region=lambda: "us-east-1",
            account="000000000000",
        )
        moves = Moves(store, capacity, self._clock)
        book = Scaling(
            store,
            capacity,
            clock=self._clock,
            alarms=alarms,
            moves=moves,
            changed=lambda: None,
        )
        self._autoscaler = Autoscaler(
            store,
            capacity,
            looking=Looking(self._metrics, self._queries, alarms, self._certain),
            alarms=alarms,
            moves=moves,
            timetables=Timetables(store, clock=self._clock),
            clock=self._clock,
        )
        self._number = number
        self._fill(book, capacity)
        self._look_at_alarms()  # the first finds their states

    def rows(self, rounds: int) -> Iterator[tuple[str, str]]:
        """Measure a look of the autoscaler, and one at all alarms."""
        look = f"a look at {self._number} scalable targets"
        alarms = f"a look at {2 * self._number} alarms"
        yield from by_turns({look: self._look, alarms: self._look_at_alarms}, rounds)
        watch = self._watch()
        watch.look(self._now)
        yield (
            "a look at them when none is due",
            told([timed(partial(watch.look, self._now)) for _ in range(rounds)]),
        )

    def _look(self) -> None:
        autoscaler = self._autoscaler
        thoughts = autoscaler.think(autoscaler.survey())
        if len(thoughts) != self._number or any(each.decision.changes for each in thoughts):
            raise SystemExit("not every target is at rest")
        autoscaler.act(thoughts)

    def _look_at_alarms(self) -> None:
        watch = self._watch()
        watch.look(self._now)
        if watch.troubles:
            raise SystemExit(f"alarms are not known: {watch.troubles}")

    def _watch(self) -> AlarmWatch:
        """Return one that has looked at nothing yet."""
        return AlarmWatch(
            self._alarms,
            self._metrics,
            self._queries,
            self._history,
            whole=lambda: self._now,
        )

    def _certain(self) -> Certain:
        return Certain(since=self._now - timedelta(hours=1), until=self._now)

    def _fill(self, book: Scaling, capacity: MemoryCapacity) -> None:
        long_ago = self._now - timedelta(hours=1)
        samples = []
        for place in range(self._number):
            resource = Resource(f"endpoint-{place:04}", "main")
            capacity.put(
                Reading(
                    resource=resource,
                    endpoint_name=resource.name,
                    readiness=Readiness.READY,
                    current=2,
                    desired=2,
                    changed_at=long_ago,
                    awake_since=long_ago,
                )
            )
            book.register(resource, "bench", least=1, most=4)
            policy = book.put_policy(resource, "keep", "bench", tracking=TRACKING)
            (query,) = TRACKING.queries(policy.resource)
            if query.measured is not None:
                samples += [
                    Sample(
                        series=query.measured.series,
                        at=self._now - timedelta(minutes=back),
                        value=Aggregate.of(570.0),
                    )
                    for back in range(1, 31)
                ]
        self._metrics.add(samples)


if __name__ == "__main__":
    main()
