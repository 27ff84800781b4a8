"""The lease: the right of an endpoint to run until `expires_at`.

A lease outlives its expiry; a coin (an extension) on a lease that is over starts the endpoint
again. `ended` is set once the meter, or a person, has closed the lease; a lease whose time has
run out and that no sweep has closed yet is over all the same.

Closing a lease early moves `expires_at` to that instant, so that "ended" always implies "no
time left"; the minutes given up are told by the event that records the change.

While its endpoint is asleep the clock of a lease goes on, or it is paused: then `expires_at` is
what it was when it was paused, and moves by as long as that lasted when it goes on:

    |---- runs ----| asleep, paused |---- what was left ----|
                   paused_at        awake                   expires_at, from then on
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from datetime import datetime


class EndReason(StrEnum):
    """Why a lease was closed."""

    EXPIRED = "expired"
    STOPPED = "stopped"
    IDLE = "idle"
    BUDGET = "budget"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRules:
    """The limits and habits that leases live under; their defaults are in `apps/settings.py`."""

    max_ahead: timedelta
    initial: timedelta
    #: How long before expiry a warning is due, longest first.
    warnings: tuple[timedelta, ...]
    #: Whether an endpoint that runs without a lease is given one of the `initial` time.
    adopts: bool = False
    #: How often a failed endpoint is recreated before its lease ends as failed.
    max_retries: int = 5
    #: Wait before the first recreation; it doubles each time: 1, 2, 4, 8, 16 minutes.
    first_backoff: timedelta = timedelta(minutes=1)
    #: How far beyond what people paid for use extends a lease, whatever its terms say.
    keep_at_most: timedelta = timedelta(hours=8)

    def backoff(self, retries: int) -> timedelta:
        """Return the wait before recreation number `retries` + 1."""
        return self.first_backoff * (1 << retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One row of the lease book. Instants are aware UTC."""

    endpoint_name: str
    config_name: str
    owner: str
    created_at: datetime
    expires_at: datetime
    ended: EndReason | None = None
    ended_at: datetime | None = None
    #: Recreations of a failed endpoint since the last coin or the last healthy sight.
    retries: int = 0
    #: When the last attempt to start it was refused, and why; a Failed endpoint tells its own.
    refused_at: datetime | None = None
    failure: str = ""
    #: Warnings that need no saying any more for this expiry.
    warned: frozenset[timedelta] = frozenset()
    #: Counts writes; every write names the version it read. 0: never stored.
    version: int = 0
    #: The expiry by people's coins, where Parkade has added to it; None: all of it is theirs.
    paid_until: datetime | None = None
    #: Since when its endpoint is to sleep; None: it is to run.
    asleep_at: datetime | None = None
    #: Since when its clock is paused; None: it goes on. Only what is asleep is paused.
    paused_at: datetime | None = None
    #: When it was first asked for while it was asleep or over, which the plan has yet to answer.
    wanted_at: datetime | None = None
    #: Time that requests have bought by waking it since the last coin of a person.
    woken: timedelta = timedelta(0)

    @property
    def bought_until(self) -> datetime:
        """The expiry as people's coins have it."""
        return self.paid_until or self.expires_at

    def over(self, now: datetime) -> bool:
        """Tell whether the right to run has ended, closed or not."""
        return self.ended is not None or (self.paused_at or now) >= self.expires_at

    def time_left(self, now: datetime) -> timedelta:
        """Return the time left, never negative."""
        return timedelta(0) if self.over(now) else self.expires_at - (self.paused_at or now)

    def expiry(self, now: datetime) -> datetime:
        """Return when it runs out; while its clock is paused: as if it went on now."""
        return rebased(self, now).expires_at

    def reason_over(self) -> EndReason:
        """Return why a lease that is over is over."""
        return self.ended or EndReason.EXPIRED


def minutes(value: object, *, field: str = "minutes") -> timedelta:
    """Return a number of minutes greater than 0 as a duration.

    Raises InvalidInput for anything else, booleans and texts included.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(
            f"{field} {value!r} is not a number", field=field, hint="give minutes as a number > 0"
        )
    try:
        amount = timedelta(minutes=value) if value > 0 else timedelta(0)
    except OverflowError:
        amount = timedelta.max  # more than any limit lets pass
    if amount <= timedelta(0):
        raise InvalidInput(
            f"{field} {value!r} is not more than 0",
            field=field,
            hint="give minutes as a number > 0",
        )
    return amount


def grant(
    *,
    endpoint_name: str,
    config_name: str,
    owner: str,
    amount: timedelta,
    now: datetime,
    rules: LeaseRules,
) -> Lease:
    """Return a new lease that runs for `amount` from `now`."""
    expires_at = _ahead(now, amount, now, rules)
    return Lease(
        endpoint_name=endpoint_name,
        config_name=config_name,
        owner=owner,
        created_at=now,
        expires_at=expires_at,
        warned=_known(expires_at, now, rules),
    )


def taken_over(
    *,
    endpoint_name: str,
    config_name: str,
    owner: str,
    until: datetime,
    now: datetime,
    rules: LeaseRules,
) -> Lease:
    """Return a lease that was bought elsewhere, until then: over, where that is past."""
    if until > now:
        return grant(
            endpoint_name=endpoint_name,
            config_name=config_name,
            owner=owner,
            amount=until - now,
            now=now,
            rules=rules,
        )
    return Lease(
        endpoint_name=endpoint_name,
        config_name=config_name,
        owner=owner,
        created_at=now,
        expires_at=until,
        ended=EndReason.EXPIRED,
        ended_at=now,
    )


def extend(lease: Lease, amount: timedelta, now: datetime, rules: LeaseRules) -> Lease:
    """Return the lease with `amount` added to its expiry, or to `now` where it is over.

    What is over and paid for again is to run; what is asleep sleeps on.
    """
    lease = awake(lease, now) if lease.over(now) else rebased(lease, now)
    start = now if lease.over(now) else lease.expires_at
    expires_at = _ahead(start, amount, now, rules)
    return replace(
        lease,
        expires_at=expires_at,
        ended=None,
        ended_at=None,
        retries=0,
        refused_at=None,
        failure="",
        warned=_known(expires_at, now, rules),
        paid_until=None,
        woken=timedelta(0),
    )


def paid(lease: Lease, until: datetime, now: datetime, rules: LeaseRules) -> Lease:
    """Return the lease that Parkade itself has paid for until then; it is never made shorter.

    What people paid for is remembered: `paid_until`.
    """
    held = rebased(lease, now)
    if not held.over(now) and until <= held.expires_at:
        return lease
    longer = extend(held, until - (now if held.over(now) else held.expires_at), now, rules)
    return replace(longer, paid_until=held.bought_until, woken=held.woken)


def bought_by_wake(lease: Lease, until: datetime, now: datetime, rules: LeaseRules) -> Lease:
    """Return the lease, which is over, that a request has bought time for until then."""
    longer = paid(lease, until, now, rules)
    return replace(longer, woken=lease.woken + longer.time_left(now))


def withdrawn(lease: Lease, until: datetime, now: datetime) -> Lease:
    """Return the lease without what Parkade paid for beyond `until`; people's time stays."""
    held = rebased(lease, now)
    until = max(held.bought_until, until, now)
    if held.over(now) or held.paid_until is None or until >= held.expires_at:
        return lease
    left = None if until == held.paid_until else held.paid_until
    return replace(held, expires_at=until, paid_until=left)


def asleep(lease: Lease, now: datetime, *, pauses: bool) -> Lease:
    """Return the lease whose endpoint is to sleep from now on, with its clock paused or not."""
    return replace(lease, asleep_at=now, paused_at=now if pauses else None, wanted_at=None)


def awake(lease: Lease, now: datetime) -> Lease:
    """Return the lease whose endpoint is to run again; its clock goes on."""
    return replace(rebased(lease, now), asleep_at=None, paused_at=None, wanted_at=None)


def wanted(lease: Lease, now: datetime) -> Lease:
    """Return the lease with word that its endpoint, asleep or over, is asked for."""
    return replace(lease, wanted_at=now)


def rebased(lease: Lease, now: datetime) -> Lease:
    """Return the same lease with its clock paused since now, where it is paused.

    The same time is left. A clock that was set back takes none away.
    """
    if lease.paused_at is None or now <= lease.paused_at:
        return lease
    waited = now - lease.paused_at
    return replace(
        lease,
        paused_at=now,
        expires_at=lease.expires_at + waited,
        paid_until=None if lease.paid_until is None else lease.paid_until + waited,
    )


def end(lease: Lease, reason: EndReason, now: datetime, *, failure: str = "") -> Lease:
    """Return the lease closed; closing it again keeps the first reason."""
    if lease.ended is not None:
        return lease
    # What is over sleeps no more: whoever pays for it again wants it to run.
    lease = awake(lease, now)
    return replace(
        lease,
        ended=reason,
        ended_at=now,
        expires_at=min(lease.expires_at, now),
        failure=failure or lease.failure,
    )


def reconfigured(lease: Lease, config_name: str) -> Lease:
    """Return the lease for an endpoint that runs another config now."""
    return replace(lease, config_name=config_name)


def refused(lease: Lease, failure: str, now: datetime) -> Lease:
    """Return the lease after hosting refused to start its endpoint."""
    return replace(lease, refused_at=now, failure=failure)


def tried_again(lease: Lease, failure: str) -> Lease:
    """Return the lease with one more recreation counted, before it is begun."""
    return replace(lease, retries=lease.retries + 1, refused_at=None, failure=failure)


def recovered(lease: Lease) -> Lease:
    """Return the lease after its endpoint was seen in service: earlier failures are history."""
    return replace(lease, retries=0, refused_at=None, failure="")


def warned(lease: Lease, before: timedelta, rules: LeaseRules) -> Lease:
    """Return the lease with this warning marked as said, and with it those that it overtook."""
    said = {before, *(longer for longer in rules.warnings if longer >= before)}
    return replace(lease, warned=lease.warned | said)


def unsaid(lease: Lease, rules: LeaseRules) -> list[timedelta]:
    """Return the warnings that are not said yet, by how long before the expiry they are due."""
    return [before for before in rules.warnings if before not in lease.warned]


def warnings_ahead(lease: Lease, now: datetime, rules: LeaseRules) -> list[datetime]:
    """Return when warnings will be due; none while its clock is paused."""
    if lease.paused_at is not None:
        return []
    instants = [lease.expires_at - before for before in unsaid(lease, rules)]
    return [instant for instant in instants if instant > now]


def _ahead(start: datetime, amount: timedelta, now: datetime, rules: LeaseRules) -> datetime:
    if amount <= timedelta(0):
        raise InvalidInput("an extension of no time is none", field="minutes")
    if amount > rules.max_ahead or start + amount - now > rules.max_ahead:
        limit = rules.max_ahead / timedelta(minutes=1)
        room = max(timedelta(0), rules.max_ahead - (start - now)) / timedelta(minutes=1)
        raise InvalidInput(
            f"minutes {amount / timedelta(minutes=1):g} would put the expiry more than "
            f"{limit:g} minutes ahead",
            field="minutes",
            hint=f"at most {math.floor(room)} more minutes now (limits.max_minutes_ahead)",
        )
    return start + amount


def _known(expires_at: datetime, now: datetime, rules: LeaseRules) -> frozenset[timedelta]:
    """Return the warnings already past: whoever has just paid knows how little there is."""
    return frozenset(before for before in rules.warnings if expires_at - before <= now)
