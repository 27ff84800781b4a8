"""What an owner has spent in a period of time, and what is reserved for them.

Nothing of it is stored: it follows from what was metered, from leases and from bookings. Time that
has passed and is not metered yet still counts as reserved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from parkade.domain.budget import Claim
from parkade.domain.coins import given_up
from parkade.domain.cost import summed
from parkade.domain.price import EMPTY, Sum
from parkade.ports.spend import SpendQuery
from parkade.services.rehearsal import RehearsedMachines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.budget import Period
    from parkade.domain.lease import Lease
    from parkade.domain.price import Machine
    from parkade.domain.terms import Booking
    from parkade.ports.leases import LeaseBook
    from parkade.ports.machines import Machines
    from parkade.ports.spend import SpendStore
    from parkade.services.prices import Prices

#: For how long what has passed may wait to be metered, to count as reserved.
_UNMETERED = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claims:
    """What is reserved for an owner, and what of it has no price."""

    claims: tuple[Claim, ...]
    unpriced: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Past:
    """What was spent of a period up to an hour, which nothing is added to any more."""

    until: datetime
    sum: Sum


def no_bookings(now: datetime) -> Iterable[Booking]:  # noqa: ARG001
    """Return no bookings."""
    return ()


class Commitments:
    """Adds up what owners have spent, and what is reserved for them. Raises what cannot be read."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        spend: SpendStore,
        machines: Machines,
        prices: Prices,
        bookings: Callable[[datetime], Iterable[Booking]] = no_bookings,
        once: bool = False,
    ) -> None:
        """Take the ports; `bookings` gives those that may yet be paid for, as they would be.

        `once`: what is stored is read once.
        """
        self._book = book
        self._spend = spend
        self._machines = machines
        self._prices = prices
        self._bookings = bookings
        self._until: Callable[[], datetime | None] = spend.until
        self._held: Callable[[], Mapping[str, Lease]] = self._leases
        self._hourly: Callable[[str, str], Sum] = self._price
        self._metered: Callable[[str, datetime, datetime], Sum] = self._between
        self._ahead: Callable[[datetime], Sequence[Booking]] = lambda now: tuple(bookings(now))
        if once:
            self._until = cache(self._until)
            self._held, self._hourly = cache(self._held), cache(self._hourly)
            self._metered, self._ahead = cache(self._metered), cache(self._ahead)
        self._past: dict[tuple[str, datetime], _Past] = {}

    def at_once(self) -> Commitments:
        """Return them as they are now, for many questions: what is stored is read once."""
        found = Commitments(
            book=self._book,
            spend=self._spend,
            machines=self._machines,
            prices=self._prices,
            bookings=self._bookings,
            once=True,
        )
        found._past = self._past  # what was added up is not added up again
        return found

    def rehearsal(self, config_name: str, machines: Sequence[Machine]) -> Commitments:
        """Return them as if there were an endpoint config of this name that runs on these machines."""
        return Commitments(
            book=self._book,
            spend=self._spend,
            machines=RehearsedMachines(self._machines, config_name, machines),
            prices=self._prices,
            bookings=self._bookings,
        )

    def hourly(self, endpoint_name: str, config_name: str) -> Sum:
        """Return what an endpoint costs an hour, or would with this config."""
        return self._hourly(endpoint_name, config_name)

    def spent(self, owner: str, period: Period) -> Sum:
        """Return what the owner has spent in the period.

        Hours that are over are added up once: this is asked by every sweep, and a month is long.
        """
        until = self._until()
        if until is None or until < period.start:
            return EMPTY
        hour = until.replace(minute=0, second=0, microsecond=0)
        key = (owner, period.start)
        past = self._past.get(key)
        if past is None or past.until > hour:
            past = _Past(period.start, EMPTY)
        if past.until < hour:
            past = _Past(hour, past.sum.plus(self._metered(owner, past.until, hour)))
            # Another one each time: other threads may be looking through this one.
            kept = {k: each for k, each in self._past.items() if each.until >= hour}
            self._past = {**kept, key: past}
        return past.sum.plus(self._metered(owner, max(past.until, period.start), period.end))

    def claims(
        self,
        owner: str,
        now: datetime,
        *,
        but: Lease | None = None,
        anew: bool = False,
        also: Booking | None = None,
    ) -> Claims:
        """Return what is reserved for the owner by leases and bookings.

        `but` is a lease as it would be, in place of the one that the book holds; `anew`: its time
        begins now, rather than going on. `also` is a booking that is about to be made.
        """
        leases = self._held() if but is None else {**self._held(), but.endpoint_name: but}
        begun = self._unmetered(now)
        found: list[Claim] = []
        unpriced: frozenset[str] = frozenset()

        def claim(endpoint_name: str, config_name: str, start: datetime, end: datetime) -> None:
            nonlocal unpriced
            if start < end:
                hourly = self.hourly(endpoint_name, config_name)
                unpriced |= hourly.unpriced
                found.append(Claim(hourly=hourly.usd, start=start, end=end))

        for lease in leases.values():
            if lease.owner == owner and not lease.over(now):
                start = now if lease is but and anew else max(begun, lease.created_at)
                claim(lease.endpoint_name, lease.config_name, start, lease.expiry(now))
        for booking in [*self._ahead(now), *([also] if also else [])]:
            held = leases.get(booking.endpoint_name)
            if booking.owner == owner and not given_up(held, booking.starts_at):
                start = max(now, booking.starts_at, _paid_until(held, owner, now) or now)
                claim(booking.endpoint_name, booking.config_name, start, booking.ends_at)
        return Claims(tuple(found), unpriced)

    def _leases(self) -> Mapping[str, Lease]:
        return {lease.endpoint_name: lease for lease in self._book.all().leases}

    def _price(self, endpoint_name: str, config_name: str) -> Sum:
        return self._prices.hourly(self._machines.wanted(endpoint_name, config_name))

    def _unmetered(self, now: datetime) -> datetime:
        """Return from when on time is not metered yet."""
        until = self._until()
        return now if until is None else min(now, max(until, now - _UNMETERED))

    def _between(self, owner: str, start: datetime, end: datetime) -> Sum:
        if start >= end:
            return EMPTY
        query = SpendQuery(start=start, end=end, owner=owner)
        return summed(self._spend.tallies(query)).cost


def _paid_until(lease: Lease | None, owner: str, now: datetime) -> datetime | None:
    """Return until when the endpoint of a booking is paid for by a lease of its owner."""
    return lease.expiry(now) if lease and lease.owner == owner else None
