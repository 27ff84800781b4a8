"""What the control plane costs by what it does itself: month by month, and by what endpoints run."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING

from parkade.infra.costs import measured
from parkade.infra.costs.lines import MINUTES, line
from parkade.infra.costs.measured import Minute

if TYPE_CHECKING:
    from parkade.infra.costs.lines import Line

#: GB of memory of the sweep, and of the other functions of the meter.
SWEEP_MEMORY, MEMORY = 1.0, 0.5
#: MB of memory for which Lambda gives one processor. As AWS documents it; not tried here.
PROCESSOR_MEMORY = 1769
#: Seconds that a request takes inside a region. Taken, not measured.
ROUND_TRIP = 0.02
#: Bytes that Lambda itself writes to the log of a call. Taken, not measured.
PLATFORM_LINES = 900
#: Days that logs are kept: a month, so that what is written in a month is what is stored.
LOG_DAYS = 30
#: Hours that a lease lasts.
LEASE_HOURS = 2.0
_GIGABYTE = 1e9


def seconds(minute: Minute) -> float:
    """Return how long a call of the sweep is taken to last: at work, and waiting for answers."""
    return minute.processor / _share(SWEEP_MEMORY) + minute.requests * ROUND_TRIP


def month(minute: Minute) -> list[Line]:
    """Return what the minute's sweep costs a month, with so many endpoints."""
    written = MINUTES * (measured.LINE + PLATFORM_LINES) / _GIGABYTE
    return [
        line("events.event", MINUTES, "the rule of each minute"),
        line("lambda.call", MINUTES, "sweeps"),
        line("xray.trace", MINUTES, "sweeps"),
        *_asked(minute, MINUTES),
        line("cloudwatch.metric", measured.FIGURES, "the sweep's figures"),
        line("logs.written", written, "the sweep's"),
        line("logs.stored", written, "the sweep's"),
    ]


def endpoint_hours(hours: float = 1000.0) -> list[Line]:
    """Return what so many hours of endpoints of one variant add, in leases of `LEASE_HOURS`."""
    none, ten = measured.NONE, measured.TEN
    share = 1 / (ten.endpoints - none.endpoints)
    extra = Minute(
        endpoints=1,
        requests=(ten.requests - none.requests) * share,
        reads=(ten.reads - none.reads) * share,
        writes=(ten.writes - none.writes) * share,
        series=(ten.series - none.series) * share,
        processor=(ten.processor - none.processor) * share,
    )
    return [*_asked(extra, hours * 60), *_lives(hours / LEASE_HOURS)]


def transitions() -> int:
    """Return the states of a lease's timer that looks once, as its machine is deployed."""
    text = resources.files("parkade.infra.statemachines").joinpath("meter-timer.asl.json")
    machine = json.loads(text.read_text("utf-8"))
    count, name = 1, machine["StartAt"]
    while following := _next(machine["States"][name]):
        count, name = count + 1, following
    return count


def _next(state: dict[str, str]) -> str | None:
    return state.get("Next") or state.get("Default")


_SWEEPS, _LEASES = "sweeps", "leases"


def _asked(minute: Minute, times: float) -> list[Line]:
    return [
        line("lambda.time", times * seconds(minute) * SWEEP_MEMORY, _SWEEPS),
        line("dynamodb.read", times * minute.reads, _SWEEPS),
        line("dynamodb.write", times * minute.writes, _SWEEPS),
        line("cloudwatch.read", times * minute.series, _SWEEPS),
    ]


def _lives(leases: float) -> list[Line]:
    life = measured.LIFE
    looks, told = leases * life.timers, leases * life.events
    work = looks * measured.COLD_TIMER + told * measured.COLD_NOTICES
    return [
        line("states.transition", looks * transitions(), _LEASES),
        line("lambda.call", looks + told, _LEASES),
        line("lambda.time", work / _share(MEMORY) * MEMORY, _LEASES),
        line("xray.trace", looks + told, _LEASES),
        line("events.event", told, _LEASES),
        line("dynamodb.read", leases * life.reads, _LEASES),
        line("dynamodb.write", leases * life.writes, _LEASES),
    ]


def _share(gigabytes: float) -> float:
    """Return which part of a processor a function with so much memory has."""
    return gigabytes * 1024 / PROCESSOR_MEMORY
