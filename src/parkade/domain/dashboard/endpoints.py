"""The row of one endpoint: what it was asked, how it answered, on what it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.dashboard.panel import Fact, Figure, Line, Measure, Panel, Query, Row
from parkade.domain.dashboard.promql import QUANTILES, quantile, rate, selected
from parkade.domain.project.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parkade.domain.dashboard.subject import Watched

_BY_VARIANT = "{{variant}}"


def row_of(endpoint: Watched) -> Row:
    """Return the row of an endpoint."""
    return Row(
        title=f"Endpoint {endpoint.name}",
        panels=(
            *_traffic(endpoint),
            *_latencies(endpoint),
            *_queue(endpoint),
            *_models(endpoint),
            *_instances(endpoint),
        ),
    )


def _traffic(endpoint: Watched) -> Iterator[Panel]:
    yield _counted(
        endpoint,
        "Invocations",
        "What each variant was asked.",
        {"InvocationsProcesssed" if endpoint.asynchronous else "Invocations": ""},
        [
            Query(
                expression=selected(
                    "parkade_async_requests_per_minute", endpoint=endpoint.name, result="processed"
                )
                if endpoint.asynchronous
                else rate(selected("parkade_invocations_total", endpoint=endpoint.name), "variant"),
                legend=_BY_VARIANT,
            )
        ],
        "reqpm" if endpoint.asynchronous else "reqps",
    )
    if endpoint.asynchronous:
        return
    yield _counted(
        endpoint,
        "Errors",
        "Answers 4xx and 5xx of the model, and invocations without a good answer of it.",
        {
            "Invocation4XXErrors": "4xx",
            "Invocation5XXErrors": "5xx",
            "InvocationModelErrors": "not good",
        },
        [
            Query(
                expression=rate(
                    selected("parkade_invocation_errors_total", endpoint=endpoint.name),
                    "variant, kind",
                ),
                legend=f"{_BY_VARIANT} {{{{kind}}}}",
            ),
            Query(
                expression=rate(
                    selected("parkade_invocation_model_errors_total", endpoint=endpoint.name),
                    "variant",
                ),
                legend=f"{_BY_VARIANT} not good",
            ),
        ],
    )


def _latencies(endpoint: Watched) -> Iterator[Panel]:
    told = [("Model latency", "In the model's container.", "ModelLatency", "model")]
    if not endpoint.asynchronous:
        told.append(("Overhead", "What the gateway added.", "OverheadLatency", "overhead"))
    for title, about, metric, family in told:
        bucket = f"parkade_{family}_latency_seconds_bucket"
        yield Panel(
            title=title,
            about=about,
            # CloudWatch's latencies of models are in microseconds; Prometheus' are in seconds.
            unit=Measure.MICROSECONDS,
            grafana_unit="s",
            lines=_lines(endpoint.name, endpoint.variants, metric, [how for how, _ in QUANTILES]),
            queries=()
            if endpoint.asynchronous
            else tuple(
                Query(
                    expression=quantile(part, selected(bucket, endpoint=endpoint.name), "variant"),
                    legend=f"{_BY_VARIANT} {name}",
                )
                for name, part in QUANTILES
            ),
        )


def _queue(endpoint: Watched) -> Iterator[Panel]:
    if not endpoint.asynchronous:
        return
    of = {"endpoint": endpoint.name}
    yield Panel(
        title="Backlog",
        about="Requests that wait, and that run.",
        unit=Measure.COUNT,
        grafana_unit="short",
        lines=_lines(endpoint.name, [""], "ApproximateBacklogSize", ["Maximum"]),
        queries=(
            Query(
                expression=f"sum by (state) ({selected('parkade_backlog_requests', **of)})",
                legend="{{state}}",
            ),
        ),
    )
    yield Panel(
        title="Age of the oldest",
        about="Since when the request waits that has waited longest.",
        unit=Measure.SECONDS,
        grafana_unit="s",
        lines=_lines(endpoint.name, [""], "ApproximateAgeOfOldestRequest", ["Maximum"]),
        queries=(
            Query(expression=selected("parkade_backlog_oldest_seconds", **of), legend="oldest"),
        ),
    )
    yield _counted(
        endpoint,
        "Failures",
        "Requests that failed, and that waited too long.",
        {"InvocationFailures": "failed", "ExpiredRequests": "expired"},
        [
            Query(
                expression=selected("parkade_async_requests_per_minute", **of, result=result),
                legend=f"{_BY_VARIANT} {result}",
            )
            for result in ("failed", "expired")
        ],
        "reqpm",
    )


def _models(endpoint: Watched) -> Iterator[Panel]:
    if not endpoint.multi_model:
        return
    for title, about, metric, statistic, unit, grafana_unit, family in (
        (
            "Cache hits",
            "Which part of the requests found their model loaded.",
            "ModelCacheHit",
            "Average",
            Measure.RATIO,
            "percentunit",
            "parkade_target_cache_hit_ratio",
        ),
        (
            "Models loaded anew",
            "How often a model was brought into memory.",
            "ModelLoadingTime",
            "SampleCount",
            Measure.COUNT,
            "cpm",
            "parkade_target_loads_per_minute",
        ),
        (
            "Models in memory",
            "How many are loaded; the same one in two instances is two.",
            "LoadedModelCount",
            "Maximum",
            Measure.COUNT,
            "short",
            "parkade_targets_loaded",
        ),
    ):
        yield Panel(
            title=title,
            about=about,
            unit=unit,
            grafana_unit=grafana_unit,
            lines=_lines(endpoint.name, endpoint.multi_model, metric, [statistic]),
            queries=(
                Query(expression=selected(family, endpoint=endpoint.name), legend=_BY_VARIANT),
            ),
        )


def _instances(endpoint: Watched) -> Iterator[Panel]:
    of = {"endpoint": endpoint.name}
    yield Panel(
        title="Instances",
        about="Those that are to be, and those that answer.",
        unit=Measure.COUNT,
        grafana_unit="short",
        figures=tuple(
            Figure(label=f"{variant} {word}", fact=fact, of=endpoint.name, variant_name=variant)
            for variant in endpoint.variants
            for word, fact in (("wanted", Fact.WANTED), ("answer", Fact.ANSWERING))
        ),
        queries=tuple(
            Query(
                expression=f"sum by (variant) ({selected(f'parkade_capacity_{word}', **of)})",
                legend=f"{_BY_VARIANT} {word}",
            )
            for word in ("desired", "current")
        ),
    )
    for title, about, metric, family in (
        ("Processor", "100 % is one core.", "CPUUtilization", "parkade_cpu_percent"),
        ("Memory", "Of the machine's.", "MemoryUtilization", "parkade_memory_percent"),
    ):
        yield Panel(
            title=title,
            about=f"What the instances of each variant use on average. {about}",
            unit=Measure.PERCENT,
            grafana_unit="percent",
            lines=_lines(endpoint.name, endpoint.variants, metric, ["Average"]),
            queries=(Query(expression=selected(family, **of), legend=_BY_VARIANT),),
        )


def _counted(
    endpoint: Watched,
    title: str,
    about: str,
    metrics: Mapping[str, str],
    queries: Sequence[Query],
    grafana_unit: str = "reqps",
) -> Panel:
    return Panel(
        title=title,
        about=about,
        unit=Measure.COUNT,
        grafana_unit=grafana_unit,
        lines=tuple(
            Line(
                label=f"{variant} {word}".rstrip(),
                series=METRICS[name].of_variant(endpoint.name, variant),
                statistic="Sum",
            )
            for variant in endpoint.variants
            for name, word in metrics.items()
        ),
        queries=tuple(queries),
    )


def _lines(
    endpoint_name: str, variants: Sequence[str], metric: str, statistics: Sequence[str]
) -> tuple[Line, ...]:
    """Return a line for each variant and statistic, its label no longer than it has to be."""
    return tuple(
        Line(
            label=f"{variant} {how if len(statistics) > 1 else ''}".strip() or "all",
            series=METRICS[metric].of_variant(endpoint_name, variant),
            statistic=how,
        )
        for variant in variants
        for how in statistics
    )
