"""Budgets: set, shown, and reserved from before a lease is granted.

    caller                         stores
      purse(owner)    ---------->  version 7
      (leases, spend, budget)      what is committed follows from them
      put(lease, purse 7) ------>  lease, event and purse 8: one transaction
                                   a version of 8 there means: somebody else has paid meanwhile

Whoever loses the race decides again on what is left then, so that parallel calls cannot pass a
budget. What only gets shorter needs no purse, and gives back by itself what was reserved.

Where a budget, or what was spent, cannot be read, owners who may have a budget get no new time, and
nothing that runs is stopped.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from parkade.domain import price
from parkade.domain.budget import Budget, Overspent, Per, Standing, WhenSpent, reserved
from parkade.domain.errors import BudgetExceeded, Conflict, ParkadeError
from parkade.domain.event import METER, Event, written
from parkade.domain.lease import Lease, rebased
from parkade.domain.price import CURRENCY, NOTHING, dollars, rounded
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from parkade.domain.budget import Period
    from parkade.domain.price import Machine, Sum
    from parkade.domain.terms import Booking
    from parkade.ports.budgets import BudgetStore, Purse
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.leases import Shelf
    from parkade.services.commitments import Commitments


def nobodys(owner: str) -> Budget | None:  # noqa: ARG001
    """Limit nobody."""
    return None


class Budgets:
    """Sets and shows budgets, and holds payments to them."""

    def __init__(
        self,
        store: BudgetStore,
        commitments: Commitments,
        *,
        clock: Clock,
        default: Callable[[str], Budget | None] = nobodys,
        changed: Callable[[], None] = lambda: None,
        once: bool = False,
        instead: Budget | None = None,
    ) -> None:
        """Take the store, and what counts against budgets.

        `once`: each is read once; `instead` stands in the place of its owner's.
        """
        self._store = store
        self._own: Callable[[str], Budget | None] = cache(store.get) if once else store.get
        self._purse: Callable[[str], Purse] = cache(store.purse) if once else store.purse
        self._instead = instead
        self._commitments = commitments
        self._clock = clock
        self._default = default
        self._changed = changed
        #: What could not be read when it was last asked who has overspent; empty: nothing.
        self.trouble = ""

    # What people do.

    def put(self, budget: Budget, *, actor: str) -> Standing:
        """Set an owner's budget, which counts at once; return how it stands."""
        event = Event(
            at=self._clock.now(),
            kind="budget.set",
            actor=actor,
            reason=f"{budget.owner} may spend {budget}; then: {budget.then}",
            owner=budget.owner,
            data={
                "owner": budget.owner,
                "usd": str(budget.usd),
                "per": budget.per,
                "then": budget.then,
                "zone": budget.zone,
            },
        )
        stored = self._store.put(budget, event)
        self._changed()
        return self.standing(stored)

    def remove(self, owner: str, *, actor: str) -> None:
        """Remove an owner's budget. Raises NotFound."""
        event = Event(
            at=self._clock.now(),
            kind="budget.removed",
            actor=actor,
            reason=f"{owner} has no budget of their own any more",
            owner=owner,
            data={"owner": owner},
        )
        self._store.remove(owner, event)
        self._changed()

    def get(self, owner: str) -> Budget | None:
        """Return the owner's budget, or the one for all. Raises Unreadable."""
        if self._instead is not None and self._instead.owner == owner:
            return self._instead
        return self._own(owner) or (None if owner == METER else self._default(owner))

    def all(self) -> Listing[Budget]:
        """Return every budget that was set, and why others cannot be read."""
        return self._store.all()

    def standing(self, budget: Budget, period: Period | None = None) -> Standing:
        """Return how a budget stands in a period; by default in this one."""
        now = self._clock.now()
        return self._standing(budget, period or budget.period(now), now)

    def outlook(self, lease: Lease, held: Lease | None, now: datetime) -> Standing | None:
        """Return how the owner's budget would stand in this period with the lease as it would be.

        None: there is no budget. Raises what keeps it from being read.
        """
        budget = self.get(lease.owner)
        if budget is None:
            return None
        anew = _begins(held, now) == now
        return self._standing(budget, budget.period(now), now, but=lease, anew=anew)

    # What the meter asks.

    def rehearsal(
        self, config_name: str, machines: Sequence[Machine], budget: Budget | None = None
    ) -> Budgets:
        """Return budgets that admit as these do once this config is made, and this budget set."""
        return Budgets(
            self._store,
            self._commitments.rehearsal(config_name, machines),
            clock=self._clock,
            default=self._default,
            instead=budget,
        )

    def at_once(self) -> Budgets:
        """Return budgets as they are now, for many questions: what is stored is read once.

        What they admit is not to be stored: by then it may not be true any more.
        """
        return Budgets(
            self._store,
            self._commitments.at_once(),
            clock=self._clock,
            default=self._default,
            once=True,
        )

    def admit(self, lease: Lease, held: Lease | None, now: datetime) -> Purse | None:
        """Return the purse that pays for the lease as it would be; None: nothing limits it.

        It is to be stored with the lease. Raises BudgetExceeded where more is asked for than is
        left, Conflict where the price is not known, and what keeps a budget from being read.
        """
        # What is asleep with its clock paused may wake at any time, and goes on from now then.
        lease = rebased(lease, now)
        begins = _begins(held, now)
        if lease.over(now) or lease.expires_at <= begins:
            return None
        return self._require(lease, begins, now)

    def reserve(self, booking: Booking, now: datetime) -> Purse | None:
        """Return the purse that pays for a booking, as `admit` does for a lease."""
        lease = Lease(
            endpoint_name=booking.endpoint_name,
            config_name=booking.config_name,
            owner=booking.owner,
            created_at=booking.starts_at,
            expires_at=booking.ends_at,
        )
        return self._require(lease, max(now, booking.starts_at), now, also=booking)

    def overspent(self, now: datetime, shelf: Shelf) -> Mapping[str, Overspent]:
        """Return the owners of valid leases whose budget is used up.

        Never raises: what cannot be read says nothing, and is `trouble`.
        """
        found: dict[str, Overspent] = {}
        trouble: list[str] = []
        for owner in sorted({lease.owner for lease in shelf.leases if not lease.over(now)}):
            try:
                budget = self.get(owner)
                if budget is None:
                    continue
                period = budget.period(now)
                spent = self._commitments.spent(owner, period)
            except ParkadeError as error:
                trouble.append(error.message)
                continue
            standing = Standing(budget=budget, period=period, spent=spent.usd, reserved=NOTHING)
            if standing.used_up:
                found[owner] = Overspent(owner=owner, then=budget.then, reason=_used_up(standing))
        self.trouble = "; ".join(dict.fromkeys(trouble))
        return found

    def borders(self, now: datetime) -> frozenset[int]:
        """Return the minutes past an hour at which periods of budgets begin."""
        try:
            budgets = [*self._store.all().records, self._default("anybody")]
        except ParkadeError:
            return frozenset()  # what is meant for a later period counts against the hour's
        return frozenset(
            instant.minute
            for budget in budgets
            if budget is not None
            for period in [budget.period(now)]
            for instant in (period.start, period.end)
        )

    def _require(
        self, lease: Lease, begins: datetime, now: datetime, *, also: Booking | None = None
    ) -> Purse | None:
        """Require room for the time of the lease from `begins` on, in every period it touches."""
        purse = self._purse(lease.owner)
        budget = self.get(lease.owner)
        if budget is None or budget.then is WhenSpent.WARN:
            return None
        hourly = self._commitments.hourly(lease.endpoint_name, lease.config_name)
        _require_price(budget, lease, hourly)
        claims = (
            self._commitments.claims(lease.owner, now, but=lease, anew=begins == now)
            if also is None
            else self._commitments.claims(lease.owner, now, also=also)
        )
        for period in budget.periods(begins, lease.expires_at):
            standing = Standing(
                budget=budget,
                period=period,
                spent=self._commitments.spent(lease.owner, period).usd,
                reserved=reserved(claims.claims, period),
            )
            asked = period.within(begins, lease.expires_at)
            if standing.left < 0 and asked and hourly.usd:
                raise _exceeded(standing, hourly, asked, now)
        return purse

    def _standing(
        self,
        budget: Budget,
        period: Period,
        now: datetime,
        *,
        but: Lease | None = None,
        anew: bool = False,
    ) -> Standing:
        spent = self._commitments.spent(budget.owner, period)
        claims = self._commitments.claims(budget.owner, now, but=but, anew=anew)
        return Standing(
            budget=budget,
            period=period,
            spent=spent.usd,
            reserved=reserved(claims.claims, period),
            unpriced=spent.unpriced | claims.unpriced,
        )


def _begins(held: Lease | None, now: datetime) -> datetime:
    """Return from when on the time is new."""
    return now if held is None or held.over(now) else held.expiry(now)


def _require_price(budget: Budget, lease: Lease, hourly: Sum) -> None:
    if hourly.unpriced:
        names = ", ".join(sorted(hourly.unpriced))
        raise Conflict(
            f"{lease.owner!r} has a budget ({budget}), and what {lease.endpoint_name!r} costs is "
            f"not known: {names} has no price",
            hint="give it one in server.yaml (money.prices), or fetch AWS's prices: parkade prices "
            "update",
        )


def _exceeded(standing: Standing, hourly: Sum, asked: timedelta, now: datetime) -> BudgetExceeded:
    budget, period = standing.budget, standing.period
    cost = price.cost(hourly.usd, asked)
    left = standing.left + rounded(cost)
    when = budget.noun(period, now)
    text = (
        f"{duration(asked)} more would cost {dollars(cost)} {CURRENCY} {when}, and "
        f"{dollars(max(NOTHING, left))} {CURRENCY} is left of the budget of {budget.owner} "
        f"({budget}) until {written(period.end)}"
    )
    minutes = int(left / hourly.usd * 60)
    fits = f"at most {minutes} minutes fit in; " if minutes > 0 else ""
    return BudgetExceeded(
        text,
        until=period.end,
        hint=f"{fits}end a lease that is not needed, or raise the budget: parkade budget set "
        f"{budget.owner} USD --per {budget.per}",
    )


def _used_up(standing: Standing) -> str:
    budget, period = standing.budget, standing.period
    amount = f"{dollars(budget.usd)} {CURRENCY}"
    when = f"{period.day}" if budget.per is Per.DAY else f"the {budget.per} from {period.day}"
    return f"the budget of {budget.owner}, {amount} for {when}, is used up"
