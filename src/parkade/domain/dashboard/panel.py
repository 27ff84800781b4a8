"""What a dashboard is made of: rows, panels, and what each panel shows.

A panel says the same in two ways: by the monitor's series and by figures of what is there now, for
`/v1` and the terminal, and by Prometheus' queries, for Grafana. Units differ between the two: what is
counted by the period here is a rate there, and microseconds are seconds there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.domain.series import Series


class Measure(StrEnum):
    """The units of what panels show: CloudWatch's where it has them."""

    COUNT = "Count"
    MICROSECONDS = "Microseconds"
    MILLISECONDS = "Milliseconds"
    SECONDS = "Seconds"
    PERCENT = "Percent"
    #: 0 to 1.
    RATIO = "Ratio"
    USD = "USD"
    USD_PER_HOUR = "USD/hour"


class Fact(StrEnum):
    """What is told of an endpoint, or of an owner, as it is now."""

    TIME_LEFT = "time_left"
    HOURLY = "hourly"
    SPENT = "spent"
    IDLE = "idle"
    #: Of a variant: instances that are to be, and that answer.
    WANTED = "wanted"
    ANSWERING = "answering"
    #: Of an owner: of the budget's period.
    BUDGET_SPENT = "budget_spent"
    BUDGET_LEFT = "budget_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One statistic of one series over time."""

    label: str
    series: Series
    statistic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number, as it is now."""

    label: str
    fact: Fact
    #: The endpoint, or the owner.
    of: str
    variant_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of Prometheus; `legend` may name labels: `{{variant}} p99`."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: lines over time, figures of now, or queries that give either."""

    title: str
    #: A line for people on what is seen.
    about: str
    unit: Measure
    #: Grafana's name of the queries' unit.
    grafana_unit: str
    lines: tuple[Line, ...] = ()
    figures: tuple[Figure, ...] = ()
    queries: tuple[Query, ...] = ()
    #: Whether the queries tell what is, rather than what was over time.
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The dashboard of one project."""

    #: The project's prefix.
    title: str
    rows: tuple[Row, ...]
    #: The names of the alarms whose states are listed.
    alarms: tuple[str, ...]

    def panels(self) -> tuple[Panel, ...]:
        """Return all panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)
