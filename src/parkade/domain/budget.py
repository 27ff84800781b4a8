"""Budgets: what an owner may spend in a period, reserved before a lease is granted.

What is committed is never stored, it follows from what is: what was spent in the period, and for
each of the owner's leases the price of its remaining time within the period. So minutes that are
given up go back by themselves, and the part of a lease that lies in the next period counts against
the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parkade.domain import names, price
from parkade.domain.errors import InvalidInput
from parkade.domain.price import CURRENCY, NOTHING, dollars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIMIT_MOST = Decimal(1_000_000_000)


class WhenSpent(StrEnum):
    """What happens when a budget is used up."""

    WARN = "warn"
    REFUSE = "refuse"
    STOP = "stop"


class Per(StrEnum):
    """The period that a budget is for; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period of a budget: from an instant up to, and without, another; aware UTC."""

    start: datetime
    end: datetime
    #: The day that it begins on, where the budget is.
    day: date

    def within(self, start: datetime, end: datetime) -> timedelta:
        """Return how much of the time between two instants lies in it."""
        return max(timedelta(0), min(end, self.end) - max(start, self.start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an owner may spend in each period."""

    owner: str
    usd: Decimal
    per: Per
    then: WhenSpent = WhenSpent.REFUSE
    #: Where its days begin: a name of the time zone database.
    zone: str = "UTC"
    #: Counts writes. 0: never stored, as that of the settings.
    version: int = 0

    def __post_init__(self) -> None:
        names.owner_name(self.owner)
        if not self.usd.is_finite() or not NOTHING <= self.usd <= LIMIT_MOST:
            raise InvalidInput(
                f"usd {self.usd} is not an amount of 0 to {LIMIT_MOST}",
                field="usd",
                hint="give US dollars such as 50 or 12.50",
            )
        zone_of(self.zone)

    def period(self, now: datetime) -> Period:
        """Return the period that an instant lies in."""
        first = _first_day(now.astimezone(zone_of(self.zone)).date(), self.per)
        period = self._from(first)
        # Where clocks are set back over midnight, its last hour comes again in the new day.
        return period if now < period.end else self._from(_following(first, self.per))

    def periods(self, start: datetime, end: datetime) -> Iterator[Period]:
        """Return the periods that the time between two instants touches, in order."""
        period = self.period(start)
        yield period
        while period.end < end:
            period = self._from(_following(period.day, self.per))
            yield period

    def _from(self, day: date) -> Period:
        return Period(
            start=_midnight(day, self.zone),
            end=_midnight(_following(day, self.per), self.zone),
            day=day,
        )

    def noun(self, period: Period, now: datetime) -> str:
        """Name a period as people do: `this week`, `the week from 2026-03-02`."""
        if period.start <= now < period.end:
            return "today" if self.per is Per.DAY else f"this {self.per}"
        return f"the {self.per} from {period.day}"

    def __str__(self) -> str:
        """Write it for people: `50.00 USD a week`."""
        return f"{dollars(self.usd)} {CURRENCY} a {self.per}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Time that is paid, or asked for: what it costs an hour, and from when until when."""

    hourly: Decimal
    start: datetime
    end: datetime


def reserved(claims: Iterable[Claim], period: Period) -> Decimal:
    """Return what the claims cost within the period."""
    return sum(
        (price.cost(each.hourly, period.within(each.start, each.end)) for each in claims), NOTHING
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a budget stands in a period."""

    budget: Budget
    period: Period
    spent: Decimal
    reserved: Decimal
    #: What was spent, or is reserved, without a price: it is not in the sums.
    unpriced: frozenset[str] = frozenset()

    @property
    def left(self) -> Decimal:
        """What can still be granted; negative where it is passed."""
        return price.rounded(self.budget.usd - self.spent - self.reserved)

    @property
    def used_up(self) -> bool:
        """Whether all of it is spent."""
        return price.rounded(self.spent) >= self.budget.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Overspent:
    """An owner whose budget is used up, and what follows."""

    owner: str
    then: WhenSpent
    #: `the budget of ann, 5.00 USD for the week from 2026-03-02, is used up`: the same for as long
    #: as the period lasts, so that it is told once.
    reason: str


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of this name. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"zone {name[:80]!r} is not a time zone that this machine knows",
            field="zone",
            hint="give a name such as UTC or Europe/Berlin",
        ) from error


def _first_day(day: date, per: Per) -> date:
    if per is Per.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if per is Per.MONTH else day


def _following(first: date, per: Per) -> date:
    if per is Per.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if per is Per.WEEK else 1)


def _midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a day begins; where clocks skip midnight, when they do."""
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)
