"""Alarms on what is measured: kept, looked at, told of; and what CloudWatch's door reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.services.alarmactions import AlarmActions
from parkade.services.alarms import Alarms
from parkade.services.alarmwatch import AlarmWatch
from parkade.services.idlealarms import IdleAlarms
from parkade.services.metricqueries import MetricQueries
from parkade.services.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.apps.serverfile import ServerFile
    from parkade.domain.alarm import Alarm, Standing
    from parkade.ports.alarms import AlarmStore
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
    from parkade.ports.topics import Topics
    from parkade.ports.watches import WatchStore

#: Seconds of real time after which what was measured has arrived in the store, or will not.
LAG = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What alarms work with."""

    alarms: AlarmStore
    metrics: MetricStore
    watches: WatchStore
    history: History
    clock: Clock
    topics: Topics
    file: Callable[[], ServerFile]
    #: Seconds of the lease clock in one of real time.
    scale: float
    #: Up to when everything that is measured is stored; None: it is not known.
    whole: Callable[[], datetime | None] = lambda: None
    #: Hears of each change of a state, in whichever thread it was made, before topics do.
    heard: Callable[[Alarm, Standing], None] = lambda _alarm, _before: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarming:
    """The services of this area."""

    #: The alarms that there are.
    book: Alarms
    watch: AlarmWatch
    #: Parkade's own alarms, of what the maintainer watches.
    idle: IdleAlarms
    metrics: Metrics
    queries: MetricQueries
    metric_store: MetricStore
    history: History
    #: Tells what still waits to be told; the last thing a process does.
    close: Callable[[], None]


def build(ports: Ports) -> Alarming:
    """Build the services of this area."""
    actions = AlarmActions(
        ports.topics,
        ports.history,
        ports.clock,
        region=lambda: ports.file().region,
        account=ACCOUNT,
    )

    def told(alarm: Alarm, before: Standing) -> None:
        ports.heard(alarm, before)
        actions.tell(alarm, before)

    book = Alarms(ports.alarms, clock=ports.clock, told=told)
    queries = MetricQueries(ports.metrics)
    lag = timedelta(seconds=LAG * ports.scale)
    return Alarming(
        book=book,
        watch=AlarmWatch(book, ports.metrics, queries, ports.history, lag=lag, whole=ports.whole),
        idle=IdleAlarms(book, ports.watches, ports.clock),
        metrics=Metrics(ports.metrics),
        queries=queries,
        metric_store=ports.metrics,
        history=ports.history,
        close=actions.close,
    )
