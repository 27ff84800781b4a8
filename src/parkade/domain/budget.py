"""Budgets: what an owner may spend in a period, reserved before a lease is granted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WhenSpent(StrEnum):
    """What happens when a budget is used up."""

    WARN = "warn"
    REFUSE = "refuse"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overspent:
    """An owner whose budget is used up, and what follows."""

    owner: str
    then: WhenSpent
    #: `5.02 of 5.00 USD spent this week`.
    reason: str
