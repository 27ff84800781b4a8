"""What a deployment would do, told without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.domain.deploy.order import Order
    from parkade.domain.deploy.steps import StepKind
    from parkade.domain.price import Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One step, and what it would do."""

    kind: StepKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with it, so that it would be refused or fail, and what to do."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What an hour costs, of all instances of the endpoint."""

    #: As it is now; nothing where there is no endpoint.
    before: Sum
    #: While both fleets run.
    meanwhile: Sum
    #: When it is done.
    after: Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What would be done, step by step, with its price and what is wrong."""

    order: Order
    config_name: str
    #: Whether the endpoint would be created, rather than updated.
    creates: bool
    planned: tuple[Planned, ...]
    prices: Prices
    #: What the lease would cost: `90 more minutes of 1 x ml.c5.large: ...`; empty: nothing is bought.
    quote: str
    problems: tuple[Problem, ...]
