"""Measurements of CloudWatch's: percentiles, ages, refusals; moto's, and Parkade's own CloudWatch."""

from datetime import timedelta

import pytest

from parkade.adapters.aws.cloudwatch.metrics import FIVES, MINUTES, CloudWatchMetrics
from parkade.adapters.memory.clock import ManualClock
from parkade.domain.errors import Forbidden, InvalidInput, Throttled, Unreadable
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import SAGEMAKER, Aggregate, Point, Series, Unit
from parkade.domain.statistics import Statistic, begin
from parkade.ports.metrics import MINUTE, Sample
from parkade.services.metricqueries import MetricQueries
from parkade.services.metrics import Metrics, Wanted
from tests.apps.api.world import World, served
from tests.aws_account import an_account, unique, write_config
from tests.builders import NOW, minutes
from tests.stubbed import stubbed

HOUR = timedelta(hours=1)


def a_series(name="Calls"):
    return Series.of("Team/App", name, Part=unique("part"))


def a_sample(series, value=1.0, back=10, **changes):
    value = value if isinstance(value, Aggregate) else Aggregate.of(value)
    return Sample(
        series=series, at=NOW - minutes(back), value=value, **{"unit": "Count", **changes}
    )


@pytest.fixture
def store(aws):
    return CloudWatchMetrics(aws, ManualClock(NOW))


@pytest.fixture
def told(aws):
    """A store whose CloudWatch answers what a test says, and what it was asked for."""
    with stubbed(aws, "cloudwatch") as (stub, asked):
        yield CloudWatchMetrics(aws, ManualClock(NOW)), stub, asked


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """Parkade's own CloudWatch: its store in memory, and an account that is led there."""
    world = World(auth=False)
    with served(world.app) as url:
        config = tmp_path_factory.mktemp("embedded") / "config"
        write_config(config, url, region="us-east-1")
        yield world, an_account(config)


def test_points_are_those_that_a_store_of_our_own_tells(embedded):
    world, account = embedded
    calls, latency = a_series(), a_series("Latency")
    world.metrics.add(
        [
            a_sample(series, Aggregate.counted({value: 2, 3 * value: 1}), back)
            for series in (calls, latency)
            for back, value in ((30, 4.0), (29, 70.0), (7, 9.0))
        ]
    )
    store = CloudWatchMetrics(account, world.clock)
    asked = [calls, latency, a_series()], NOW - HOUR, NOW, 300
    here, there = world.metrics.points(*asked), store.points(*asked)
    assert list(there) == list(here)
    names = ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p99"]
    for series, points in there.items():
        assert points.times == here[series].times
        for name in names:
            assert Statistic(name).told(points) == pytest.approx(Statistic(name).told(here[series]))
    assert len(there[calls]) == 2


def test_a_percentile_is_read_once_for_all_series_that_were_read_together(told):
    store, stub, asked = told
    one, two = a_series(), a_series()
    stub.add_response("get_metric_data", answer([4.0] * 8))
    found = store.points([one, two], NOW - minutes(1), NOW, MINUTE)
    stub.add_response("get_metric_data", answer([7.0, 9.0]))
    assert [found[each].percentiles(99.9) for each in (one, two)] == [[7.0], [9.0]]
    assert found[one].percentiles(99.9) == [7.0]
    stats = [[each["MetricStat"]["Stat"] for each in a["MetricDataQueries"]] for a in asked]
    assert stats[-1] == ["p99.9"] * 2


def answer(values, **more):
    """Each series has one point, of a minute ago."""
    results = [
        {"Id": f"m{n}", "Timestamps": [NOW - minutes(1)], "Values": [v], "StatusCode": "Complete"}
        for n, v in enumerate(values)
    ]
    return {"MetricDataResults": results, **more}


def test_the_services_tell_percentiles_and_metric_math(embedded):
    world, account = embedded
    series = a_series()
    world.metrics.add([a_sample(series, Aggregate.counted({10.0: 99, 1000.0: 1}))])
    store = CloudWatchMetrics(account, world.clock)
    (answered,) = Metrics(store).query(
        [Wanted(series, (Statistic("p50"), Statistic("Sum")))], NOW - HOUR, NOW, 60
    )
    (point,) = answered.points
    assert point.values == (pytest.approx(10, rel=0.1), 1990)
    queries = [
        Query(
            id="m1", measured=Measured(series=series, period=60, statistic="Sum"), returned=False
        ),
        Query(id="half", expression="m1 / 2"),
    ]
    (result,) = MetricQueries(store).answer(queries, NOW - HOUR, NOW)
    assert list(result.lines[0].values.values()) == [995]


def test_a_percentile_that_cannot_be_told_is_told_of_its_series(told):
    store, stub, _ = told
    series = a_series()
    stub.add_response("get_metric_data", answer([4.0] * 4))
    stub.add_client_error("get_metric_data", "Throttling", "too fast")
    (answered,) = Metrics(store).query(
        [Wanted(series, (Statistic("p99"),))], NOW - minutes(1), NOW, 60
    )
    assert answered.points == ()
    assert "Throttling" in answered.unreadable.message


def test_series_that_cloudwatch_breaks_off_are_unreadable_and_others_not(told):
    store, stub, _ = told
    one, two = a_series(), a_series()
    broken = answer([4.0] * 8)
    broken["MetricDataResults"][5]["StatusCode"] = "InternalError"
    stub.add_response("get_metric_data", broken)
    found = store.points([one, two], NOW - minutes(1), NOW, MINUTE)
    assert list(found[one]) == [
        Point(NOW - minutes(1), Aggregate(count=4, total=4, least=4, most=4))
    ]
    with pytest.raises(Unreadable, match="InternalError"):
        found[two]


@pytest.mark.parametrize(
    ("code", "error"), [("Throttling", Throttled), ("AccessDenied", Forbidden)]
)
def test_a_store_that_tells_nothing_says_why(told, code, error):
    store, stub, _ = told
    for operation, ask in {
        "get_metric_data": lambda: store.points([a_series()], NOW - HOUR, NOW, MINUTE),
        "list_metrics": store.known,
        "put_metric_data": lambda: store.add([a_sample(a_series())]),
    }.items():
        stub.add_client_error(operation, code, "no")
        with pytest.raises(error, match=code):
            ask()


def test_whose_newest_point_is_not_told_is_not_left_out(told):
    store, stub, _ = told
    stub.add_response("list_metrics", {"Metrics": [{"Namespace": "Team/App", "MetricName": "A"}]})
    stub.add_client_error("get_metric_data", "Throttling", "too fast")
    with pytest.raises(Throttled):
        store.known()


def test_what_is_old_is_asked_for_in_the_periods_that_it_is_kept_in(told):
    store, stub, asked = told
    start, hours, fives = (begin(NOW - each, 3600) for each in (timedelta(days=80), FIVES, MINUTES))
    for _ in range(3):
        stub.add_response("get_metric_data", answer([4.0] * 4))
    store.points([a_series()], start, NOW, MINUTE)
    assert [
        (each["StartTime"], each["EndTime"], each["MetricDataQueries"][0]["MetricStat"]["Period"])
        for each in asked
    ] == [
        (start, hours + HOUR, 3600),
        (hours + HOUR, fives + HOUR, 300),
        (fives + HOUR, NOW, MINUTE),
    ]


def test_parts_of_a_range_are_put_together(embedded):
    world, account = embedded
    series = a_series()
    days = (70, 40, 1)
    world.metrics.add(
        [a_sample(series, 1.0, day * 24 * 60 + more) for day in days for more in (0, 1, 2)]
    )
    store = CloudWatchMetrics(account, world.clock)
    found = store.points([series], NOW - timedelta(days=80), NOW, MINUTE)[series]
    # Hours of what is oldest, then five minutes, then minutes.
    assert [point.value.total for point in found] == [2, 1, 2, 1, 1, 1, 1]


def test_no_period_is_in_two_parts(told):
    """Nor on the days in the middle of which CloudWatch begins to keep longer periods."""
    store, stub, asked = told
    for _ in range(3):
        stub.add_response("get_metric_data", answer([4.0] * 4))
    start, end = (begin(NOW - timedelta(days=each), 86400) for each in (80, -1))
    store.points([a_series()], start, end, 86400)
    spans = [(each["StartTime"], each["EndTime"]) for each in asked]
    assert len(spans) == 3
    assert all(begin(each, 86400) == each for span in spans for each in span)


def test_a_long_period_that_began_before_a_range_is_not_in_it(embedded):
    world, account = embedded
    series = a_series()
    old = NOW - timedelta(days=70)
    world.metrics.add([a_sample(series, 1.0, 70 * 24 * 60 - each) for each in (10, 70)])
    found = CloudWatchMetrics(account, world.clock).points(
        [series], old + minutes(5), old + 2 * HOUR, MINUTE
    )
    assert found[series].times == [old + HOUR]


def test_namespaces_of_aws_are_refused_with_nothing_put(store):
    series = a_series()
    with pytest.raises(InvalidInput, match="AWS/SageMaker"):
        store.add([a_sample(series), a_sample(Series.of(SAGEMAKER, "Invocations"))])
    assert store.known(namespace="Team/App", dimensions=dict(series.dimensions)) == []


def test_many_samples_are_put_some_hundred_at_a_time(told):
    store, stub, asked = told
    for _ in range(3):
        stub.add_response("put_metric_data", {})
    series = a_series()
    store.add([a_sample(series, back=each) for each in range(1001)])
    assert [len(each["MetricData"]) for each in asked] == [500, 500, 1]
    assert asked[0]["MetricData"][0]["StatisticValues"] == {
        "SampleCount": 1, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0,
    }  # fmt: skip


def test_the_newest_point_is_told_to_its_hour_where_it_is_old(store):
    old, new = a_series(), a_series()
    store.add([a_sample(old, back=400), a_sample(new, back=7)])
    for series, newest in ((old, begin(NOW - minutes(400), 3600)), (new, NOW - minutes(7))):
        (known,) = store.known(dimensions=dict(series.dimensions))
        assert (known.series, known.newest) == (series, newest)


@pytest.mark.parametrize(
    ("series", "unit"),
    [
        (Series.of(SAGEMAKER, "Invocations"), Unit.COUNT),
        (Series.of(SAGEMAKER, "ModelLatency"), Unit.MICROSECONDS),
        (Series.of(SAGEMAKER, "TotalProcessingTime"), Unit.MILLISECONDS),
        (Series.of(SAGEMAKER, "ApproximateAgeOfOldestRequest"), Unit.SECONDS),
        (Series.of("/aws/sagemaker/Endpoints", "CPUUtilization"), Unit.PERCENT),
        (Series.of("/aws/sagemaker/Endpoints", "LoadedModelCount"), Unit.COUNT),
        (Series.of("AWS/ApiGateway", "Latency"), Unit.MILLISECONDS),
        (Series.of("AWS/ApiGateway", "5XXError"), Unit.COUNT),
        (Series.of("Team/App", "Invocations"), Unit.NONE),
    ],
)
def test_units_are_those_that_sagemaker_measures_in(series, unit):
    from parkade.adapters.aws.cloudwatch.units import unit_of

    assert unit_of(series) == unit
