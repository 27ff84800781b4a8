"""Checks of the meter: what runs without being paid for, what is paid for without running."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.audit.finding import Finding, Kind, Mending
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.audit.survey import Survey
    from parkade.domain.endpoint import ObservedEndpoint

#: A lease that was just added, or extended, starts within seconds.
_STARTS_WITHIN = timedelta(minutes=1)


def unmetered(survey: Survey) -> Iterator[Finding]:
    """Find endpoints that no lease pays for."""
    if not survey.known("leases"):
        return
    for name, seen in survey.endpoints.items():
        leased = name in survey.leases or name in survey.damaged
        if leased or seen.status is EndpointStatus.DELETING:
            continue
        config = seen.config_name or "CONFIG"
        yield Finding(
            kind=Kind.UNMETERED,
            name=name,
            text=f"endpoint {name} is {seen.status}, and no lease pays for it",
            hint=f"pay for it: parkade add {name} --config {config} --minutes 30; to be rid of it, "
            f"then: parkade remove {name}",
            since=seen.created_at,
            hourly=survey.hourly.get(name),
        )


def not_running(survey: Survey) -> Iterator[Finding]:
    """Find leases that have time left while nothing runs, and nothing starts."""
    if not survey.known("endpoints"):
        return
    for name, lease in survey.leases.items():
        seen = survey.endpoints.get(name)
        if lease.over(survey.now) or not _stopped(seen):
            continue
        since = lease.refused_at or (seen.changed_at if seen else lease.created_at)
        why = lease.failure or (seen.failure_reason if seen else "")
        if not why and survey.now - since < _STARTS_WITHIN:
            continue
        yield Finding(
            kind=Kind.NOT_RUNNING,
            name=name,
            text=f"{name} is paid for {duration(lease.time_left(survey.now))} more, and does not "
            f"run: {why or 'nothing has started it'}",
            hint=f"parkade why {name}; to stop paying: parkade stop {name}",
            since=since,
        )


def _stopped(seen: ObservedEndpoint | None) -> bool:
    return seen is None or seen.status in {EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE}


def stale(survey: Survey) -> Iterator[Finding]:
    """Find leases that have been over for so long that nobody may want them any more."""
    if not survey.known("endpoints"):
        return
    for name, lease in survey.leases.items():
        if not lease.over(survey.now) or name in survey.endpoints or name in survey.booked:
            continue
        since = lease.ended_at or lease.expires_at
        if survey.now - since >= survey.stale_after:
            yield Finding(
                kind=Kind.STALE_LEASE,
                name=name,
                text=f"the lease of {name} is over for {duration(survey.now - since)} "
                f"({lease.reason_over()}), and nobody has started it since",
                hint=f"parkade remove {name}",
                since=since,
            )


def stray_workers(survey: Survey) -> Iterator[Finding]:
    """Find processes of workers that belong to no instance."""
    if not survey.known("instances", "processes"):
        return
    strays = [each for each in survey.processes if each.instance_id not in survey.instances]
    for instance in sorted({each.instance_id for each in strays}):
        of = [each for each in strays if each.instance_id == instance]
        pids = ", ".join(str(each.pid) for each in sorted(of, key=lambda each: each.pid))
        memory = sum(each.memory for each in of) / 1024**2
        yield Finding(
            kind=Kind.STRAY_WORKER,
            name=instance,
            text=f"the worker {instance} runs (process {pids}, {memory:.0f} MiB), and no endpoint "
            "has it",
            hint="parkade audit --fix ends it",
            mending=Mending.FIX,
            mends="end its processes",
            since=min(each.started_at for each in of),
        )
