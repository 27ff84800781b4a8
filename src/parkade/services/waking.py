"""Asking for what is asleep, or over: the one write with which a wake begins.

Whoever asks first is written into the lease; the plan answers it. Hundreds who ask at once are one
ask, and so is one that a crash made somebody repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.errors import Conflict, LeaseNotFound, Unreadable
from parkade.domain.event import GATEWAY, Event
from parkade.domain.standing import unlimited
from parkade.domain.waking import asked, wakes
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.lease import Lease
    from parkade.domain.standing import Refusal
    from parkade.domain.terms import Terms
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.ports.terms import TermsStore


class Waking:
    """Takes the asks. `changed` is called after every write."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        terms: TermsStore,
        clock: Clock,
        changed: Callable[[], None],
        refusal: Refusal = unlimited,
    ) -> None:
        """Take the ports; `refusal` tells people why the time that they ask for is not paid for."""
        self._book = book
        self._terms = terms
        self._clock = clock
        self._changed = changed
        self._refusal = refusal

    def ask(self, endpoint_name: str, why: str, *, actor: str = GATEWAY) -> bool:
        """Ask for the endpoint; return whether it runs, or is going to, because of that or anyway.

        Can be repeated, and called by many at once: what is asked for already is not written again.
        False where there is no lease, or none that a request wakes. Whether a budget pays for it is
        the plan's to find out, which tells the owner; callers are told how the endpoint stands.
        Raises Unreadable.
        """
        try:
            self._ask(endpoint_name, why, actor)
        except (LeaseNotFound, Conflict):
            return False
        return True

    def wake(self, endpoint_name: str, *, actor: str) -> Lease:
        """Ask for the endpoint as a person; return its lease, unchanged where it is not asleep.

        Raises LeaseNotFound, and where the lease is over Conflict if no request wakes it, and what
        keeps the time from being paid for, such as BudgetExceeded.
        """
        held = self._book.get(endpoint_name)
        refused = self._refusal(held, self._settled(endpoint_name))
        if refused is not None:
            raise refused
        return self._ask(endpoint_name, f"{actor} asked for it", actor)

    @contended
    def _ask(self, endpoint_name: str, why: str, actor: str) -> Lease:
        lease = self._book.get(endpoint_name)
        now = self._clock.now()
        if not lease.over(now) and lease.asleep_at is None:
            return lease
        if not wakes(lease, self._settled(endpoint_name), now):
            raise Conflict(
                f"the lease of {endpoint_name!r} is over ({lease.reason_over()}), and no request "
                "wakes it",
                hint=f"give it new time: parkade start {endpoint_name} --minutes 30",
            )
        if asked(lease, now):
            return lease
        event = Event(
            at=now,
            kind="lease.wanted",
            actor=actor,
            reason=why,
            endpoint_name=endpoint_name,
        )
        stored = self._book.put(leases.wanted(lease, now), event)
        self._changed()
        return stored

    def _settled(self, endpoint_name: str) -> Terms | None:
        """Return the terms; none of what cannot be read, so that nothing is bought by it."""
        try:
            return self._terms.get(endpoint_name)
        except Unreadable:
            return None
