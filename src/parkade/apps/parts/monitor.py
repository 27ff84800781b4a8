"""Measurements and what is decided on them: the store, the collector, how endpoints are used."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.apps.control.monitor.monitor import Monitor
from parkade.apps.control.monitor.tidier import Tidier
from parkade.apps.control.monitor.totals import Totals
from parkade.apps.exposition.picture import Restarts
from parkade.apps.parts.keptfiles import tell_missing
from parkade.ports.metrics import Kept
from parkade.services.metrics import Metrics
from parkade.services.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.statefolder import StatePaths
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
    from parkade.ports.notices import Notices
    from parkade.ports.usage import Usage
    from parkade.runtime.backlog import Backlog
    from parkade.runtime.host import Host
    from parkade.runtime.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the monitor works with."""

    paths: StatePaths
    database: Database
    history: History
    notices: Notices
    clock: Clock
    host: Host
    #: Seconds of the lease clock in one of real time, and of real time between gateways' reports.
    scale: float
    period: float
    backlog: Backlog
    placement: Placement
    file: Callable[[], ServerFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The services of this area."""

    #: The stored series.
    store: MetricStore
    #: What was measured, told.
    metrics: Metrics
    #: What gateways tell, on its way to the store.
    collector: Monitor
    #: How endpoints are used.
    usage: Usage
    #: Packs what is stored, and forgets what is too old.
    tidier: Tidier
    #: What was counted since this process began, for Prometheus.
    totals: Totals
    restarts: Restarts
    #: Lets go of the store's file; the last thing a process does.
    close: Callable[[], None]


def build(ports: Ports) -> Monitoring:
    """Build the services of this area."""
    tell_missing(
        ports.paths.metrics,
        "what was measured",
        database=ports.database,
        history=ports.history,
        notices=ports.notices,
        clock=ports.clock,
    )
    store = SqliteMetricStore(ports.paths.metrics, lambda: kept(ports.file()))
    collector = Monitor(
        store=store,
        notebook=SqliteMeta(ports.database),
        history=ports.history,
        teller=Teller(ports.history, ports.notices),
        clock=ports.clock,
        monotonic=time.monotonic,
        host=ports.host,
        scale=ports.scale,
        period=ports.period,
        folder=ports.paths.state,
        backlog=ports.backlog,
        placement=ports.placement,
    )
    return Monitoring(
        store=store,
        metrics=Metrics(store),
        collector=collector,
        usage=collector.usage,
        tidier=Tidier(store, ports.clock, scale=ports.scale),
        totals=Totals(time.monotonic),
        restarts=Restarts(ports.history),
        close=store.close,
    )


def kept(file: ServerFile) -> Kept:
    """Return what the settings say about how long points are kept."""
    monitor = file.monitor
    return Kept(
        fine=timedelta(hours=monitor.fine_hours),
        minutes=timedelta(days=monitor.minute_days),
        hours=timedelta(days=monitor.hour_days),
    )
