"""A dashboard follows from a project's parts, and asks only for what can be asked for."""

import pytest
from hypothesis import given

from parkade.domain.dashboard.panel import Measure
from parkade.domain.dashboard.promql import selected
from parkade.domain.dashboard.rows import dashboard
from parkade.domain.dashboard.subject import Subject
from parkade.domain.series import SAGEMAKER
from parkade.domain.statistics import Statistic
from tests import promql
from tests.dashboards import WHOLE, subjects


@given(subjects)
def test_every_panel_shows_something_that_can_be_asked_for(subject):
    for panel in dashboard(subject).panels():
        assert panel.title
        assert panel.about.endswith(".")
        assert panel.lines or panel.figures
        assert not (panel.lines and panel.figures)
        labels = [each.label for each in (*panel.lines, *panel.figures)]
        assert len(set(labels)) == len(labels)
        for line in panel.lines:
            Statistic.of(line.statistic)
        for query in panel.queries:
            promql.parse(query.expression)


def test_what_a_project_does_not_have_takes_no_room():
    empty = Subject(prefix="ShopDemo", project="Shop", stage="Demo")
    assert dashboard(empty).rows == ()


def test_the_whole_of_it():
    rows = {row.title: [panel.title for panel in row.panels] for row in dashboard(WHOLE).rows}
    assert rows == {
        "API": [
            "Calls",
            "Answers of 4xx",
            "Answers of 5xx",
            "Latency",
            "Latency behind the route",
        ],
        "Endpoint ShopDemo-text": [
            "Invocations",
            "Errors",
            "Model latency",
            "Overhead",
            "Instances",
            "Processor",
            "Memory",
        ],
        "Endpoint ShopDemo-slow": [
            "Invocations",
            "Model latency",
            "Backlog",
            "Age of the oldest",
            "Failures",
            "Instances",
            "Processor",
            "Memory",
        ],
        "Endpoint ShopDemo-many": [
            "Invocations",
            "Errors",
            "Model latency",
            "Overhead",
            "Cache hits",
            "Models loaded anew",
            "Models in memory",
            "Instances",
            "Processor",
            "Memory",
        ],
        "Lease and cost": ["Time left", "Price an hour", "Spent", "Spent while idle", "Budgets"],
        "Tester": ["Response time", "Tests", "Statuses"],
    }


def test_latencies_of_models_are_microseconds_here_and_seconds_in_prometheus():
    """CloudWatch's series are in microseconds, whatever their name may suggest."""
    found = [
        panel
        for panel in dashboard(WHOLE).panels()
        for line in panel.lines
        if line.series.name in {"ModelLatency", "OverheadLatency"}
    ]
    assert found
    for panel in found:
        assert panel.unit is Measure.MICROSECONDS
        assert panel.grafana_unit == "s"
        assert all(line.series.namespace == SAGEMAKER for line in panel.lines)
        assert all("_seconds_bucket" in query.expression for query in panel.queries)


def test_what_a_name_holds_is_no_promql():
    assert selected("x", of='a"} or {b\\') == 'x{of="a\\"} or {b\\\\"}'
    promql.parse(selected("x", of='a"} or {b\\'))


@pytest.mark.parametrize(
    "wrong",
    [
        "rate(x)",
        "x[5m]",
        "sum by (a) (rate(x[5m])",
        "sum by (le) (sum by (a) (x))",
        "histogram_quantile(0.5, sum by (a) (rate(x_bucket[5m])))",
        "histogram_quantile(5, x_bucket)",
        "histogram_quantile(0.5, x)",
        "x{a=1}",
        "x y",
        "0.5",
    ],
)
def test_the_reader_of_promql_finds_what_is_wrong(wrong):
    with pytest.raises(promql.Malformed):
        promql.parse(wrong)
