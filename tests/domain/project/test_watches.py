"""What a project's file asks to be watched, as alarms that can be evaluated."""

from datetime import timedelta

import pytest

from parkade.domain import alarmforms, metricquery
from parkade.domain.alarm import Comparison, Missing
from parkade.domain.errors import InvalidInput
from parkade.domain.mathfunctions import Span
from parkade.domain.mathvalues import Line
from parkade.domain.project import audience
from parkade.domain.project.metrics import METRICS, Level
from parkade.domain.project.thresholds import Thresholds
from parkade.domain.project.watches import Watch
from parkade.domain.series import Series
from parkade.domain.subscriber import Filter
from parkade.services.alarms import check
from tests.builders import NOW, an_event


def a_watch(metric="ModelLatency", **changes):
    defaults = {"comparison": Comparison.ABOVE, "threshold": 500_000}
    return Watch(metric=metric, **{**defaults, **changes})


def the_alarm(content):
    alarm = alarmforms.alarm("a", content, NOW)
    check(alarm)
    return alarm


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_watched_by_the_statistic_that_says_most(name):
    watch = a_watch(name)
    content = (
        watch.of_route("ShopDemo", "/text")
        if METRICS[name].level is Level.ROUTE
        else watch.of_endpoint("ShopDemo-text", ["a", "b"])
    )
    alarm = the_alarm(content)
    assert alarm.rule.threshold == 500_000
    # What is measured of the whole endpoint is one series, however many variants there are.
    assert len(alarm.queries) == (3 if METRICS[name].level is Level.VARIANT else 1)


def test_one_variant_is_watched_plainly():
    content = a_watch(periods=3, datapoints=2).of_endpoint("text", ["a", "b"], "b")
    assert content["Dimensions"] == [
        {"Name": "EndpointName", "Value": "text"},
        {"Name": "VariantName", "Value": "b"},
    ]
    assert content["ExtendedStatistic"] == "p99"
    assert the_alarm(content).rule.datapoints == 2


@pytest.mark.parametrize(
    ("comparison", "worst"),
    [
        (Comparison.ABOVE, 9.0),
        (Comparison.AT_LEAST, 9.0),
        (Comparison.BELOW, 1.0),
        (Comparison.AT_MOST, 1.0),
    ],
)
def test_of_several_variants_the_worst_is_watched(comparison, worst):
    alarm = the_alarm(a_watch(comparison=comparison).of_endpoint("text", ["a", "b", "c"]))
    lines = {
        "m1": Line(60, {NOW: 1.0}),
        "m2": Line(60, {NOW: 9.0}),
        "m3": Line(60, {}),  # one without traffic hides no other
    }
    span = Span(start=NOW, end=NOW + timedelta(minutes=1), period=60)
    ((line,),) = metricquery.answer(alarm.queries, lines, span).values()
    assert line.values == {NOW: worst}


def test_a_metric_of_ones_own_is_found_in_its_namespace():
    watch = a_watch("Drift", namespace="Shop", statistic="Average")
    content = watch.of_endpoint("text", ["a"])
    (series,) = [query.measured.series for query in the_alarm(content).queries]
    assert series == Series.of("Shop", "Drift", EndpointName="text", VariantName="a")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: a_watch("ModelLatencey").of_endpoint("text", ["a"]), "did you mean"),
        (lambda: a_watch().of_endpoint("text", ["a"], "c"), "it has a"),
        (lambda: a_watch("4XXError").of_endpoint("text", ["a"]), "name a route"),
        (lambda: a_watch().of_route("ShopDemo", "/text"), "name an endpoint"),
        (
            lambda: a_watch("ApproximateBacklogSize").of_endpoint("text", ["a"], "a"),
            "leave the variant out",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused_with_what_to_do(make, said):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert said in caught.value.hint


def test_thresholds_are_the_seeds_over_all_routes_of_the_project():
    contents = Thresholds().contents("TextClassificationDemo")
    assert {key: each["Threshold"] for key, each in contents.items()} == {
        "overall-calls": 100,
        "errors-4xx": 20,
        "errors-5xx": 20,
    }
    for content in contents.values():
        alarm = the_alarm(content)
        (series,) = [query.measured.series for query in alarm.queries]
        assert series.dimensions == (("ApiName", "TextClassificationDemo"),)
        # 20 of 20 are too many, and a minute without calls is none.
        assert alarm.rule.comparison.holds(alarm.rule.threshold, alarm.rule.threshold)
        assert alarm.rule.missing is Missing.NOT_BREACHING


def test_a_threshold_that_is_none_is_no_alarm():
    assert set(Thresholds(calls=None).contents("p")) == {"errors-4xx", "errors-5xx"}


@pytest.mark.parametrize(("alarms", "endpoints"), [(["P-a"], ["P-t"]), (["P-a"], []), ([], [])])
def test_a_subscriber_hears_of_its_project_and_of_no_other(alarms, endpoints):
    heard = audience.interest("P", alarms=alarms, endpoints=endpoints)
    form = audience.by_mail("ann@example.com")
    whole = Filter(
        kinds=tuple(form["kinds"]),
        alarms=tuple(heard["alarms"]),
        alarm_states=tuple(heard["alarm_states"]),
        endpoints=tuple(heard["endpoints"]),
        projects=tuple(heard["projects"]),
    )

    def of_project(project):
        return an_event("notice.project", endpoint_name="", data={"project": project})

    def of_alarm(name, endpoint=""):
        return an_event("alarm.changed", endpoint_name=endpoint, data={"name": name})

    assert whole.passes(of_alarm("P-a")) is bool(alarms)
    assert whole.passes(of_project("P"))
    assert whole.passes(an_event("notice.expiry", endpoint_name="P-t")) is bool(endpoints)
    assert whole.passes(an_event("endpoint.failed", endpoint_name="P-t")) is bool(endpoints)
    assert not whole.passes(an_event("endpoint.in_service", endpoint_name="P-t"))
    for other in (
        of_alarm("P-other-a"),
        of_alarm("TargetTracking-P-t", "P-t"),
        of_alarm("other"),
        of_project("P-other"),
        of_project("Pother"),
        an_event("notice.expiry", endpoint_name="P-other-t"),
        an_event("notice.failed", endpoint_name=""),
    ):
        assert not whole.passes(other)


def test_an_address_has_a_key():
    assert audience.key_of("ann+ops@example.com") == "ann-ops-at-example.com"
