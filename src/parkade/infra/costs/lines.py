"""Lines of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.infra.costs.prices import UnitPrices

#: A month is 730 hours, as AWS's own calculator has it.
HOURS = 730
MINUTES = 60 * HOURS
SECONDS = 60 * MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of what has a price."""

    price: str
    count: Decimal
    #: What it is, where the unit of the price does not say it.
    what: str = ""

    def cost(self, prices: UnitPrices) -> Decimal:
        """Return what it costs."""
        return prices[self.price].of(self.count)


def line(price: str, count: Decimal | float, what: str = "") -> Line:
    """Return a line; a count that was measured is a float."""
    return Line(price=price, count=Decimal(str(count)), what=what)


def total(lines: Iterable[Line], prices: UnitPrices) -> Decimal:
    """Return what they cost together."""
    return sum((each.cost(prices) for each in lines), Decimal(0))
