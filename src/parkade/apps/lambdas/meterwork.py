"""The services of the meter inside functions, over the stores and adapters of an account.

They are those of the control process, built by the same parts; what differs is who calls them. None is
made before it is needed, so that a function pays for what it uses.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch.usage import CloudWatchUsage
from parkade.adapters.aws.dynamodb.prices import DynamoPriceLists
from parkade.adapters.aws.dynamodb.stores import DynamoStores
from parkade.adapters.aws.functions import Later
from parkade.adapters.aws.narrow import OneEndpoint, OneLease
from parkade.adapters.aws.stepfunctions import Machine, Timers
from parkade.adapters.system.ticks import SystemTicks
from parkade.apps.cloud import hosting
from parkade.apps.lambdas import leanfile, means
from parkade.apps.lambdas.metering import Metering
from parkade.apps.lambdas.sweeping import NoTimers
from parkade.apps.lambdas.tidying import Tidying
from parkade.apps.parts import money as spending
from parkade.apps.parts import upkeep as upkeeping
from parkade.services.lookback import Lookback
from parkade.services.meter import Meter
from parkade.services.notices import RecordedNotices
from parkade.services.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.adapters.aws.account import Account
    from parkade.apps.lambdas import sweeping
    from parkade.apps.parts.money import Money
    from parkade.apps.parts.upkeep import Upkeep
    from parkade.apps.serverfile import ServerFile
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.lease import LeaseRules
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook


@dataclass(frozen=True, slots=True)
class Ground:
    """What all services of a function stand on."""

    settings: FunctionSettings
    account: Account
    clock: Clock
    #: The server's settings.
    file: ServerFile
    stores: DynamoStores
    maker: hosting.SageMaker

    @classmethod
    def of(cls, settings: FunctionSettings, *, sweeps: bool = False) -> Ground:
        """Return it, of what the function was told. Nobody is asked for anything yet.

        The one function that `sweeps` for all endpoints also tells the history what becomes of them.
        """
        account, clock = means.account(settings), means.clock()
        stores = DynamoStores(means.main_table(settings, account), clock)
        file = leanfile.read({"region": settings.region, **settings.server})
        maker = hosting.build(account, stores, clock, sweeps=sweeps)
        return cls(settings, account, clock, file, stores, maker)


class Work:
    """The services of one function, for all endpoints or for one."""

    def __init__(
        self, ground: Ground, *, one: str = "", changed: Callable[[], None] = lambda: None
    ) -> None:
        """`one` names an endpoint that is all there is to see; none: all are to be seen.

        `changed` is called after every change of a lease.
        """
        self.ground = ground
        self._one = one
        self._changed = changed
        self.account, self.clock, self.file = ground.account, ground.clock, ground.file
        self.stores, self.maker = ground.stores, ground.maker
        self.history = ground.stores.history
        self.notices = RecordedNotices(self.history)

    def rules(self) -> LeaseRules:
        """Return the rules that leases live under."""
        return self.file.lease_rules()

    @property
    def book(self) -> LeaseBook:
        """The lease book, as the sweep lists it."""
        return OneLease(self.stores.book, self._one) if self._one else self.stores.book

    @cached_property
    def hosting(self) -> Hosting:
        """Hosting, as the sweep sees it."""
        whole = self.maker.hosting
        return OneEndpoint(whole, self.look, self._one) if self._one else whole

    def look(self, name: str) -> ObservedEndpoint | None:
        """Return how one endpoint is now."""
        seen = self.maker.sights.look(name)
        return None if seen is None else seen.observed

    @cached_property
    def usage(self) -> CloudWatchUsage:
        """How endpoints are used."""
        look = Lookback(self.stores.terms, self.stores.watches)
        return CloudWatchUsage(self.account, self.maker.subjects, self.clock, look=look)

    @cached_property
    def money(self) -> Money:
        """Prices, budgets, and what is spent."""
        return spending.build(
            spending.Ports(
                stores=self.stores,
                book=self.stores.book,
                history=self.history,
                notices=self.notices,
                machines=self.maker.machines,
                lists=DynamoPriceLists(self.history),
                clock=self.clock,
                file=lambda: self.file,
                rules=self.rules,
                bookings=lambda now: self.upkeep.bookings.ahead(now),  # noqa: PLW0108  it is made below
                changed=self._changed,
            )
        )

    @cached_property
    def upkeep(self) -> Upkeep:
        """What the meter does by itself about leased and watched endpoints."""
        budgets = self.money.budgets
        return upkeeping.build(
            upkeeping.Ports(
                stores=self.stores,
                catalog=self.maker.inventory,
                book=self.stores.book,
                hosting=self.hosting,
                history=self.history,
                notices=self.notices,
                clock=self.clock,
                usage=self.usage,
                file=lambda: self.file,
                rules=self.rules,
                changed=self._changed,
                admit=budgets.admit,
                reserve=budgets.reserve,
                at_once=lambda: budgets.at_once().admit,
                budgets=budgets,
            )
        )

    @cached_property
    def meter(self) -> Meter:
        """What is done with leases."""
        return Meter(
            book=self.stores.book,
            hosting=self.hosting,
            clock=self.clock,
            rules=self.rules,
            changed=self._changed,
            leaving=self.upkeep.leaving,
            admit=self.money.budgets.admit,
        )

    @cached_property
    def sweep(self) -> Sweep:
        """The one decision, and what carries it out."""
        return Sweep(
            book=self.book,
            hosting=self.hosting,
            history=self.history,
            notices=self.notices,
            clock=self.clock,
            rules=self.rules,
            idling=self.upkeep.idling,
            paying=self.upkeep.paying,
            around=self.upkeep.around,
        )

    @cached_property
    def timers(self) -> sweeping.Timers:
        """What waits for the end of leases."""
        arn = self.ground.settings.timer
        return Timers(Machine(self.account, arn)) if arn else NoTimers()

    @cached_property
    def metering(self) -> Metering:
        """What writes down what instances cost."""
        return Metering(self.money.bookkeeper, self.maker.machines, self.usage)

    @cached_property
    def tidying(self) -> Tidying:
        """What forgets what is too old."""

        def spent(now: datetime) -> None:
            self.money.bookkeeper.forget(now - timedelta(days=self.file.money.keep_days))

        def left(now: datetime) -> None:
            before = now - timedelta(days=self.file.maintain.undo_days)
            self.stores.remains.forget(before)
            self.stores.kept.forget(before)

        return Tidying(
            {"what was spent long ago": spent, "what is left of endpoints that went long ago": left}
        )

    @cached_property
    def again(self) -> Later:
        """What has this function called again."""
        return Later(self.account, self.ground.settings.function)


def ticks() -> SystemTicks:
    """Return seconds to measure with."""
    return SystemTicks()


def pause(span: timedelta) -> None:
    """Wait, in a function that has nothing else to do."""
    time.sleep(span.total_seconds())
