"""Puts in the coins that are due without a person: for office hours, bookings, use and wakes.

One compare-and-set write with its event, as with a person's coin; where another write came first
it is dropped, and the next sweep decides again. A budget is asked first. Where it refuses, that is
told once for each opening, and asked again by every sweep: the budget may have grown. A booking was
reserved when it was made; where the lease is somebody else's by then, their budget is asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain.actions import Action, DueCoin, NoticeKind, PaidBy
from parkade.domain.errors import BudgetExceeded
from parkade.domain.event import METER, Event, Json, in_minutes, written
from parkade.domain.spans import duration
from parkade.services.meter import Admit, free

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.lease import Lease, LeaseRules
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.services.telling import Teller

_REFUSED = "lease.unpaid"
_PAID = "lease.paid"


class Paying:
    """Carries out what the plan wants paid. `changed` is called after every write."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        hosting: Hosting,
        teller: Teller,
        rules: Callable[[], LeaseRules],
        changed: Callable[[], None],
        admit: Admit = free,
    ) -> None:
        self._book = book
        self._hosting = hosting
        self._teller = teller
        self._rules = rules
        self._changed = changed
        self._admit = admit

    def pay(self, action: Action, now: datetime) -> bool:
        """Bring the expiry to the instant that the coin names; return whether it was brought there.

        Raises VersionConflict or LeaseNotFound where the decision has been overtaken, and
        ConfigNotFound where what a booking is to run is gone.
        """
        coin, held = action.coin, action.lease
        if coin is None:
            return False
        rules = self._rules()
        wanted = _wanted(action.endpoint_name, held, coin, now, rules)
        if wanted == held:
            return False
        if held is None or held.over(now):
            self._hosting.require_config(wanted.config_name)
        event = _event(wanted, held, coin, action.reason, now)
        try:
            purse = None if _reserved(coin, wanted) else self._admit(wanted, held, now)
        except BudgetExceeded as refusal:
            return self._refused(action, coin, refusal, now)
        self._book.put(wanted, event, purse=purse)
        self._changed()
        return True

    def _refused(
        self, action: Action, coin: DueCoin, refusal: BudgetExceeded, now: datetime
    ) -> bool:
        # The reason is the same until the opening is over; what the budget says need not be.
        what = f"by {coin.by} until {written(coin.until)}"
        if coin.by is PaidBy.WAKE:  # which has no end of its own
            what = "although it is asked for"
        reason = f"not paid for {what}: it is over the budget"
        event = Event(
            at=now,
            kind=_REFUSED,
            actor=METER,
            reason=reason,
            endpoint_name=action.endpoint_name,
            data={"by": coin.by, "error": refusal.message},
        )
        return self._teller.once(
            event,
            NoticeKind.BUDGET,
            lease=action.lease,
            until=(_PAID,),
            text=f"{reason}: {refusal.message}",
        )


def _reserved(coin: DueCoin, wanted: Lease) -> bool:
    """Tell whether what the coin costs was reserved for the owner of the lease."""
    return coin.by is PaidBy.BOOKING and coin.owner == wanted.owner


def _wanted(
    name: str, held: Lease | None, coin: DueCoin, now: datetime, rules: LeaseRules
) -> Lease:
    """Return the lease as it is to be: with no more time than may be paid ahead."""
    until = min(coin.until, now + rules.max_ahead)
    if held is None:
        return leases.grant(
            endpoint_name=name,
            config_name=coin.config_name,
            owner=coin.owner,
            amount=until - now,
            now=now,
            rules=rules,
        )
    if coin.by is PaidBy.WAKE:
        return leases.bought_by_wake(held, until, now, rules)
    paid = leases.paid(held, until, now, rules)
    if coin.by is not PaidBy.BOOKING or paid == held:
        return paid
    # A booking is a person's coin, put in when its time has come.
    bought = replace(paid, paid_until=None)
    return leases.reconfigured(bought, coin.config_name) if held.over(now) else bought


def _event(wanted: Lease, held: Lease | None, coin: DueCoin, reason: str, now: datetime) -> Event:
    start = now if held is None or held.over(now) else held.expires_at
    data: dict[str, Json] = {
        "by": coin.by,
        "minutes": in_minutes(wanted.expires_at - start),
        "expires_before": None if held is None else written(held.expires_at),
        "expires_at": written(wanted.expires_at),
        "config_name": wanted.config_name,
        "owner": wanted.owner,
    }
    if coin.booking_id:
        data["booking_id"] = coin.booking_id
    return Event(
        at=now,
        kind=_PAID,
        actor=METER,
        reason=f"{duration(wanted.expires_at - start)} added: {reason}",
        endpoint_name=wanted.endpoint_name,
        data=data,
    )
