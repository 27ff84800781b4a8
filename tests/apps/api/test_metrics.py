"""`/v1/metrics`: which series there are, and what was measured."""

from datetime import timedelta

import pytest

from parkade.domain.series import PARKADE, SAGEMAKER, Aggregate, Series
from parkade.ports.metrics import Sample
from tests.builders import NOW, a_recorded_component, an_event, minutes
from tests.ports.test_metrics import spread

CALLS = Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName="blue")
LATENCY = Series.of(SAGEMAKER, "ModelLatency", EndpointName="falcon", VariantName="blue")
OTHER = Series.of(SAGEMAKER, "Invocations", EndpointName="other", VariantName="blue")


@pytest.fixture
def measured(world):
    """An hour of two series of one endpoint, and one of another."""
    start = NOW - minutes(60)
    for minute in range(60):
        at = start + minutes(minute)
        world.metrics.add(
            [
                Sample(series=CALLS, at=at, value=Aggregate.of(1.0, minute), unit="Count"),
                Sample(series=OTHER, at=at, value=Aggregate.of(1.0), unit="Count"),
                Sample(series=LATENCY, at=at, value=spread(1000, 9000), unit="Microseconds"),
            ]
        )
    return start


def of(answer, name):
    (found,) = (each for each in answer["measured"] if each["series"]["name"] == name)
    return found


def test_series_are_told_period_by_period(world, measured):
    answer = world.ok("GET", "/v1/metrics?endpoint=falcon&period=1200&statistic=Sum&statistic=p99")
    assert answer["period"] == 1200
    assert answer["statistics"] == ["Sum", "p99"]
    assert [each["series"]["name"] for each in answer["measured"]] == [
        "Invocations",
        "ModelLatency",
    ]
    calls = of(answer, "Invocations")
    assert calls["series"]["unit"] == "Count"
    assert calls["series"]["dimensions"] == {"EndpointName": "falcon", "VariantName": "blue"}
    assert sum(each["values"]["Sum"] for each in calls["points"]) == sum(range(60))
    latency = of(answer, "ModelLatency")["points"][0]["values"]
    assert latency["p99"] == pytest.approx(9000, rel=0.1)


def test_what_has_no_histogram_has_no_percentiles(world):
    value = Aggregate(count=2, total=3, least=1, most=2)
    at = NOW - minutes(1)
    world.metrics.add([Sample(series=CALLS, at=at, value=value)])
    answer = world.ok("GET", "/v1/metrics?statistic=p50&statistic=Maximum")
    assert of(answer, "Invocations")["points"][0]["values"] == {"p50": None, "Maximum": 2.0}


def test_a_range_is_widened_to_whole_periods(world, measured):
    start = (measured + timedelta(seconds=90)).isoformat().replace("+", "%2B")
    end = (measured + timedelta(seconds=130)).isoformat().replace("+", "%2B")
    answer = world.ok(
        "GET", f"/v1/metrics?name=Invocations&endpoint=falcon&start={start}&end={end}"
    )
    assert [each["values"]["Sum"] for each in of(answer, "Invocations")["points"]] == [1, 2]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"falcon", "other"}),
        ("endpoint=other", {"other"}),
        ("namespace=Parkade", set()),
        ("name=ModelLatency", {"falcon"}),
        ("dimension=VariantName=blue&name=Invocations", {"falcon", "other"}),
        ("dimension=InstanceId", set()),
    ],
)
def test_series_are_listed_by_their_properties(world, measured, query, names):
    found = world.ok("GET", f"/v1/metrics/series?{query}")["series"]
    assert {each["dimensions"]["EndpointName"] for each in found} == names


def test_the_series_of_components_are_their_endpoints(world):
    series = Series.of(SAGEMAKER, "Invocations", InferenceComponentName="part")
    world.metrics.add([Sample(series=series, at=NOW - minutes(1), value=Aggregate.of(1.0))])
    assert world.ok("GET", "/v1/metrics/series?endpoint=falcon")["series"] == []
    world.catalog.put_component(
        a_recorded_component("part", of={"endpoint_name": "falcon"}), an_event()
    )
    (found,) = world.ok("GET", "/v1/metrics/series?endpoint=falcon")["series"]
    assert found["dimensions"] == {"InferenceComponentName": "part"}


def test_a_damaged_series_is_told_beside_the_others(world, measured):
    world.metrics.damage(CALLS, measured + minutes(3))
    answer = world.ok("GET", "/v1/metrics?endpoint=falcon")
    assert "torn" in of(answer, "Invocations")["unreadable"]
    assert of(answer, "Invocations")["points"] == []
    assert of(answer, "ModelLatency")["unreadable"] is None
    assert of(answer, "ModelLatency")["points"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("statistic=sum", "statistic"),
        ("statistic=p101", "statistic"),
        ("period=7", "period"),
        ("period=90", "period"),
        ("period=90000", "period"),
        ("span=-1", "span"),
        ("dimension==x", "dimension"),
        ("start=2026-03-01T12:00:00Z&end=2026-03-01T12:00:00Z", "start"),
        ("start=1971-01-01T00:00:00Z", "period"),
        ("end=9999-12-31T23:59:59Z&start=9999-12-31T23:00:00Z", "end"),
        ("endpont=falcon", "endpont"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(world, measured, query, field):
    status, error = world.error("GET", f"/v1/metrics?{query}")
    assert status == 400
    assert error["field"] == field
    assert error["hint"] or field == "span"


def test_invokers_may_not_look(world):
    assert world.error("GET", "/v1/metrics", by="invoker")[0] == 403
    assert world.error("GET", "/v1/metrics/series", by="invoker")[0] == 403


def test_whoever_is_limited_to_some_endpoints_does_not_scrape_what_all_of_them_cost(world):
    status, error = world.error("GET", "/metrics", by="limited")
    assert status == 403
    assert "tells of every endpoint" in error["message"]
    assert world.call("GET", "/metrics", by="invoker").status_code == 200


def test_custom_series_are_shown_too(world):
    series = Series.of("Team/Quality", "Accuracy", Model="a")
    world.metrics.add([Sample(series=series, at=NOW - minutes(1), value=Aggregate.of(0.93))])
    answer = world.ok("GET", "/v1/metrics?namespace=Team/Quality&statistic=Average")
    assert of(answer, "Accuracy")["points"][0]["values"] == {"Average": 0.93}
    assert PARKADE not in str(answer)
