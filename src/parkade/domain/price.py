"""Prices of instances, and sums of money: US dollars, exact.

What has no price is unpriced: it is never counted as free, and a sum that lacks it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003  stores read these forms by their annotations
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

CURRENCY = "USD"
NOTHING = Decimal(0)
_CENT = Decimal("0.01")
_SMALLEST = Decimal("0.0001")
#: Sums are rounded to this before they are compared or written down: a millionth of a dollar.
MICRO = Decimal("0.000001")
_MICROSECONDS_AN_HOUR = Decimal(3_600_000_000)


class PriceSource(StrEnum):
    """Where a price is from; the first one that knows a type is believed."""

    SETTINGS = "settings"
    AWS = "aws"
    PACKAGED = "packaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an instance costs an hour in a region."""

    instance_type: str
    region: str
    hourly: Decimal
    source: PriceSource
    #: Of the list that it stands in; None: a setting has no date.
    dated: date | None = None
    #: Whether more than one source agreed on it, or AWS itself told it.
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """The prices of one region, as of a day."""

    region: str
    dated: date
    #: Where they are from, for people.
    origin: str
    quoted: dict[str, Decimal]
    #: What only one source told.
    unconfirmed: dict[str, Decimal]

    def prices(self, source: PriceSource) -> dict[str, Price]:
        """Return the prices by instance type; what is quoted goes before what is unconfirmed."""
        return {
            name: Price(
                instance_type=name,
                region=self.region,
                hourly=hourly,
                source=source,
                dated=self.dated,
                confirmed=name in self.quoted,
            )
            for name, hourly in {**self.unconfirmed, **self.quoted}.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Instances that are alike: those of one variant."""

    variant_name: str
    #: Empty where it has none: serverless, or not known.
    instance_type: str
    count: int
    serverless: bool = False

    @property
    def noun(self) -> str:
        """What it is called: `2 x ml.g5.12xlarge`, `serverless`."""
        if self.serverless:
            return "serverless"
        return f"{self.count} x {self.instance_type or 'an unknown type'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """An amount of money, and what it lacks because it has no price."""

    usd: Decimal = NOTHING
    #: Why something is not in it, by what it is: `ml.x1.large`, `serverless`.
    unpriced: frozenset[str] = frozenset()

    def plus(self, other: Sum) -> Sum:
        """Return both together."""
        return Sum(usd=self.usd + other.usd, unpriced=self.unpriced | other.unpriced)

    def __str__(self) -> str:
        """Write it for people: `21.27 USD`, `21.27 USD + 2 unpriced`, `unpriced`."""
        if not self.unpriced:
            return f"{dollars(self.usd)} {CURRENCY}"
        if not self.usd:
            return "unpriced"
        return f"{dollars(self.usd)} {CURRENCY} + {len(self.unpriced)} unpriced"


EMPTY = Sum()


def total(sums: Iterable[Sum]) -> Sum:
    """Return all of them together."""
    whole = EMPTY
    for each in sums:
        whole = whole.plus(each)
    return whole


def cost(hourly: Decimal, span: timedelta) -> Decimal:
    """Return what so much time of an instance costs."""
    return hourly * _microseconds(span) / _MICROSECONDS_AN_HOUR


def rounded(amount: Decimal) -> Decimal:
    """Return the amount as it is compared and written down: to a millionth of a dollar."""
    return amount.quantize(MICRO, ROUND_HALF_UP)


def dollars(amount: Decimal) -> str:
    """Write an amount for people: with cents, and what is less than one with up to 4 digits."""
    if not amount or abs(amount) >= _CENT:
        return f"{amount.quantize(_CENT, ROUND_HALF_UP)}"
    small = amount.quantize(_SMALLEST, ROUND_HALF_UP)
    if not small:
        return "<0.0001" if amount > 0 else ">-0.0001"
    return f"{small}".rstrip("0")


def amount(given: float | str | Decimal) -> Decimal:
    """Return a number as it is written, rather than as a binary float holds it."""
    return given if isinstance(given, Decimal) else Decimal(str(given))


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
