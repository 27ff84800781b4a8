"""The writes with which sleep and wake begin: the lease is marked before the endpoint follows.

The owner hears of it by its event alone: it is what they asked for, many times a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.actions import Action, ActionKind
from parkade.domain.event import METER, Event, Json, in_minutes, written

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.lease import Lease
    from parkade.ports.leases import LeaseBook

#: Told when a lease is marked as asleep, and when it is so no more.
ASLEEP, AWAKE = "lease.asleep", "lease.awake"


def mark(action: Action, lease: Lease, now: datetime, *, book: LeaseBook) -> bool:
    """Write into the lease that its endpoint sleeps, or wakes; return whether it did not say so.

    Raises VersionConflict where the decision has been overtaken.
    """
    if action.kind is ActionKind.SLEEP and lease.asleep_at is None:
        told = leases.asleep(lease, now, pauses=action.pauses)
        book.put(told, asleep_event(told, METER, action.reason, now, action.evidence))
        return True
    if action.kind is ActionKind.WAKE and lease.asleep_at is not None:
        told = leases.awake(lease, now)
        book.put(told, _awake_event(told, lease, lease.asleep_at, action.reason, now))
        return True
    return False


def asleep_event(
    lease: Lease, actor: str, reason: str, now: datetime, evidence: Json = None
) -> Event:
    """Return what the history tells of a lease that has just been marked as asleep."""
    data: dict[str, Json] = {
        "clock_paused": lease.paused_at is not None,
        "minutes_left": in_minutes(lease.time_left(now)),
    }
    if evidence is not None:
        data["evidence"] = evidence
    return Event(
        at=now,
        kind=ASLEEP,
        actor=actor,
        reason=reason,
        endpoint_name=lease.endpoint_name,
        data=data,
    )


def _awake_event(
    lease: Lease, before: Lease, asleep_at: datetime, reason: str, now: datetime
) -> Event:
    data: dict[str, Json] = {
        "asleep_since": written(asleep_at),
        "asleep_minutes": in_minutes(now - asleep_at),
        "wanted_at": written(before.wanted_at) if before.wanted_at else None,
        "expires_before": written(before.expires_at),
        "expires_at": written(lease.expires_at),
    }
    return Event(
        at=now,
        kind=AWAKE,
        actor=METER,
        reason=reason,
        endpoint_name=lease.endpoint_name,
        data=data,
    )
