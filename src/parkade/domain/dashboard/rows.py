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
from parkade.domain.dashboard.promql import QUANTILES, increase, quantile, rate, selected
from parkade.domain.project.metrics import METRICS
from parkade.domain.series import Series
from parkade.domain.tester import measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.domain.dashboard.subject import Subject


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
    of = {"api": subject.prefix}
    counted = [
        ("Calls", "What was asked for by each route, refusals included.", "Count", of),
        ("Answers of 4xx", "The callers' fault, by route.", "4XXError", {**of, "status": "4xx"}),
        ("Answers of 5xx", "Ours, by route.", "5XXError", {**of, "status": "5xx"}),
    ]
    timed = [
        ("Latency", "From the headers of a call to its answer.", "Latency", "latency"),
        (
            "Latency behind the route",
            "What of it an endpoint took.",
            "IntegrationLatency",
            "integration_latency",
        ),
    ]
    yield Row(
        title="API",
        panels=(
            *(
                Panel(
                    title=title,
                    about=about,
                    unit=Measure.COUNT,
                    grafana_unit="reqps",
                    lines=_of_routes(subject, metric, ["Sum"]),
                    queries=(
                        Query(
                            expression=rate(selected(calls, **labels), "route"), legend="{{route}}"
                        ),
                    ),
                )
                for title, about, metric, labels in counted
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
                                part,
                                selected(f"parkade_route_{family}_seconds_bucket", **of),
                                "route",
                            ),
                            legend=f"{{{{route}}}} {name}",
                        )
                        for name, part in QUANTILES
                    ),
                )
                for title, about, metric, family in timed
            ),
        ),
    )


def _of_routes(subject: Subject, metric: str, statistics: Sequence[str]) -> tuple[Line, ...]:
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
    labels = {"project": subject.project, "stage": subject.stage or measures.NO_STAGE}
    own = {**labels, "type": subject.tested}

    def line(label: str, name: str, statistic: str) -> Line:
        dimensions = {key.capitalize(): text for key, text in own.items()}
        return Line(
            label=label,
            series=Series.of(measures.NAMESPACE, name, **dimensions),
            statistic=statistic,
        )

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
                    grafana_unit="cpm",
                    lines=tuple(line(label, name, "Sum") for label, name, _ in told),
                    queries=tuple(
                        Query(
                            expression=selected(
                                "parkade_tester_results_per_minute", **own, result=result
                            ),
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
