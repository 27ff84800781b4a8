"""What endpoints cost: instance seconds, used and idle apart, with the price they had.

A tally holds the seconds of instances that are alike within one period. Its price is the one of
that time: a new price makes a new tally and leaves the old ones as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain import price
from parkade.domain.price import EMPTY, NOTHING, Sum

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

NONE = timedelta(0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: What an unpriced tally of a serverless variant lacks its price for.
SERVERLESS = "serverless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance that exists for an endpoint."""

    id: str
    endpoint_name: str
    variant_name: str
    #: Empty where it is not known.
    instance_type: str
    started_at: datetime
    serverless: bool = False
    #: The endpoint config that its fleet was brought up by; empty where it is not known.
    config_name: str = ""
    #: Which of the endpoint's fleets it is of: later ones have higher numbers; 0: not known.
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Seconds of instances that are alike, within the period that begins at `at`."""

    at: datetime
    endpoint_name: str
    variant_name: str
    #: Whose lease it was; empty: it had none.
    owner: str
    #: An instance type, or SERVERLESS.
    instance_type: str
    #: USD an hour at that time; None: unpriced.
    hourly: Decimal | None
    used: timedelta = NONE
    idle: timedelta = NONE

    @property
    def key(self) -> tuple[object, ...]:
        """What tallies that add up have in common."""
        return (
            self.at, self.endpoint_name, self.variant_name, self.owner, self.instance_type,
            self.hourly,
        )  # fmt: skip

    @property
    def whole(self) -> timedelta:
        """Used and idle together."""
        return self.used + self.idle

    def plus(self, other: Tally) -> Tally:
        """Return both together; they have one key."""
        return replace(self, used=self.used + other.used, idle=self.idle + other.idle)

    def costs(self, span: timedelta) -> Sum:
        """Return what so much of its time costs."""
        if self.hourly is None:
            return Sum(unpriced=frozenset({self.instance_type})) if span else EMPTY
        return Sum(usd=price.cost(self.hourly, span))


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """For how long an endpoint had instances, within the period that begins at `at`."""

    at: datetime
    endpoint_name: str
    owner: str
    span: timedelta

    @property
    def key(self) -> tuple[object, ...]:
        """What presences that add up have in common."""
        return self.at, self.endpoint_name, self.owner

    def plus(self, other: Presence) -> Presence:
        """Return both together; they have one key."""
        return replace(self, span=self.span + other.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What something cost, and what it would have cost if it had always been on."""

    instances: timedelta = NONE
    used: Sum = EMPTY
    idle: Sum = EMPTY
    #: The same instances from the first sight of the endpoint to now without a break.
    always_on: Sum = EMPTY

    @property
    def cost(self) -> Sum:
        """Used and idle together."""
        return self.used.plus(self.idle)

    @property
    def saved(self) -> Decimal:
        """What was not spent because it was not always on."""
        return max(NOTHING, self.always_on.usd - self.cost.usd)

    def plus(self, other: Costs) -> Costs:
        """Return both together."""
        return Costs(
            instances=self.instances + other.instances,
            used=self.used.plus(other.used),
            idle=self.idle.plus(other.idle),
            always_on=self.always_on.plus(other.always_on),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What an endpoint cost while it had instances, and the time in which it could have had them.

    Always on, it would have cost its mean price an hour while any of them ran, for all that time.
    """

    cost: Sum
    present: timedelta
    start: datetime
    end: datetime

    def without_break(self) -> Sum:
        """Return what it would have cost, always on; never less than it did."""
        return self._costs(max(self.end - self.start, self.present))

    def within(self, start: datetime, end: datetime) -> Sum:
        """Return the part of that which lies between two instants."""
        return self._costs(max(NONE, min(end, self.end) - max(start, self.start)))

    def _costs(self, elapsed: timedelta) -> Sum:
        if not self.present or not elapsed:
            return EMPTY
        usd = self.cost.usd * _microseconds(elapsed) / _microseconds(self.present)
        return Sum(usd=usd, unpriced=self.cost.unpriced)


def pieces(
    start: datetime, end: datetime, borders: frozenset[int]
) -> Iterable[tuple[datetime, datetime, datetime]]:
    """Cut a span at whole hours, and at these minutes past each; give where each period begins.

    The borders are for time zones whose days begin at half past an hour of UTC.
    """
    cuts = sorted(borders | {0, 60})
    while start < end:
        hour = start.replace(minute=0, second=0, microsecond=0)
        passed = start - hour
        begin = max(cut for cut in cuts if timedelta(minutes=cut) <= passed)
        following = hour + timedelta(minutes=min(cut for cut in cuts if cut > begin))
        until = min(following, end)
        yield hour + timedelta(minutes=begin), start, until
        start = until


def summed(tallies: Iterable[Tally]) -> Costs:
    """Return what the tallies cost together; what always-on would have cost is not in it."""
    whole = Costs()
    for each in tallies:
        whole = whole.plus(
            Costs(instances=each.whole, used=each.costs(each.used), idle=each.costs(each.idle))
        )
    return whole


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
