"""The rows of a project's dashboard: callers first, then endpoints, money, and the tester."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.dashboard.endpoints import row_of
from parkade.domain.dashboard.panel import (
    Dashboard,
    Fact,
    Figure,
    Line,
    Measure,
    Panel,
    Query,
    Row,
)
from parkade.domain.dashboard.promql import increase, quantile, rate, selected
from parkade.domain.project.metrics import METRICS, TESTER
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.domain.dashboard.subject import Subject

#: Percentiles that latencies are shown by, and as parts of all.
QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
#: What testers are measured by where their project has no stage, or they have no project.
_NO_STAGE = "prod"


def dashboard(subject: Subject) -> Dashboard:
    """Return the dashboard of a project."""
    rows = [
        *_api(subject),
        *(row_of(each) for each in subject.endpoints),
        *_money(subject),
        *_tester(subject),
    ]
    return Dashboard(title=subject.prefix, rows=tuple(rows), alarms=subject.alarms)


def _api(subject: Subject) -> Iterator[Row]:
    if not subject.routes:
        return
    calls = "parkade_route_calls_total"
    yield Row(
        title="API",
        panels=(
            Panel(
                title="Calls",
                about="What was asked for by each route, refusals included.",
                unit=Measure.COUNT,
                grafana_unit="reqps",
                lines=_of_routes(subject, "Count", ("Sum",)),
                queries=(
                    Query(
                        expression=rate(selected(calls, api=subject.prefix), "route"),
                        legend="{{route}}",
                    ),
                ),
            ),
            *(
                Panel(
                    title=f"Answers of {status}",
                    about=f"Calls that were answered {status}, by route: {whose}.",
                    unit=Measure.COUNT,
                    grafana_unit="reqps",
                    lines=_of_routes(subject, metric, ("Sum",)),
                    queries=(
                        Query(
                            expression=rate(
                                selected(calls, api=subject.prefix, status=status), "route"
                            ),
                            legend="{{route}}",
                        ),
                    ),
                )
                for status, metric, whose in (
                    ("4xx", "4XXError", "the caller's fault"),
                    ("5xx", "5XXError", "ours"),
                )
            ),
            *(
                Panel(
                    title=title,
                    about=about,
                    unit=Measure.MILLISECONDS,
                    grafana_unit="s",
                    lines=_of_routes(subject, metric, [name for name, _ in QUANTILES]),
                    queries=tuple(
                        Query(
                            expression=quantile(
                                part, selected(f"{family}_bucket", api=subject.prefix), "route"
                            ),
                            legend=f"{{{{route}}}} {name}",
                        )
                        for name, part in QUANTILES
                    ),
                )
                for title, about, metric, family in (
                    (
                        "Latency",
                        "From the headers of a call to its answer.",
                        "Latency",
                        "parkade_route_latency_seconds",
                    ),
                    (
                        "Latency behind the route",
                        "What of it an endpoint took.",
                        "IntegrationLatency",
                        "parkade_route_integration_latency_seconds",
                    ),
                )
            ),
        ),
    )


def _of_routes(
    subject: Subject, metric: str, statistics: list[str] | tuple[str, ...]
) -> tuple[Line, ...]:
    return tuple(
        Line(
            label=path if len(statistics) == 1 else f"{path} {statistic}",
            series=METRICS[metric].of_route(subject.prefix, path),
            statistic=statistic,
        )
        for path in subject.routes
        for statistic in statistics
    )


def _money(subject: Subject) -> Iterator[Row]:
    panels: list[Panel] = []
    names = [each.name for each in subject.endpoints]
    if names:
        panels = [
            _of_endpoints(
                names,
                (Fact.TIME_LEFT, "Time left", "Until each lease is over."),
                Measure.SECONDS,
                "s",
                "parkade_lease_left_seconds",
            ),
            _of_endpoints(
                names,
                (Fact.HOURLY, "Price an hour", "Of the instances that run now."),
                Measure.USD_PER_HOUR,
                "currencyUSD",
                "parkade_price_usd_per_hour",
            ),
            *(
                Panel(
                    title=title,
                    about=about,
                    unit=Measure.USD,
                    grafana_unit="currencyUSD",
                    figures=tuple(Figure(label=name, fact=fact, of=name) for name in names),
                    queries=tuple(
                        Query(
                            expression=increase(
                                selected("parkade_spend_usd_total", endpoint=name, **use),
                                "endpoint",
                                "$__range",
                            ),
                            legend="{{endpoint}}",
                        )
                        for name in names
                    ),
                    now=True,
                )
                for fact, title, about, use in (
                    (Fact.SPENT, "Spent", "Since the beginning of the range's hour.", {}),
                    (Fact.IDLE, "Spent while idle", "What of it nobody used.", {"use": "idle"}),
                )
            ),
        ]
    if subject.owners:
        panels.append(
            Panel(
                title="Budgets",
                about="What is spent of each in its period, and what is left.",
                unit=Measure.USD,
                grafana_unit="currencyUSD",
                figures=tuple(
                    Figure(label=f"{owner} {word}", fact=fact, of=owner)
                    for owner in subject.owners
                    for word, fact in (("spent", Fact.BUDGET_SPENT), ("left", Fact.BUDGET_LEFT))
                ),
                queries=tuple(
                    Query(
                        expression=selected(f"parkade_budget_{word}_usd", owner=owner),
                        legend=f"{{{{owner}}}} {word}",
                    )
                    for owner in subject.owners
                    for word in ("spent", "left")
                ),
                now=True,
            )
        )
    if panels:
        yield Row(title="Lease and cost", panels=tuple(panels))


def _of_endpoints(
    names: list[str], what: tuple[Fact, str, str], unit: Measure, grafana_unit: str, family: str
) -> Panel:
    fact, title, about = what
    return Panel(
        title=title,
        about=about,
        unit=unit,
        grafana_unit=grafana_unit,
        figures=tuple(Figure(label=name, fact=fact, of=name) for name in names),
        queries=tuple(
            Query(expression=selected(family, endpoint=name), legend="{{endpoint}}")
            for name in names
        ),
        now=True,
    )


def _tester(subject: Subject) -> Iterator[Row]:
    if not subject.tested:
        return
    labels = {"project": subject.project, "stage": subject.stage or _NO_STAGE}
    own = {**labels, "type": subject.tested}

    def line(label: str, name: str, statistic: str) -> Line:
        dimensions = {key.capitalize(): text for key, text in own.items()}
        return Line(label=label, series=Series.of(TESTER, name, **dimensions), statistic=statistic)

    yield Row(
        title="Tester",
        panels=(
            Panel(
                title="Response time",
                about="Whole answers as the tester's clients had them.",
                unit=Measure.MILLISECONDS,
                grafana_unit="s",
                lines=tuple(line(name, "ResponseTime", name) for name, _ in QUANTILES),
                queries=tuple(
                    Query(
                        expression=selected(
                            "parkade_tester_response_seconds", **own, quantile=f"{part:g}"
                        ),
                        legend=name,
                    )
                    for name, part in QUANTILES
                ),
            ),
            *(
                Panel(
                    title=title,
                    about=about,
                    unit=Measure.COUNT,
                    grafana_unit="short",
                    lines=tuple(line(label, name, "Sum") for label, name, _ in told),
                    queries=tuple(
                        Query(
                            expression=selected("parkade_tester_results", **own, result=result),
                            legend=label,
                        )
                        for label, _, result in told
                    ),
                )
                for title, about, told in (
                    (
                        "Tests",
                        "Whether answers were what the cases expect.",
                        (
                            ("passed", "TestSuccess", "test_success"),
                            ("failed", "TestFail", "test_fail"),
                        ),
                    ),
                    (
                        "Statuses",
                        "Whether calls were answered 2xx.",
                        (
                            ("2xx", "StatusSuccess", "status_success"),
                            ("others", "StatusError", "status_error"),
                        ),
                    ),
                )
            ),
        ),
    )
