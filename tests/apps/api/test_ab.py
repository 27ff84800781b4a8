"""`/v1/endpoints/{name}/ab`: variants side by side."""

from dataclasses import replace

import pytest

from parkade.domain.series import SAGEMAKER, Aggregate, Series, bucket
from parkade.ports.metrics import Sample
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_recorded_endpoint,
    a_variant,
    an_event,
    minutes,
)

PATH = "/v1/endpoints/falcon/ab"


@pytest.fixture
def measured(world):
    """An hour of two variants of falcon; green has an error in ten requests."""
    config = a_config(variants=(a_variant("blue", weight=3), a_variant("green")))
    endpoint = a_recorded_endpoint("falcon", blueprint=a_blueprint(config))
    world.catalog.put_endpoint(endpoint, an_event("endpoint.created"))
    for minute in range(50):
        for variant, requests, errors in (("blue", 30, 0), ("green", 10, 1)):
            add(world, variant, "Invocations", Aggregate.of(1.0, requests), minute)
            failed = Aggregate(count=requests, total=errors, least=0, most=1)
            add(world, variant, "InvocationModelErrors", failed, minute)
            add(world, variant, "Invocation4XXErrors", failed, minute)
            spread = replace(Aggregate.of(2000.0, requests), buckets={bucket(2000.0): requests})
            add(world, variant, "ModelLatency", spread, minute)
    return world


def add(world, variant, name, value, minute):
    series = Series.of(SAGEMAKER, name, EndpointName="falcon", VariantName=variant)
    world.metrics.add([Sample(series=series, at=NOW - minutes(minute + 1), value=value)])


def test_variants_are_told_with_how_sure_it_is(measured):
    told = measured.ok("GET", PATH)
    blue, green = told["variants"]
    assert (blue["requests"], blue["share"], blue["share_wanted"]) == (1500, 0.75, 0.75)
    assert (green["errors"], green["errors_4xx"], green["errors_5xx"]) == (50, 50, 0)
    rate = green["error_rate"]
    # Wilson's interval of 50 of 500.
    assert rate["value"] == 0.1
    assert (rate["low"], rate["high"]) == (
        pytest.approx(0.0767, abs=1e-4),
        pytest.approx(0.1294, abs=1e-4),
    )
    p50 = green["latency"][0]
    assert (p50["name"], p50["seconds"], p50["low"], p50["high"]) == ("p50", 0.002, 0.002, 0.002)
    (compared,) = told["comparisons"]
    assert (compared["variant"], compared["baseline"]) == ("green", "blue")
    assert compared["finding"] == "more_errors"
    assert compared["verdict"] == "green has more errors than blue"
    assert compared["difference"]["value"] == pytest.approx(0.1)
    assert told["confidence"] == 0.95
    assert told["agreement"] == []


def test_of_the_last_minutes_there_are_fewer(measured):
    told = measured.ok("GET", f"{PATH}?span=120")
    assert [each["requests"] for each in told["variants"]] == [60, 20]
    (compared,) = told["comparisons"]
    assert compared["finding"] == "not_enough"
    assert (
        compared["verdict"]
        == f"not enough requests yet: about {compared['requests_needed']:,} more"
    )


def test_who_may_not_see_the_endpoint_is_refused(measured):
    assert measured.call("GET", PATH, by="invoker").status_code == 200
    assert measured.call("GET", PATH, by="limited").status_code == 200
    assert measured.call("GET", "/v1/endpoints/other/ab", by="limited").status_code == 403
    assert measured.call("GET", "/v1/endpoints/other/ab", by="invoker").status_code == 404


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("span=1", "greater than or equal to 60"),
        ("smallest=0", "greater than 0"),
        ("field=a..b", "names no field"),
        ("tolerance=x", "is not a tolerance"),
    ],
)
def test_what_cannot_be_asked_is_refused(measured, query, reason):
    answer = measured.call("GET", f"{PATH}?{query}", by="invoker")
    assert 400 <= answer.status_code < 500
    assert reason in answer.text
