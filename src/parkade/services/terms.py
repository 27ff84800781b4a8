"""What owners settle about their leased endpoints: who watches, use, office hours, sleep.

A change of office hours takes effect at once: what the former ones have paid for ahead is taken
back, but for what the new ones pay for as well. Where a crash comes in between, the lease lasts
until the former closing time, which its owner sees and can end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain import schedule
from parkade.domain.errors import InvalidInput, LeaseNotFound, Unreadable
from parkade.domain.event import Event, in_minutes, written
from parkade.domain.spans import duration
from parkade.domain.terms import Terms
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.domain.lease import Lease
    from parkade.domain.terms import Sleep
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.ports.terms import TermsStore


class TermsBook:
    """Reads and writes terms. `changed` is called after every write."""

    def __init__(
        self,
        store: TermsStore,
        *,
        book: LeaseBook,
        clock: Clock,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._changed = changed

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms; None where nothing is settled. Raises Unreadable."""
        found = self._store.get(endpoint_name)
        return None if found is None or found.says_nothing else found

    def all(self) -> Listing[Terms]:
        """Return all terms, and why others cannot be read."""
        return self._store.all()

    def by_endpoint(self) -> Mapping[str, Terms]:
        """Return the terms that can be read and say anything, by endpoint name."""
        return {each.endpoint_name: each for each in self.all().records if not each.says_nothing}

    def put(self, terms: Terms, actor: str) -> Terms:
        """Store the terms over those of the version that they were made from.

        Returns them as stored. Raises VersionConflict where another write came first, and
        LeaseNotFound where the endpoint has no lease.
        """
        held, now = self._held(terms.endpoint_name), self._clock.now()
        former = held.schedule if held else ""
        terms = replace(terms, sleep=_begun(terms.sleep, held.sleep if held else None, now))
        event = Event(
            at=now,
            kind="terms.set",
            actor=actor,
            reason=terms.words(),
            endpoint_name=terms.endpoint_name,
            data=terms.written(),
        )
        if former and former != terms.schedule:
            # First: after a crash in between, the former hours pay again for what they still hold.
            self._withdraw(terms, former, actor)
        stored = self._store.put(terms, event)
        self._changed()
        return stored

    @contended
    def change(self, endpoint_name: str, actor: str, decide: Callable[[Terms], Terms]) -> Terms:
        """Set what `decide` makes of the present terms, again where another write came first.

        Where nothing is changed nothing is written. Raises what `put` and `get` raise.
        """
        held = self._store.get(endpoint_name) or Terms(endpoint_name=endpoint_name)
        wanted = replace(decide(held), endpoint_name=endpoint_name, version=held.version)
        return held if wanted == held else self.put(wanted, actor)

    def clear(self, endpoint_name: str, actor: str) -> None:
        """Settle nothing any more; where nothing is, nothing is written."""
        self.change(endpoint_name, actor, lambda _: Terms(endpoint_name=endpoint_name))

    def _held(self, endpoint_name: str) -> Terms | None:
        """Return the terms so far; None: there are none, or none that can be read."""
        try:
            return self._store.get(endpoint_name)
        except Unreadable:
            return None  # what is set anew mends it

    @contended
    def _withdraw(self, terms: Terms, former: str, actor: str) -> None:
        """Take back what the former office hours have paid for, and the new ones do not."""
        try:
            lease = self._book.get(terms.endpoint_name)
        except (LeaseNotFound, Unreadable):
            return
        now = self._clock.now()
        if not _paid_by(former, lease, now):
            return
        opening = schedule.parse(terms.schedule).open_at(now) if terms.schedule else None
        shorter = leases.withdrawn(lease, opening.closes_at if opening else now, now)
        if shorter == lease:
            return
        given_up = lease.time_left(now) - shorter.time_left(now)
        event = Event(
            at=now,
            kind="lease.shortened",
            actor=actor,
            reason=f"its office hours were changed; {duration(given_up)} taken back",
            endpoint_name=lease.endpoint_name,
            data={
                "minutes_given_up": in_minutes(given_up),
                "expires_before": written(lease.expiry(now)),
                "expires_at": written(shorter.expiry(now)),
            },
        )
        self._book.put(shorter, event)


def _begun(sleep: Sleep | None, held: Sleep | None, now: datetime) -> Sleep | None:
    """Return what is settled about sleep with when that was: a new idle time begins with it."""
    if sleep is None:
        return None
    same = held is not None and sleep.after == held.after
    return replace(sleep, since=held.since if held is not None and same else now)


def _paid_by(former: str, lease: Lease, now: datetime) -> bool:
    """Tell whether the lease lasts as long as it does because of these office hours."""
    try:
        openings = schedule.parse(former).around(now)
    except InvalidInput:
        return False  # time zone data have changed since: nothing was paid for by them
    return any(each.opens_at <= lease.expires_at <= each.closes_at for each in openings)
