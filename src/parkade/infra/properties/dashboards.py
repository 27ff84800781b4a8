"""What the dashboards of a project show on CloudWatch.

Panels of series are those of `parkade dashboard` and of Grafana (domain/dashboard). Beside them
stand the functions, and what money can be told from series: instances that report their use of the
machine, minute by minute, times the price of an hour. What is left of leases and budgets has no
series; the API tells of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.dashboard.panel import Measure
from parkade.domain.dashboard.rows import dashboard
from parkade.domain.project.metrics import METRICS
from parkade.infra.properties.widgets import HOUR, Chart, Plotted, Searched, Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from parkade.domain.dashboard.panel import Panel, Row
    from parkade.domain.dashboard.subject import Subject
    from parkade.domain.price import Machine

_LAMBDA = "AWS/Lambda"
#: What the axis of each measure says.
_AXES = {
    Measure.COUNT: "count",
    Measure.MICROSECONDS: "microseconds",
    Measure.MILLISECONDS: "milliseconds",
    Measure.SECONDS: "seconds",
    Measure.PERCENT: "percent of one core, or of memory",
    Measure.RATIO: "0 to 1",
    Measure.USD: "USD",
    Measure.USD_PER_HOUR: "USD an hour",
}
#: Functions: what is counted of them, and how.
_OF_FUNCTIONS = (
    ("Invocations", "count", (("Invocations", "Sum"),)),
    ("Errors and throttles", "count", (("Errors", "Sum"), ("Throttles", "Sum"))),
    ("Duration", "milliseconds", (("Duration", "p50"), ("Duration", "p99"))),
)


def watched(
    subject: Subject,
    *,
    machines: Mapping[str, Sequence[Machine]] | None = None,
    prices: Mapping[str, Decimal] | None = None,
) -> tuple[Shelf, ...]:
    """Return the shelves of a project's dashboard.

    `machines` are what each endpoint runs on, and `prices` are USD an hour by instance type: an
    instance without a price is named in the heading, and never shown as free.
    """
    # The tester has a dashboard of its own.
    rows = dashboard(replace(subject, tested="")).rows
    return (
        *filter(None, map(_shelf, rows)),
        _functions(subject.prefix),
        *_money(machines or {}, prices or {}),
    )


def of_tester(subject: Subject) -> tuple[Shelf, ...]:
    """Return the shelves of the tester's own dashboard."""
    rows = dashboard(replace(subject, routes=(), endpoints=(), owners=())).rows
    return (
        *filter(None, map(_shelf, rows)),
        _functions(f"{subject.prefix}-TesterStack"),
    )


def _shelf(row: Row) -> Shelf | None:
    charts = tuple(_chart(panel) for panel in row.panels if panel.lines)
    return Shelf(heading=row.title, charts=charts) if charts else None


def _chart(panel: Panel) -> Chart:
    return Chart(
        title=panel.title,
        axis=_AXES[panel.unit],
        lines=tuple(
            Plotted(label=line.label, series=line.series, statistic=line.statistic)
            for line in panel.lines
        ),
    )


def _functions(beginning: str) -> Shelf:
    """Return the shelf of the functions that are deployed, whichever stacks those are of."""
    return Shelf(
        heading="Functions",
        charts=tuple(
            Chart(
                title=title,
                axis=axis,
                lines=tuple(
                    Searched(
                        namespace=_LAMBDA,
                        dimension="FunctionName",
                        beginning=beginning,
                        metric=metric,
                        statistic=statistic,
                    )
                    for metric, statistic in told
                ),
            )
            for title, axis, told in _OF_FUNCTIONS
        ),
    )


def _money(
    machines: Mapping[str, Sequence[Machine]], prices: Mapping[str, Decimal]
) -> Iterator[Shelf]:
    lines: list[Plotted] = []
    unpriced: set[str] = set()
    for name, each in machines.items():
        for machine in each:
            if machine.serverless or machine.instance_type not in prices:
                unpriced.add("serverless" if machine.serverless else machine.instance_type)
                continue
            hourly = prices[machine.instance_type]
            lines.append(
                Plotted(
                    label=f"{name} {machine.variant_name}",
                    series=METRICS["CPUUtilization"].of_variant(name, machine.variant_name),
                    # Each instance reports once a minute: 60 samples are an instance for an hour.
                    statistic="SampleCount",
                    factor=float(hourly) / 60,
                )
            )
    if not lines:
        return
    about = "Instances that reported in each hour, times the price of their type."
    if unpriced:
        about += f" Not in it, without a price: {', '.join(sorted(unpriced))}."
    chart = Chart(
        title="Instances by the hour", axis="USD", lines=tuple(lines), period=HOUR, stacked=True
    )
    yield Shelf(heading="Money", charts=(chart,), about=about)
