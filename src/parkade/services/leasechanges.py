"""What is changed about a lease by people, each with the event that tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain import names
from parkade.domain.event import Event, in_minutes, written
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.lease import Lease, LeaseRules


def added(
    endpoint_name: str,
    config_name: str,
    amount: timedelta | datetime,
    owner: str,
    actor: str,
    now: datetime,
    rules: LeaseRules,
) -> tuple[Lease, Event]:
    """Return a new lease, for so long or until then. Raises InvalidInput."""
    name, buyer = names.endpoint_name(endpoint_name), names.buyer_name(owner)
    if isinstance(amount, timedelta):
        lease = leases.grant(
            endpoint_name=name,
            config_name=config_name,
            owner=buyer,
            amount=amount,
            now=now,
            rules=rules,
        )
    else:
        lease = leases.taken_over(
            endpoint_name=name,
            config_name=config_name,
            owner=buyer,
            until=amount,
            now=now,
            rules=rules,
        )
    paid = lease.time_left(now)
    over = f"taken over for {owner}, on {config_name}, {duration(now - lease.expires_at)} after it was over"
    event = Event(
        at=now,
        kind="lease.added",
        actor=actor,
        reason=over if lease.ended else f"{duration(paid)} paid for {owner}, on {config_name}",
        endpoint_name=endpoint_name,
        data={
            "minutes": in_minutes(paid),
            "expires_at": written(lease.expires_at),
            "config_name": config_name,
            "owner": owner,
        },
    )
    return lease, event


def extended(
    lease: Lease,
    amount: timedelta,
    actor: str,
    now: datetime,
    rules: LeaseRules,
    verb: str,
) -> tuple[Lease, Event]:
    """Return the lease with more time; `verb` is what the event calls it. Raises InvalidInput."""
    longer = leases.extend(lease, amount, now, rules)
    was = f", after it was over ({lease.reason_over()})" if lease.over(now) else ""
    event = Event(
        at=now,
        kind=f"lease.{verb}",
        actor=actor,
        reason=f"{duration(amount)} added{was}",
        endpoint_name=lease.endpoint_name,
        data={
            "minutes": in_minutes(amount),
            "expires_before": written(lease.expiry(now)),
            "expires_at": written(longer.expiry(now)),
        },
    )
    return longer, event


def reconfigured(lease: Lease, config_name: str, actor: str, now: datetime) -> tuple[Lease, Event]:
    """Return the lease with another config for its next start."""
    event = Event(
        at=now,
        kind="lease.reconfigured",
        actor=actor,
        reason=f"it is started from {config_name} from now on",
        endpoint_name=lease.endpoint_name,
        data={"config_name": config_name, "config_before": lease.config_name},
    )
    return leases.reconfigured(lease, config_name), event
