"""Coins that the meter puts in by itself: for office hours, for a booking, for use.

    begins = opening - lead          closing
       |<-- the coin is due -------------|     paid for once: after that the lease lasts till closing
       |
       +-- what was ended from here on, by a person, idleness or a budget, stays ended till closing

A coin only ever brings the expiry to an instant that it names, so that one put in twice is put in
once. What people paid for is never made shorter by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain import schedule, waking
from parkade.domain.actions import DueCoin, NoticeKind, PaidBy
from parkade.domain.errors import InvalidInput
from parkade.domain.event import written
from parkade.domain.lease import EndReason
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.domain.idle import Use
    from parkade.domain.lease import Lease, LeaseRules
    from parkade.domain.terms import Booking, Keep, Terms

#: Within the last of a lease use is looked at again after half of what is left, until so little is.
_LAST_LOOK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due, when to look again, and what the owner is to hear."""

    coin: DueCoin | None = None
    #: Later instants at which a coin can become due.
    ahead: tuple[datetime, ...] = ()
    #: What lasts, and is told once.
    notices: tuple[tuple[NoticeKind, str], ...] = ()
    #: Why what fell asleep before is to be warm by now; empty: nothing says so.
    opens: str = ""


@dataclass(slots=True)
class _Found:
    """What is found while looking through office hours, bookings and use."""

    coins: list[DueCoin] = field(default_factory=list)
    ahead: list[datetime] = field(default_factory=list)
    notices: list[tuple[NoticeKind, str]] = field(default_factory=list)
    opens: str = ""


def due(
    now: datetime,
    lease: Lease | None,
    *,
    terms: Terms | None,
    bookings: Sequence[Booking],
    leads: Mapping[str, timedelta],
    use: Use | None,
    rules: LeaseRules,
) -> Due:
    """Return the coin that is due, the one that lasts longest, and when one can become due.

    A coin becomes due before office hours and bookings begin, by the lead of the endpoint config,
    so that the endpoint is warm by then. What a person, idleness or a budget ended within the
    present office hours, or booking, is not paid for again until the next.
    """
    found = _Found()
    _booked(found, now, lease, bookings, leads)
    if terms is not None and lease is not None:
        if terms.schedule:
            _open(found, now, lease, terms.schedule, leads.get(lease.config_name, timedelta(0)))
        if terms.keep is not None and not lease.over(now) and lease.asleep_at is None:
            _used(found, now, lease, terms.keep, use, rules)
        if terms.wake is not None and lease.over(now):
            _asked_for(found, now, lease, terms)
    coins = _worth_it(found, now, lease, rules)
    return Due(
        coin=max(coins, key=lambda coin: coin.until, default=None),
        ahead=tuple(instant for instant in found.ahead if instant > now),
        notices=tuple(found.notices),
        opens=found.opens,
    )


def _booked(
    found: _Found,
    now: datetime,
    lease: Lease | None,
    bookings: Iterable[Booking],
    leads: Mapping[str, timedelta],
) -> None:
    for booking in bookings:
        begins = booking.starts_at - leads.get(booking.config_name, timedelta(0))
        if now < begins:
            found.ahead.append(begins)
        elif now < booking.ends_at and not given_up(lease, begins):
            _opens(found, lease, begins, f"booked by {booking.owner}")
            found.coins.append(
                DueCoin(
                    until=booking.ends_at,
                    by=PaidBy.BOOKING,
                    reason=f"booked by {booking.owner} until {_text(booking.ends_at)}",
                    booking_id=booking.id,
                    owner=booking.owner,
                    config_name=booking.config_name,
                )
            )


def _open(found: _Found, now: datetime, lease: Lease, hours: str, lead: timedelta) -> None:
    try:
        openings = schedule.parse(hours).around(now)
    except InvalidInput as error:  # it was checked when it was set: time zone data have changed
        text = f"nothing is paid for by its schedule: {error.message}"
        found.notices.append((NoticeKind.UNUSABLE, text))
        return
    for opening in openings:
        begins = opening.opens_at - lead
        if now < begins:
            found.ahead.append(begins)
            return
        if now < opening.closes_at and not given_up(lease, begins):
            _opens(found, lease, begins, f"open by its schedule {hours}")
            found.coins.append(
                DueCoin(
                    until=opening.closes_at,
                    by=PaidBy.SCHEDULE,
                    reason=f"open until {_text(opening.closes_at)} by its schedule {hours}",
                )
            )


def _opens(found: _Found, lease: Lease | None, begins: datetime, why: str) -> None:
    """Note that it is to be warm, if it has not fallen asleep since then."""
    if lease is not None and lease.asleep_at is not None and lease.asleep_at < begins:
        found.opens = found.opens or why


def _asked_for(found: _Found, now: datetime, lease: Lease, terms: Terms) -> None:
    """Let a request buy time for a lease that is over, as far as its owner has settled that."""
    amount = waking.buys(lease, terms, now)
    if amount <= timedelta(0):
        if lease.woken:
            text = (
                f"requests have started it for {duration(lease.woken)}, which is as far as they "
                f"may: it stays {lease.reason_over()} until somebody pays"
            )
            found.notices.append((NoticeKind.LIMIT, text))
        return
    if waking.asked(lease, now):
        reason = f"asked for while it was {lease.reason_over()}"
        found.coins.append(DueCoin(until=now + amount, by=PaidBy.WAKE, reason=reason))


def _used(
    found: _Found, now: datetime, lease: Lease, keep: Keep, use: Use | None, rules: LeaseRules
) -> None:
    left = lease.time_left(now)
    if left > keep.when_left:
        found.ahead.append(lease.expires_at - keep.when_left)
        return
    used_at = use.used_at if use else None
    if used_at is None or now - used_at > keep.when_left:
        found.ahead += [now + left / 2] if left > _LAST_LOOK else []
        return
    most = min(keep.at_most, rules.keep_at_most)
    until = min(lease.expires_at + keep.by, lease.bought_until + most, now + rules.max_ahead)
    if until > lease.expires_at:
        reason = f"used at {_text(used_at)}, with {duration(left)} left"
        found.coins.append(DueCoin(until=until, by=PaidBy.USE, reason=reason))
        return
    text = (
        f"it is used, and use extends it no further than {duration(most)} beyond what people paid "
        f"for: it stops at {_text(lease.expires_at)}"
    )
    found.notices.append((NoticeKind.LIMIT, text))


def _worth_it(
    found: _Found, now: datetime, lease: Lease | None, rules: LeaseRules
) -> list[DueCoin]:
    """Return the coins that would add time. What lies too far ahead is paid for bit by bit."""
    if lease is None or lease.over(now):
        return found.coins
    if lease.paused_at is not None:
        return []  # its time stands still; it is paid for once it is awake
    again_at = lease.expires_at - rules.max_ahead / 2
    coins = []
    for coin in found.coins:
        if coin.until <= lease.expires_at:
            continue
        if coin.until > now + rules.max_ahead and now < again_at:
            found.ahead.append(again_at)
        else:
            coins.append(coin)
    return coins


def given_up(lease: Lease | None, since: datetime) -> bool:
    """Tell whether the lease was ended since then by anything but its time running out."""
    return (
        lease is not None
        and lease.ended not in {None, EndReason.EXPIRED}
        and lease.ended_at is not None
        and lease.ended_at >= since
    )


def _text(instant: datetime) -> str:
    return written(instant.replace(microsecond=0))
