"""Rules side by side: what each would have cost, and whom it would have kept waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import price
from parkade.domain.price import Sum
from parkade.domain.simulation.outcome import Outcome, together
from parkade.domain.simulation.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta
    from decimal import Decimal

    from parkade.domain.simulation.rule import Rule
    from parkade.domain.simulation.traffic import Period, Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An endpoint whose invocations are replayed."""

    endpoint_name: str
    traffic: Traffic
    #: What all its instances cost an hour together.
    hourly: Sum
    #: What it runs on, or who uses it, for people.
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule comes to, beside what always-on comes to."""

    rule: Rule
    #: By the name of the endpoint.
    outcomes: Mapping[str, Outcome]
    whole: Outcome
    cost: Sum
    always_on: Sum
    #: The time that all endpoints are up when they are always on.
    present: timedelta

    @property
    def saved(self) -> Decimal:
        """US dollars less than always-on."""
        return self.always_on.usd - self.cost.usd

    @property
    def share_saved(self) -> float:
        """The part of the cost of always-on; of its hours where nothing has a price."""
        if self.always_on.usd:
            return float(self.saved / self.always_on.usd)
        return 1 - self.whole.up / self.present if self.present else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same requests under several rules."""

    period: Period
    subjects: tuple[Subject, ...]
    rows: tuple[Row, ...]

    @property
    def requests(self) -> int:
        """All requests that came."""
        return self.rows[0].whole.requests if self.rows else 0

    def best(self, disturbed: float) -> Row | None:
        """Return the cheapest rule under which no more than so many requests met it not serving."""
        fit = (row for row in self.rows if row.whole.disturbed <= disturbed)
        return min(fit, key=lambda row: (row.cost.usd, row.whole.up), default=None)


def compare(subjects: Sequence[Subject], rules: Iterable[Rule], period: Period) -> Comparison:
    """Replay every endpoint under every rule."""
    always = _costs(
        subjects, dict.fromkeys((each.endpoint_name for each in subjects), period.length)
    )
    rows = []
    for rule in rules:
        outcomes = {
            each.endpoint_name: replay(each.endpoint_name, each.traffic, rule, period)
            for each in subjects
        }
        rows.append(
            Row(
                rule=rule,
                outcomes=outcomes,
                whole=together(outcomes.values()),
                cost=_costs(subjects, {name: each.up for name, each in outcomes.items()}),
                always_on=always,
                present=period.length * len(subjects),
            )
        )
    return Comparison(period=period, subjects=tuple(subjects), rows=tuple(rows))


def _costs(subjects: Iterable[Subject], up: Mapping[str, timedelta]) -> Sum:
    return price.total(
        Sum(
            usd=price.cost(each.hourly.usd, up[each.endpoint_name]),
            unpriced=each.hourly.unpriced,
        )
        for each in subjects
    )
