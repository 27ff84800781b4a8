"""Calls of routes become the series of API Gateway: of the route, and of its API as a whole."""

from __future__ import annotations

import pytest

from parkade.apps import link, linkcalls
from parkade.apps.control.monitor.collector import Report
from parkade.domain.series import API, Aggregate, Series, Unit
from tests.apps.control.monitor.stage import START, Stage

WHOLE = {"ApiName": "TextDemo"}
ROUTE = {**WHOLE, "Stage": "prod", "Method": "POST", "Resource": "/text"}
SPREAD = link.Spread(total=6.5, least=1.5, most=5.0, buckets={2: 1, 9: 1})


def told(*calls: linkcalls.Calls) -> dict[Series, tuple[Aggregate, str]]:
    """Return what is stored of a message with these calls."""
    stage = Stage()
    report = Report(peer="g", gateway="g", usage={}, calls=calls)
    stage.collector.report(report, stage.instant)
    samples = stage.accounts.take()
    assert {each.at for each in samples} <= {START.replace(second=0, microsecond=0)}
    return {
        each.series: (each.value, each.unit) for each in samples if each.series.namespace == API
    }


@pytest.mark.parametrize("dimensions", [WHOLE, ROUTE], ids=["api", "route"])
def test_a_route_and_its_api_have_the_same_five_series(dimensions: dict[str, str]) -> None:
    called = linkcalls.Calls(
        api="TextDemo",
        resource="/text",
        calls=2,
        errors_4xx=1,
        latency=SPREAD,
        integration=link.Spread(total=1.5, least=1.5, most=1.5, buckets={2: 1}),
    )
    found = told(called)
    assert len(found) == 10

    def of(name: str) -> tuple[Aggregate, str]:
        return found[Series.of(API, name, **dimensions)]

    assert of("Count") == (Aggregate.of(1.0, 2), Unit.COUNT)
    assert of("4XXError") == (Aggregate(count=2, total=1, least=0, most=1), Unit.COUNT)
    assert of("5XXError") == (Aggregate(count=2, total=0, least=0, most=0), Unit.COUNT)
    latency, unit = of("Latency")
    assert (latency.count, latency.total, latency.buckets) == (2, 6.5, {2: 1, 9: 1})
    assert unit == Unit.MILLISECONDS
    assert of("IntegrationLatency")[0].count == 1


def test_calls_that_no_model_was_sent_have_no_integration() -> None:
    called = linkcalls.Calls(
        api="TextDemo", resource="/text", calls=2, errors_5xx=2, latency=SPREAD
    )
    assert {each.name for each in told(called)} == {"Count", "4XXError", "5XXError", "Latency"}


def test_an_api_is_the_sum_of_its_routes() -> None:
    found = told(
        linkcalls.Calls(api="TextDemo", resource="/text", calls=2),
        linkcalls.Calls(api="TextDemo", resource="/more", calls=3),
        linkcalls.Calls(api="parkade", resource="/other", calls=5),
    )
    assert found[Series.of(API, "Count", **WHOLE)][0].total == 5
    assert found[Series.of(API, "Count", **ROUTE)][0].total == 2
