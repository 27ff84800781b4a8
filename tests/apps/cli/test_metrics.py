"""`parkade metrics ENDPOINT`: a line for each series."""

import csv
import io

import pytest

from parkade.apps.cli.sparklines import Line, Lines, quantity, sparkline
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.ports.metrics import Sample
from tests.apps.cli.test_views import drawn
from tests.builders import NOW, minutes
from tests.ports.test_metrics import spread

CALLS = Series.of(SAGEMAKER, "Invocations", EndpointName="falcon", VariantName="blue")
LATENCY = Series.of(SAGEMAKER, "ModelLatency", EndpointName="falcon", VariantName="blue")


@pytest.fixture
def measured(desk):
    """Three minutes of use, the last of them an hour ago."""
    for n, count in enumerate((1, 20, 4)):
        at = NOW - minutes(62 - n)
        desk.world.metrics.add(
            [
                Sample(series=CALLS, at=at, value=Aggregate.of(1.0, count), unit="Count"),
                Sample(series=LATENCY, at=at, value=spread(900, 2e6), unit="Microseconds"),
            ]
        )
    return desk


def test_a_line_a_series_with_last_least_and_most(measured):
    shown = measured.ok("metrics", "falcon", "--period", "60")
    (calls,) = (line for line in shown.splitlines() if line.startswith("Invocations"))
    assert calls.split()[-3:] == ["4", "1", "20"]
    assert "▁" not in calls
    assert "█" in calls
    (latency,) = (line for line in shown.splitlines() if line.startswith("ModelLatency"))
    assert latency.split()[1] == "p99"
    assert latency.split()[-2:] == ["1.92", "s"]


def test_the_period_follows_the_span(measured):
    assert "5 min a point" in measured.run("metrics", "falcon").output
    assert "6 h a point" in measured.run("metrics", "falcon", "--since", "15d").output


def test_csv_has_every_point(measured):
    rows = list(
        csv.DictReader(io.StringIO(measured.ok("metrics", "falcon", "--period", "60", "--csv")))
    )
    calls = [row for row in rows if row["name"] == "Invocations"]
    assert [float(row["Sum"]) for row in calls] == [1, 20, 4]
    assert calls[0]["dimensions"] == "EndpointName=falcon VariantName=blue"
    assert calls[0]["at"].startswith("2026-03-01T10:58:00")


def test_json_is_the_answer_of_the_api(measured):
    told = measured.json("metrics", "falcon", "--statistic", "Sum")
    assert told["statistics"] == ["Sum"]
    assert [each["series"]["name"] for each in told["measured"]] == ["Invocations", "ModelLatency"]


def test_damage_is_told_in_the_line(measured):
    measured.world.metrics.damage(CALLS, NOW - minutes(61))
    shown = measured.ok("metrics", "falcon")
    assert "cannot be read" in shown
    assert "ModelLatency" in shown


def test_nothing_is_told_where_nothing_was_measured(desk):
    assert "Nothing was measured of falcon" in desk.run("metrics", "falcon").output


@pytest.mark.parametrize("span", ["3", "h", "-1h", "3 hours"])
def test_a_span_that_is_none_is_refused(desk, span):
    assert "3h" in desk.error("metrics", "falcon", f"--since={span}")


def a_line(name="Invocations", **changes):
    values = {
        "about": "AllTraffic",
        "statistic": "Sum",
        "unit": "Count",
        "values": (1.0, None, 3.0),
    }
    return Line(name=name, **{**values, **changes})


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_width(width):
    lines = [
        a_line(values=tuple(map(float, range(500)))),
        a_line("NoCapacityInvocationFailures", values=(None,) * 60),
        a_line(
            "CPUUtilization", about="AllTraffic 0123456789ab", unit="Percent", statistic="Average"
        ),
        a_line("ModelLatency", about="", values=(-1.25e9,), unit="Seconds", statistic="p99.99"),
        a_line("Torn", trouble="it cannot be read at 2026-03-01: its bytes are torn"),
    ]
    shown = drawn(Lines(lines), width).splitlines()
    assert all(len(line) <= width for line in shown)
    assert len(max(shown, key=len).rstrip()) > width - 8
    assert sum(line.startswith("AllTraffic") for line in shown) == 3


@pytest.mark.parametrize(
    ("values", "cells", "expected"),
    [
        ((0, 1, 8), 3, "▁▂█"),
        ((0, 0, 0), 5, "▁▁▁"),
        ((5, 5), 8, "████████"),
        ((None, 4, None, 8), 4, " ▄ █"),
        ((1, 8, None, None, 4, 2), 3, "█ ▄"),
        ((-4, 0, 4), 6, "▁▁▄▄██"),
        ((), 8, ""),
        ((None,), 2, "  "),
        ((0.001, 1000), 2, "▂█"),
    ],
)
def test_sparklines_begin_at_zero_and_leave_gaps(values, cells, expected):
    assert sparkline(values, cells) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0, "Count", "0"),
        (12, "Count", "12"),
        (123456, "Count", "123k"),
        (4.2e6, "Count", "4.2M"),
        (0.5, "None", "0.5"),
        (812, "Microseconds", "812 us"),
        (8123, "Microseconds", "8.12 ms"),
        (81.53, "Percent", "81.5 %"),
        (1500, "Milliseconds", "1.5 s"),
        (90, "Seconds", "90 s"),
    ],
)
def test_quantities_are_written_for_people(value, unit, expected):
    assert quantity(value, unit) == expected
