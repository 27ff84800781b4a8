"""The price of time, before it is bought and with the answer that it was."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import lease as leases
from parkade.domain import names, price
from parkade.domain.cost import SERVERLESS
from parkade.domain.errors import LeaseNotFound, ParkadeError
from parkade.domain.price import CURRENCY, Sum

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from decimal import Decimal

    from parkade.domain.budget import Standing
    from parkade.domain.lease import Lease, LeaseRules
    from parkade.domain.price import Machine
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.ports.machines import Machines
    from parkade.services.budgets import Budgets
    from parkade.services.prices import Prices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What time on an endpoint costs, and what is left of the budget that pays for it."""

    endpoint_name: str
    owner: str
    amount: timedelta
    machines: tuple[Machine, ...]
    hourly: Sum
    #: How the owner's budget stands with it; None: there is none, or it cannot be read.
    standing: Standing | None
    now: datetime

    @property
    def cost(self) -> Sum:
        """What it costs."""
        return Sum(usd=price.cost(self.hourly.usd, self.amount), unpriced=self.hourly.unpriced)

    @property
    def left(self) -> Decimal | None:
        """What is left of the budget in this period, with it paid; None: no budget."""
        return None if self.standing is None else self.standing.left

    @property
    def noun(self) -> str:
        """What it runs on: `2 x ml.g5.12xlarge`; variants that are alike are one."""
        alike: dict[str, int] = {}
        for each in self.machines:
            name = SERVERLESS if each.serverless else each.instance_type
            alike[name] = alike.get(name, 0) + each.count
        return ", ".join(
            name if name == SERVERLESS else f"{count} x {name}" for name, count in alike.items()
        )

    @property
    def text(self) -> str:
        """All of it: `90 more minutes of 2 x ml.g5.12xlarge: 21.27 USD, 4.20 left this week`."""
        minutes = self.amount.total_seconds() / 60
        count = f"{minutes:.2f}".rstrip("0").rstrip(".")
        told = f"{count} more minute{'' if count == '1' else 's'} of {self.noun}: {self.cost}"
        standing = self.standing
        if standing is None:
            return told
        when = standing.budget.noun(standing.period, self.now)
        if standing.left >= 0:
            return f"{told}, {price.dollars(standing.left)} left {when}"
        passed = price.dollars(-standing.left)
        return f"{told}, {passed} {CURRENCY} more than is left {when}"


class Quotes:
    """Tells prices of time."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        machines: Machines,
        prices: Prices,
        budgets: Budgets,
        clock: Clock,
        rules: Callable[[], LeaseRules],
    ) -> None:
        self._book = book
        self._machines = machines
        self._prices = prices
        self._budgets = budgets
        self._clock = clock
        self._rules = rules

    def price(
        self,
        endpoint_name: str,
        *,
        config_name: str | None = None,
        amount: timedelta | None = None,
        owner: str,
    ) -> Quote:
        """Return what so much more time costs whoever has the lease, or `owner` where none is.

        Raises LeaseNotFound where there is none and no config is named, ConfigNotFound, and
        InvalidInput where the time is more than is allowed.
        """
        names.endpoint_name(endpoint_name)
        now, rules = self._clock.now(), self._rules()
        paid = rules.initial if amount is None else amount
        held: Lease | None
        try:
            held = self._book.get(endpoint_name)
        except LeaseNotFound:
            if config_name is None:
                raise
            held = None
        if held is not None:
            lease = leases.extend(held, paid, now, rules)
        else:
            lease = leases.grant(
                endpoint_name=endpoint_name,
                config_name=config_name or "",
                owner=names.buyer_name(owner),
                amount=paid,
                now=now,
                rules=rules,
            )
        return self._quote(lease, paid, self._budgets.outlook(lease, held, now), now)

    def paid(self, lease: Lease, amount: timedelta) -> Quote | None:
        """Return the price of time that was bought; None where it cannot be told any more.

        Never raises what a store raises: what was paid is paid.
        """
        now = self._clock.now()
        try:
            return self._quote(lease, amount, self._budgets.outlook(lease, lease, now), now)
        except ParkadeError as error:
            logger.warning("the price of %s cannot be told: %s", lease.endpoint_name, error.message)
            return None

    def _quote(
        self, lease: Lease, amount: timedelta, standing: Standing | None, now: datetime
    ) -> Quote:
        machines = tuple(self._machines.wanted(lease.endpoint_name, lease.config_name))
        return Quote(
            endpoint_name=lease.endpoint_name,
            owner=lease.owner,
            amount=amount,
            machines=machines,
            hourly=self._prices.hourly(machines),
            standing=standing,
            now=now,
        )
