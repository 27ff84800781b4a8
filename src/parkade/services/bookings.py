"""Bookings: time that is bought to begin later.

What is booked is reserved in the owner's budget when it is made, and paid for, by the sweep, so
early that the endpoint is warm when it begins. Until then it can be given back, all of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain import names
from parkade.domain.errors import Conflict, InvalidInput, LeaseNotFound, NotFound
from parkade.domain.event import METER, Event, Json, in_minutes, written
from parkade.domain.spans import duration
from parkade.domain.terms import Booking
from parkade.ports.events import EventQuery
from parkade.services.contention import contended
from parkade.services.keys import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.lease import Lease, LeaseRules
    from parkade.ports.bookings import BookingStore
    from parkade.ports.budgets import Purse
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.services.starts import Starts

#: Asked before a booking is made, with the instant. Returns the purse that pays, None where nothing
#: limits it; raises BudgetExceeded.
Reserve: TypeAlias = "Callable[[Booking, datetime], Purse | None]"

#: Nobody plans further ahead; what lies beyond is a slip of the pen.
FURTHEST = timedelta(days=366)


def unlimited(booking: Booking, now: datetime) -> Purse | None:  # noqa: ARG001
    """Let everybody book anything."""
    return None


class Bookings:
    """Makes, tells and gives back bookings. `changed` is called after every write."""

    def __init__(
        self,
        store: BookingStore,
        *,
        book: LeaseBook,
        hosting: Hosting,
        history: History,
        starts: Starts,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        changed: Callable[[], None],
        reserve: Reserve = unlimited,
    ) -> None:
        self._store = store
        self._book = book
        self._hosting = hosting
        self._history = history
        self._starts = starts
        self._clock = clock
        self._rules = rules
        self._changed = changed
        self._reserve = reserve

    def all(self) -> Listing[Booking]:
        """Return the bookings that are not over, and why others cannot be read."""
        found, now = self._store.all(), self._clock.now()
        return type(found)(tuple(b for b in found.records if now < b.ends_at), found.unreadable)

    def get(self, booking_id: str) -> Booking:
        """Return the booking. Raises NotFound."""
        for booking in self._store.all().records:
            if booking.id == booking_id:
                return booking
        raise NotFound(f"there is no booking {booking_id!r}", hint="see: parkade book ls")

    def by_endpoint(self, now: datetime) -> Mapping[str, Sequence[Booking]]:
        """Return the bookings that are not over, nor given up, by endpoint name."""
        found: dict[str, list[Booking]] = defaultdict(list)
        for booking in self._store.all().records:
            if now < booking.ends_at and not self._given_up(booking, now):
                found[booking.endpoint_name].append(booking)
        return found

    def ahead(self, now: datetime) -> Sequence[Booking]:
        """Return those that may yet be paid for, beginning when they would be: to be warm."""
        booked = self.by_endpoint(now).values()
        return [self._warm(each) for some in booked for each in some]

    def damaged(self) -> str:
        """Say which bookings cannot be read, and why; empty: all can."""
        return "; ".join(self._store.all().unreadable.values())

    @contended
    def add(
        self,
        endpoint_name: str,
        *,
        config_name: str | None,
        starts_at: datetime,
        amount: timedelta,
        owner: str | None,
        actor: str,
        key: str | None = None,
    ) -> Booking:
        """Book time. What is left out is what the lease says; the owner is then the actor.

        A `key` (of the actor) makes a request that is repeated count once.

        Raises InvalidInput, ConfigNotFound, BudgetExceeded, and Conflict where the endpoint runs,
        or is booked to run, another config, or is somebody else's.
        """
        now, starts_at = self._clock.now(), starts_at.astimezone(UTC)
        self._tidy(now)
        _require_ahead(starts_at, amount, now, self._rules())
        lease = self._lease(endpoint_name)
        booking = Booking(
            id=identifier(actor, key),
            endpoint_name=names.endpoint_name(endpoint_name),
            config_name=self._config(endpoint_name, config_name, lease),
            owner=_owner(owner or (lease.owner if lease else actor), lease),
            starts_at=starts_at,
            ends_at=starts_at + amount,
            made_at=now,
        )
        others = [b for b in self._store.all().records if b.endpoint_name == endpoint_name]
        if (made := _made_before(booking, others)) is not None:
            return made
        _require_no_clash(booking, others)
        purse = self._reserve(self._warm(booking), now)
        event = _event("booking.added", booking, actor, now, f"booked for {booking.owner}")
        self._store.add(booking, event, beside=frozenset(b.id for b in others), purse=purse)
        self._changed()
        return booking

    def remove(self, booking_id: str, *, actor: str) -> None:
        """Give a booking back before it begins. Raises Conflict once it has, and NotFound."""
        now = self._clock.now()
        if (why := self._store.all().unreadable.get(booking_id)) is not None:
            event = Event(at=now, kind="booking.removed", actor=actor, reason=f"given up: {why}")
        else:
            booking = self.get(booking_id)
            if self._begins(booking) <= now < booking.ends_at:
                name = booking.endpoint_name
                raise Conflict(
                    f"booking {booking_id!r} of {name!r} has begun, and is paid for",
                    hint=f"stop the endpoint: parkade stop {name}",
                )
            event = _event("booking.removed", booking, actor, now, "given back")
        self._store.remove(booking_id, event)
        self._changed()

    def _tidy(self, now: datetime) -> None:
        for booking in self._store.all().records:
            if booking.ends_at <= now:
                try:
                    event = _event("booking.over", booking, METER, now, "its time is over")
                    self._store.remove(booking.id, event)
                except NotFound:
                    continue  # somebody else was tidying, too

    def _begins(self, booking: Booking) -> datetime:
        return booking.starts_at - self._starts.leads([booking.config_name])[booking.config_name]

    def _warm(self, booking: Booking) -> Booking:
        """Return the booking with the time before it that is paid for as well."""
        return replace(booking, starts_at=self._begins(booking))

    def _given_up(self, booking: Booking, now: datetime) -> bool:
        """Tell whether the lease was removed, with its endpoint, after the booking had begun."""
        begins = self._begins(booking)
        if now < begins:
            return False
        query = EventQuery(
            endpoint_name=booking.endpoint_name, kinds=("lease.removed",), since=begins, limit=1
        )
        return bool(self._history.latest(query))

    def _config(self, endpoint_name: str, config_name: str | None, lease: Lease | None) -> str:
        if config_name is None and lease is None:
            raise InvalidInput(
                f"config_name is missing, and {endpoint_name!r} has no lease that names one",
                field="config_name",
                hint="name the endpoint config that is to run",
            )
        wanted = config_name or (lease.config_name if lease else "")
        names.endpoint_name(wanted, field="config_name")
        if lease is not None and wanted != lease.config_name:
            raise Conflict(
                f"{endpoint_name!r} runs {lease.config_name!r}, not {wanted!r}",
                hint="leave the config out to book what it runs",
            )
        self._hosting.require_config(wanted)
        return wanted

    def _lease(self, endpoint_name: str) -> Lease | None:
        try:
            return self._book.get(endpoint_name)
        except LeaseNotFound:
            return None


def _require_ahead(
    starts_at: datetime, amount: timedelta, now: datetime, rules: LeaseRules
) -> None:
    if starts_at <= now:
        raise InvalidInput(
            f"at {written(starts_at)} is past",
            field="at",
            hint="time that begins now is bought with: parkade add, or parkade extend",
        )
    if starts_at - now > FURTHEST:
        raise InvalidInput(
            f"at {written(starts_at)} is more than {FURTHEST.days} days ahead",
            field="at",
            hint="check the year",
        )
    if amount > rules.max_ahead:
        limit = rules.max_ahead / timedelta(minutes=1)
        raise InvalidInput(
            f"minutes {in_minutes(amount):g} are more than {limit:g}",
            field="minutes",
            hint="limits.max_minutes_ahead bounds bookings, too",
        )


def _owner(owner: str, lease: Lease | None) -> str:
    names.buyer_name(owner)
    if lease is not None and owner != lease.owner:
        raise Conflict(
            f"the lease of {lease.endpoint_name!r} is {lease.owner}'s, not {owner}'s",
            hint=f"leave the owner out to book for {lease.owner}",
        )
    return owner


def _made_before(booking: Booking, others: Sequence[Booking]) -> Booking | None:
    """Return the booking that an earlier request with the same key made."""
    for other in others:
        if other.id == booking.id:
            if replace(booking, made_at=other.made_at) == other:
                return other
            raise Conflict(
                f"the Idempotency-Key was used for another booking of {booking.endpoint_name!r}",
                hint="use a new key for a new request",
            )
    return None


def _require_no_clash(booking: Booking, others: Sequence[Booking]) -> None:
    for other in others:
        apart = booking.ends_at <= other.starts_at or other.ends_at <= booking.starts_at
        if not apart and other.config_name != booking.config_name:
            raise Conflict(
                f"{booking.endpoint_name!r} is booked to run {other.config_name!r} from "
                f"{written(other.starts_at)} to {written(other.ends_at)} (booking {other.id})",
                hint="book another time, another endpoint name, or the same config",
            )


def _event(kind: str, booking: Booking, actor: str, now: datetime, what: str) -> Event:
    span = booking.ends_at - booking.starts_at
    data: dict[str, Json] = {
        "booking_id": booking.id,
        "config_name": booking.config_name,
        "owner": booking.owner,
        "starts_at": written(booking.starts_at),
        "ends_at": written(booking.ends_at),
        "minutes": in_minutes(span),
    }
    return Event(
        at=now,
        kind=kind,
        actor=actor,
        reason=f"{what}: {duration(span)} from {written(booking.starts_at)}, "
        f"on {booking.config_name}",
        endpoint_name=booking.endpoint_name,
        owner=booking.owner,
        data=data,
    )
