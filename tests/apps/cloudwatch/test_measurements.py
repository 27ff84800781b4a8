"""GetMetricData, GetMetricStatistics, ListMetrics and PutMetricData: pages, limits, refusals."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.metrics import Sample
from tests.builders import NOW, minutes, seconds

BLUE = Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName="blue")
METRIC = {
    "Namespace": SAGEMAKER,
    "MetricName": "Invocations",
    "Dimensions": [
        {"Name": "EndpointName", "Value": "falcon"},
        {"Name": "VariantName", "Value": "blue"},
    ],
}


def measured(world, *values, series=BLUE, period=60, unit="Count"):
    """Store one value a period, the newest just before NOW."""
    begin = NOW - timedelta(seconds=period) * len(values)
    world.metrics.add([
        Sample(series=series, at=begin + timedelta(seconds=period) * n, value=Aggregate.of(value),
               seconds=period, unit=unit)
        for n, value in enumerate(values)
    ])  # fmt: skip


def query(id="m1", *, metric=METRIC, period=60, stat="Sum", **more):  # noqa: A002
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def data(cbor, *queries, span=60, **more):
    return cbor.get_metric_data(
        MetricDataQueries=list(queries), StartTime=NOW - minutes(span), EndTime=NOW, **more
    )


def refusal(method, **given):
    with pytest.raises(ClientError) as caught:
        method(**given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_points_come_the_newest_first_unless_asked_otherwise(cbor, world):
    measured(world, 1, 2, 3)
    (result,) = data(cbor, query())["MetricDataResults"]
    assert result["Values"] == [3, 2, 1]
    (result,) = data(cbor, query(), ScanBy="TimestampAscending")["MetricDataResults"]
    assert result["Values"] == [1, 2, 3]
    assert result["Timestamps"] == [NOW - minutes(3), NOW - minutes(2), NOW - minutes(1)]
    assert result["Label"] == "Invocations"


def test_periods_begin_with_the_epoch_and_the_first_is_whole(cbor, world):
    measured(world, *range(10))
    asked = {"StartTime": NOW - minutes(7), "EndTime": NOW - minutes(1)}
    (result,) = cbor.get_metric_data(
        MetricDataQueries=[query(period=300)], **asked, ScanBy="TimestampAscending"
    )["MetricDataResults"]
    assert result["Timestamps"] == [NOW - minutes(10), NOW - minutes(5)]
    assert result["Values"] == [0 + 1 + 2 + 3 + 4, 5 + 6 + 7 + 8 + 9]


@pytest.mark.parametrize("scan", ["TimestampAscending", "TimestampDescending"])
def test_pages_tell_every_point_once(cbor, world, scan):
    measured(world, *range(1, 8))
    queries = [query("a"), query("b", stat="Maximum"), {"Id": "c", "Expression": "[a, b]"}]
    whole = data(cbor, *queries, ScanBy=scan)["MetricDataResults"]
    wanted = [
        (r["Id"], t, v) for r in whole for t, v in zip(r["Timestamps"], r["Values"], strict=True)
    ]
    assert len(wanted) == 28
    for most in (1, 3, 7, 100):
        found, token = [], {}
        while True:
            page = data(cbor, *queries, ScanBy=scan, MaxDatapoints=most, **token)
            points = [
                (r["Id"], t, v)
                for r in page["MetricDataResults"]
                for t, v in zip(r["Timestamps"], r["Values"], strict=True)
            ]
            assert 1 <= len(points) <= most
            found += points
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert found == wanted


def test_a_page_that_is_cut_says_so(cbor, world):
    measured(world, 1, 2, 3)
    first = data(cbor, query(), MaxDatapoints=2)
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    last = data(cbor, query(), MaxDatapoints=2, NextToken=first["NextToken"])
    assert last["MetricDataResults"][0]["StatusCode"] == "Complete"


def test_a_series_that_is_not_known_has_no_points(cbor):
    (result,) = data(cbor, query())["MetricDataResults"]
    assert result["Values"] == []
    assert result["StatusCode"] == "Complete"


def test_a_series_of_another_unit_has_no_points(cbor, world):
    measured(world, 1)
    stat = {"Metric": METRIC, "Period": 60, "Stat": "Sum", "Unit": "Bytes"}
    (result,) = data(cbor, {"Id": "m", "MetricStat": stat})["MetricDataResults"]
    assert result["Values"] == []
    stat["Unit"] = "Count"
    (result,) = data(cbor, {"Id": "m", "MetricStat": stat})["MetricDataResults"]
    assert result["Values"] == [1]


def test_a_damaged_series_is_told_and_harms_no_other(cbor, world):
    measured(world, 1)
    other = Series.of(SAGEMAKER, "Invocations", EndpointName="flan", VariantName="blue")
    measured(world, 5, series=other)
    world.metrics.damage(BLUE, NOW - minutes(1))
    flan = {**METRIC, "Dimensions": [{"Name": "EndpointName", "Value": "flan"},
                                     {"Name": "VariantName", "Value": "blue"}]}  # fmt: skip
    expression = {"Id": "e", "Expression": "bad + good"}
    answer = data(cbor, query("bad"), query("good", metric=flan), expression)
    bad, good, both = answer["MetricDataResults"]
    assert (bad["StatusCode"], bad["Values"]) == ("InternalError", [])
    assert "Invocations" in bad["Messages"][0]["Value"]
    assert (good["StatusCode"], good["Values"]) == ("Complete", [5])
    assert both["StatusCode"] == "InternalError"


@pytest.mark.parametrize(
    ("given", "code", "why"),
    [
        ({"StartTime": NOW}, "InvalidParameterCombination", "StartTime must be less"),
        ({"MetricDataQueries": []}, "MissingParameter", "MetricDataQueries"),
        ({"MetricDataQueries": [query()] * 2}, "InvalidParameterValue", "Two queries have the id"),
        ({"MetricDataQueries": [query(period=5)]}, "InvalidParameterValue", "period of 5 s"),
        ({"MetricDataQueries": [query(stat="tm90")]}, "InvalidParameterValue", "'tm90'"),
        ({"MetricDataQueries": [query(Label="${MAX}")]}, "InvalidParameterCombination", "Label"),
        ({"MetricDataQueries": [query(AccountId="123456789012")]}, "InvalidParameterValue", "AccountId"),
        ({"MetricDataQueries": [{"Id": "e", "Expression": "SEARCH('x')"}]},
         "InvalidParameterValue", "SEARCH, which is not built here"),
        ({"MetricDataQueries": [{**query(), "Expression": "1"}]},
         "InvalidParameterCombination", "both MetricStat and Expression"),
        ({"MetricDataQueries": [{"Id": "e"}]}, "InvalidParameterValue", "one of MetricStat"),
        ({"StartTime": datetime(1, 1, 1, 1, tzinfo=UTC)}, "InvalidParameterValue", "StartTime"),
        ({"EndTime": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)}, "InvalidParameterValue", "EndTime"),
        ({"MaxDatapoints": 0}, "InvalidParameterValue", "MaxDatapoints"),
        ({"StartTime": NOW - timedelta(days=80)}, "InvalidParameterValue", "100800"),
        ({"NextToken": "e30="}, "InvalidNextToken", "NextToken"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(cbor, given, code, why):
    whole = {"MetricDataQueries": [query()], "StartTime": NOW - minutes(5), "EndTime": NOW}
    found, message = refusal(cbor.get_metric_data, **{**whole, **given})
    assert found == code
    assert why in message


# GetMetricStatistics.


def statistics(cbor, **changes):
    given = {"StartTime": NOW - minutes(60), "EndTime": NOW, "Period": 60, "Statistics": ["Sum"]}
    return cbor.get_metric_statistics(**{**METRIC, **given, **changes})


def test_every_statistic(cbor, world):
    measured(world, 1, 3)
    names = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"]
    answer = statistics(cbor, Period=300, Statistics=names)
    (point,) = answer["Datapoints"]
    assert [point[name] for name in names] == [2, 3, 1, 2, 4]
    assert answer["Label"] == "Invocations"


def test_1440_points_are_allowed_and_no_more(cbor):
    allowed = statistics(cbor, StartTime=NOW - minutes(1440))
    assert allowed["Datapoints"] == []
    with pytest.raises(ClientError) as caught:
        statistics(cbor, StartTime=NOW - minutes(1441))
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterCombination"
    assert "up to 1,441 datapoints, which exceeds the limit of 1,440" in error["Message"]


@pytest.mark.parametrize(
    ("days", "period", "allowed"),
    [(14, 86400, True), (16, 60, False), (16, 300, True), (64, 300, False), (64, 3600, True)],
)
def test_long_ago_only_long_periods_can_be_asked_for(cbor, days, period, allowed):
    start = NOW - timedelta(days=days)
    asked = {"StartTime": start, "EndTime": start + minutes(120), "Period": period}
    if allowed:
        statistics(cbor, **asked)
    else:
        with pytest.raises(ClientError, match="multiple of"):
            statistics(cbor, **asked)


def test_statistics_of_some_kind_are_needed(cbor):
    with pytest.raises(ClientError, match="Statistics or ExtendedStatistics"):
        statistics(cbor, Statistics=None)


# ListMetrics.


def test_series_are_listed_in_pages(cbor, world):
    for number in range(1203):
        series = Series.of("Mine", "Depth", Queue=f"q{number:04}")
        measured(world, 1, series=series)
    found, token, pages = [], {}, 0
    while True:
        page = cbor.list_metrics(Namespace="Mine", **token)
        found += [each["Dimensions"][0]["Value"] for each in page["Metrics"]]
        pages += 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == 3
    assert found == [f"q{number:04}" for number in range(1203)]


def test_series_are_filtered_by_dimensions_and_by_when_they_were_active(cbor, world):
    measured(world, 1)
    old = Series.of(SAGEMAKER, "Invocations", EndpointName="flan", VariantName="blue")
    world.metrics.add([Sample(series=old, at=NOW - minutes(240), value=Aggregate.of(1))])

    def listed(**given):
        found = cbor.list_metrics(**given)["Metrics"]
        return [{d["Name"]: d["Value"] for d in m["Dimensions"]}["EndpointName"] for m in found]

    assert listed() == ["falcon", "flan"]
    assert listed(Dimensions=[{"Name": "EndpointName"}]) == ["falcon", "flan"]
    assert listed(Dimensions=[{"Name": "EndpointName", "Value": "flan"}]) == ["flan"]
    assert listed(Dimensions=[{"Name": "Else"}]) == []
    assert listed(MetricName="Else") == []
    assert listed(RecentlyActive="PT3H") == ["falcon"]


# PutMetricData.


def put(cbor, *data, namespace="Mine"):
    cbor.put_metric_data(Namespace=namespace, MetricData=list(data))


def test_samples_come_as_a_value_as_values_or_as_statistics(cbor, world):
    put(
        cbor,
        {"MetricName": "x", "Value": 1},
        {"MetricName": "x", "Values": [2, 3], "Counts": [1, 2]},
        {"MetricName": "x", "Values": [4]},
        {"MetricName": "x", "StatisticValues":
            {"SampleCount": 2, "Sum": 20, "Minimum": 9, "Maximum": 11}},
    )  # fmt: skip
    series = Series.of("Mine", "x")
    (point,) = world.metrics.points([series], NOW, NOW + minutes(1), 60)[series]
    assert (point.value.count, point.value.total) == (7, 1 + 2 + 6 + 4 + 20)
    assert (point.value.least, point.value.most) == (1, 11)


def test_high_resolution_is_kept_in_tens_of_seconds(cbor, world):
    for at in (1, 9, 11):
        put(cbor, {"MetricName": "x", "Value": 1, "StorageResolution": 1,
                   "Timestamp": NOW + seconds(at)})  # fmt: skip
    series = Series.of("Mine", "x")
    points = world.metrics.points([series], NOW, NOW + minutes(1), 10)[series]
    assert [each.value.count for each in points] == [2, 1]


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ({"Value": 1, "Counts": [1]}, "InvalidParameterCombination"),
        ({"Values": []}, "InvalidParameterValue"),
        ({"Values": [1] * 151}, "InvalidParameterValue"),
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue"),
        ({"Values": [1], "Counts": [0]}, "InvalidParameterValue"),
        ({"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
         "InvalidParameterValue"),
        ({"StatisticValues": {"SampleCount": 1, "Sum": 0, "Minimum": 2, "Maximum": 1}},
         "InvalidParameterValue"),
        ({"Value": 1, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue"),
        ({"Value": 1, "StorageResolution": 10}, "InvalidParameterValue"),
        ({"Value": 1, "Unit": "Apples"}, "ValidationError"),
        ({"Value": 1, "Dimensions": [{"Name": "a", "Value": "b"}] * 2}, "InvalidParameterValue"),
        ({"Value": 1, "Dimensions": [{"Name": ":a", "Value": "b"}]}, "InvalidParameterValue"),
        ({"Value": 1, "Dimensions": [{"Name": "a", "Value": "ü"}]}, "InvalidParameterValue"),
        ({"Value": 1, "Dimensions": [{"Name": f"d{n}", "Value": "v"} for n in range(31)]},
         "ValidationError"),
    ],
)  # fmt: skip
def test_a_sample_that_cannot_be_is_refused_and_none_is_stored(cbor, world, datum, code):
    good = {"MetricName": "good", "Value": 1}
    whole = [good, {"MetricName": "bad", **datum}]
    found, message = refusal(cbor.put_metric_data, Namespace="Mine", MetricData=whole)
    assert found == code
    assert "member.2" in message.lower() or "2.member" in message
    assert world.metrics.known() == []


@pytest.mark.parametrize(
    "namespace", ["AWS/SageMaker", "AWS/X", "/aws/sagemaker/Endpoints", "/aws/x", "Parkade"]
)
def test_nobody_writes_what_idleness_is_decided_on(cbor, world, namespace):
    given = {"Namespace": namespace, "MetricData": [{"MetricName": "Invocations", "Value": 1}]}
    assert refusal(cbor.put_metric_data, **given)[0] == "InvalidParameterValue"
    assert world.metrics.known() == []


def test_a_thousand_metrics_are_allowed_and_no_more(cbor, world):
    put(cbor, *[{"MetricName": f"m{n}", "Value": 1} for n in range(1000)])
    assert len(world.metrics.known("Mine")) == 1000
    many = [{"MetricName": f"m{n}", "Value": 1} for n in range(1001)]
    code, message = refusal(cbor.put_metric_data, Namespace="Mine", MetricData=many)
    assert code == "InvalidParameterValue"
    assert "1000 are allowed" in message
