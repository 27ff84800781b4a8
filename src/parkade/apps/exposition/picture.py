"""What there is at one instant, taken together before it is written down."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, TypeVar

from parkade.apps.exposition import minutes
from parkade.domain.alarm import State as Saying
from parkade.domain.errors import ParkadeError
from parkade.domain.project.project import PROJECT_TAG
from parkade.domain.standing import State, standing
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.apps.assembly import Services
    from parkade.apps.control.monitor.totals import RouteTraffic, Sweeps, Traffic
    from parkade.apps.exposition.minutes import Sample
    from parkade.domain.alarm import Alarm
    from parkade.domain.budget import Standing
    from parkade.domain.cost import Costs
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.price import Sum
    from parkade.ports.capacity import Reading
    from parkade.ports.events import History

logger = logging.getLogger(__name__)

#: What a lease that cannot be read counts as.
UNREADABLE = "unreadable"
_RESTARTED = "worker.restarted"
#: Events that are read at once.
_BATCH = 1000

_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLease:
    """A lease whose time runs."""

    endpoint_name: str
    owner: str
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """All leases: how many there are by state, and those whose time runs."""

    states: Mapping[str, int]
    running: tuple[RunningLease, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """How the delivery to one subscriber stands."""

    letters: int
    waiting: int
    failing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that is told. None: it cannot be seen now, and nothing is told of it."""

    version: str
    #: Whether what is measured can be stored.
    storing: bool
    leases: Leases | None
    #: Workers by endpoint, variant and state.
    workers: Mapping[tuple[str, str, str], int]
    #: Processes that wait to become workers.
    standbys: int
    #: Restarts of workers by endpoint and variant.
    restarts: Mapping[tuple[str, str], int]
    in_flight: Mapping[str, int]
    #: Asynchronous requests that wait, and that run, by endpoint.
    backlog: Mapping[str, tuple[int, int]]
    #: By endpoint and variant or component.
    traffic: Mapping[tuple[str, str], Traffic]
    #: By API and resource.
    routes: Mapping[tuple[str, str], RouteTraffic]
    sweeps: Sweeps
    #: By endpoint and owner.
    spend: Mapping[tuple[str, str], Costs]
    #: How many there are, and are to be, of each variant and inference component.
    capacity: tuple[Reading, ...] | None
    #: By state.
    alarms: Mapping[str, int] | None
    #: Whether it is in ALARM, by project and alarm, of alarms that belong to one.
    firing: Mapping[tuple[str, str], bool] | None
    #: What runs of each endpoint, an hour.
    hourly: Mapping[str, Sum] | None
    budgets: tuple[Standing, ...] | None
    #: Of the newest minute that is whole.
    minutes: tuple[Sample, ...] | None
    #: By subscriber.
    deliveries: Mapping[str, Deliveries] | None


class Restarts:
    """Counts restarts of workers, as the history tells of them, from now on."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._counted: Counter[tuple[str, str]] = Counter()
        # Whoever scrapes meanwhile would count the same events again.
        self._lock = threading.Lock()
        newest = history.latest(EventQuery(limit=1))
        self._number = newest[-1].number if newest else 0

    def so_far(self) -> Mapping[tuple[str, str], int]:
        """Return how many there were, by endpoint and variant."""
        with self._lock:
            while True:
                query = EventQuery(kinds=(_RESTARTED,), after=self._number, limit=_BATCH)
                events = self._history.read(query)
                for each in events:
                    variant = str(each.data.get("variant_name", ""))
                    self._counted[each.endpoint_name, variant] += 1
                    self._number = each.number
                if len(events) < _BATCH:
                    return dict(self._counted)


async def take(services: Services) -> Picture:
    """Look at everything: at what the loop owns at once, at what is stored in a thread."""
    seen = services.hosting.endpoints()
    backlogs = {name: services.backlog.view(name) for name in seen}
    now = services.clock.now()
    workers = Counter(
        (name, each.variant_name, each.state.value)
        for name in seen
        for each in services.host.instances(name)
    )
    standbys = len(services.host.standbys())
    in_flight = {name: services.traffic(name).in_flight for name in seen}
    capacity = _readable(lambda: tuple(services.scaling.capacity.all().values()))
    totals = services.monitor.totals
    spend = dict(services.money.bookkeeper.totals)
    hourly = _readable(services.money.fleets.hourly)
    budgets = _readable(lambda: _budgets(services))

    def stored() -> Picture:
        alarms = _readable(services.alarms.book.all)
        return Picture(
            version=metadata.version("parkade"),
            storing=not services.monitor.collector.trouble,
            leases=_readable(lambda: _leases(services, seen, now)),
            workers=workers,
            standbys=standbys,
            restarts=_readable(services.monitor.restarts.so_far) or {},
            in_flight=in_flight,
            backlog={name: (each.waiting, each.running) for name, each in backlogs.items()},
            traffic=totals.traffic(seen),
            routes=totals.routes(),
            sweeps=totals.sweeps(),
            spend=spend,
            capacity=capacity,
            alarms=None if alarms is None else _states(alarms.records),
            firing=None if alarms is None else _firing(alarms.records),
            hourly=hourly,
            budgets=budgets,
            minutes=_readable(lambda: minutes.read(services.monitor.metrics, now)),
            deliveries=_readable(lambda: _deliveries(services)),
        )

    return await asyncio.to_thread(stored)


def _readable(read: Callable[[], _Seen]) -> _Seen | None:
    """Return what can be read; the rest of the page must not fail with it."""
    try:
        return read()
    except ParkadeError as error:
        logger.warning("left out of /metrics: %s", error.message)
        return None


def _leases(services: Services, seen: Mapping[str, ObservedEndpoint], now: datetime) -> Leases:
    shelf = services.meter.all()
    states = Counter({UNREADABLE: len(shelf.unreadable)})
    for lease in shelf.leases:
        states[standing(lease, seen.get(lease.endpoint_name), now).state.value] += 1
    return Leases(
        states={each: states[each] for each in (*State, UNREADABLE)},
        running=tuple(
            RunningLease(
                endpoint_name=lease.endpoint_name,
                owner=lease.owner,
                seconds_left=lease.time_left(now).total_seconds(),
            )
            for lease in shelf.leases
            if not lease.over(now)
        ),
    )


def _states(alarms: Sequence[Alarm]) -> Mapping[str, int]:
    return Counter(each.standing.state.value for each in alarms)


def _firing(alarms: Sequence[Alarm]) -> Mapping[tuple[str, str], bool]:
    return {
        (project, each.name): each.standing.state is Saying.ALARM
        for each in alarms
        if (project := each.tags.get(PROJECT_TAG))
    }


def _budgets(services: Services) -> tuple[Standing, ...]:
    """Return how the budgets that can be read stand now."""
    budgets = services.money.budgets.at_once()
    return tuple(budgets.standing(each) for each in budgets.all().records)


def _deliveries(services: Services) -> Mapping[str, Deliveries]:
    return {
        name: Deliveries(
            letters=each.letters,
            waiting=each.waiting,
            failing=each.progress is not None and each.progress.failing_since is not None,
        )
        for name, each in services.outbox.outbox.deliveries().items()
    }
