"""Closing a lease: the one write with which a stop begins, and word of it to its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.actions import Action, NoticeKind
from parkade.domain.event import METER, Event, Json, in_minutes, written
from parkade.domain.lease import EndReason, Lease

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.ports.leases import LeaseBook
    from parkade.services.telling import Teller

_NOTICES = {
    EndReason.FAILED: NoticeKind.FAILED,
    EndReason.IDLE: NoticeKind.IDLE,
    EndReason.BUDGET: NoticeKind.BUDGET,
}


def close(
    lease: Lease,
    action: Action,
    reason: EndReason,
    now: datetime,
    *,
    book: LeaseBook,
    teller: Teller,
) -> None:
    """End the lease by what the plan decided. Raises VersionConflict where that is overtaken."""
    ended = leases.end(lease, reason, now, failure=action.failure)
    data: dict[str, Json] = {
        "ended": reason,
        "minutes_given_up": in_minutes(lease.time_left(now)),
        "expires_before": written(lease.expiry(now)),
        "expires_at": written(ended.expires_at),
    }
    if action.evidence is not None:
        data["evidence"] = action.evidence
    event = Event(
        at=now,
        kind="lease.ended",
        actor=METER,
        reason=action.reason,
        endpoint_name=lease.endpoint_name,
        data=data,
    )
    book.put(ended, event)
    text = f"its lease is over: {action.reason}"
    if reason is EndReason.IDLE:
        text += f"; bring it back with: parkade undo {lease.endpoint_name}"
    teller.tell(event, _NOTICES.get(reason, NoticeKind.EXPIRY), text, ended)
