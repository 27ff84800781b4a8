"""What a request can wake: what is asleep, always; what is over, where its owner allows it.

A lease that is over is woken by time that the request buys, within what its owner settled. What a
person stopped, what a budget ended, and what has failed, is woken by nobody's request: whoever
wants it back pays for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.lease import EndReason

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.lease import Lease
    from parkade.domain.terms import Terms

#: For so long an ask for what is over is good: nothing is started for a caller who has long gone.
LAPSES_AFTER = timedelta(minutes=5)
#: The ends of a lease after which a request may buy time.
_WOKEN_AFTER = frozenset({EndReason.EXPIRED, EndReason.IDLE})


def buys(lease: Lease, terms: Terms | None, now: datetime) -> timedelta:
    """Return how much time a request would buy for a lease that is over; none: it does not."""
    nothing = timedelta(0)
    if terms is None or terms.wake is None or lease.reason_over() not in _WOKEN_AFTER:
        return nothing
    if not lease.over(now):
        return nothing
    return max(nothing, min(terms.wake.minutes, terms.wake.at_most - lease.woken))


def asked(lease: Lease, now: datetime) -> bool:
    """Tell whether the endpoint of this lease is asked for; what is asleep is until it wakes."""
    if lease.wanted_at is None:
        return False
    return not lease.over(now) or now - lease.wanted_at < LAPSES_AFTER


def wakes(lease: Lease, terms: Terms | None, now: datetime) -> bool:
    """Tell whether a request wakes the endpoint of this lease."""
    if lease.over(now):
        return buys(lease, terms, now) > timedelta(0)
    return lease.asleep_at is not None
