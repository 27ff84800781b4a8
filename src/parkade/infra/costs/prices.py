"""Unit prices: one dated table, to be replaced by whoever knows better.

`prices.json` beside this module has them, each with the page of AWS that is the authority on it, and
whether somebody has looked it up there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What so many of something cost."""

    name: str
    usd: Decimal
    per: int
    #: What is counted, for people, and whether it is paid for each month that it is there.
    unit: str
    monthly: bool
    #: The page of AWS that says it.
    source: str
    confirmed: bool

    def of(self, count: Decimal) -> Decimal:
        """Return what so many cost."""
        return count * self.usd / self.per


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrices:
    """The prices of one region, as of a day."""

    region: str
    dated: date
    #: Where they are from, for people.
    origin: str
    every: tuple[UnitPrice, ...]

    def __getitem__(self, name: str) -> UnitPrice:
        """Return a price by its name."""
        for each in self.every:
            if each.name == name:
                return each
        raise InvalidInput(
            f"the table of unit prices has no {name!r}",
            field="prices",
            hint="it needs every name that prices.json of parkade.infra.costs has",
        )


def packaged() -> UnitPrices:
    """Return the table that comes with Parkade."""
    return _read(resources.files("parkade.infra.costs").joinpath("prices.json").read_text("utf-8"))


def read(file: Path) -> UnitPrices:
    """Return the table of a file. Raises InvalidInput that names it."""
    try:
        return _read(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise InvalidInput(
            f"{file} is no table of unit prices: {error!r}",
            field="prices",
            hint="begin with a copy of prices.json of parkade.infra.costs",
        ) from error


def _read(text: str) -> UnitPrices:
    told = json.loads(text)
    return UnitPrices(
        region=str(told["region"]),
        dated=date.fromisoformat(told["dated"]),
        origin=str(told["origin"]),
        every=tuple(
            UnitPrice(
                name=name,
                usd=Decimal(each["usd"]),
                per=int(each["per"]),
                unit=str(each["unit"]),
                monthly=bool(each["monthly"]),
                source=str(each["source"]),
                confirmed=bool(each["confirmed"]),
            )
            for name, each in told["prices"].items()
        ),
    )
