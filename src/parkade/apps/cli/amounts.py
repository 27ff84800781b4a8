"""How the CLI writes amounts of money, made of the API's answers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from parkade.domain.price import CURRENCY, dollars

if TYPE_CHECKING:
    from collections.abc import Mapping

UNPRICED = "unpriced"


def amount(view: Mapping[str, Any]) -> str:
    """Write a sum in a cell: `21.27`, `≥ 21.27` where something in it is unpriced, `unpriced`."""
    usd = Decimal(view["usd"])
    if not view["unpriced"]:
        return dollars(usd)
    return f"≥ {dollars(usd)}" if usd else UNPRICED


def whole(view: Mapping[str, Any]) -> str:
    """Write a sum in a sentence: `21.27 USD + 2 unpriced (ml.x1.large, serverless)`."""
    usd, unpriced = Decimal(view["usd"]), view["unpriced"]
    told = f"{dollars(usd)} {CURRENCY}"
    if not unpriced:
        return told
    lacking = f"{len(unpriced)} unpriced ({', '.join(unpriced)})"
    return f"{told} + {lacking}" if usd else lacking


def costs(view: Mapping[str, Any]) -> str:
    """Tell what something cost in a sentence: `1.20 USD, 0.80 of it idle`."""
    told = whole(view["cost"])
    idle = Decimal(view["idle"]["usd"])
    return f"{told}, {dollars(idle)} of it idle" if idle else told
