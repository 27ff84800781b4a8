"""Pictures of testers: what is drawn where, and that it is sound SVG and HTML."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.pictures import axes, byrate, latency, svg
from parkade.apps.pictures.page import frame, page, table

NAME = "{http://www.w3.org/2000/svg}"


def a_window(at, **changes):
    usual = {"at_seconds": at, "runs": 10, "failures": 0, "p50_ms": 10.0, "p99_ms": 20.0}
    return {**usual, **changes}


def a_report(*windows, seconds=60.0):
    return {
        "seconds": seconds,
        "window_seconds": 1,
        "total": {"runs": sum(each["runs"] for each in windows)},
        "windows": list(windows),
    }


def drawn(text):
    return ET.fromstring(text)  # noqa: S314  our own


def of(root, tag, kind):
    return [each for each in root.iter(NAME + tag) if kind in each.get("class", "").split()]


def texts(root):
    return [each.text for each in root.iter(NAME + "text")]


def test_lines_of_p50_and_p99_within_the_axes():
    root = drawn(
        latency.picture("text", a_report(*(a_window(n, p99_ms=n * 10.0) for n in range(60))))
    )
    one, two = of(root, "path", "one"), of(root, "path", "two")
    assert len(one) == len(two) == 1
    points = [each.split(" ") for each in two[0].get("d")[1:].split("L")]
    assert len(points) == 60
    for x, y in points:
        assert svg.LEFT <= float(x) <= svg.WIDTH - svg.RIGHT
        assert svg.TOP <= float(y) <= svg.HEIGHT - svg.BOTTOM
    heights = [float(y) for _, y in points]
    assert heights == sorted(heights, reverse=True)
    assert {"response time (ms)", "time since the begin", "p50", "p99", "600"} <= set(texts(root))


def test_failures_are_marked_and_named_only_where_there_are_any():
    good = latency.picture("text", a_report(a_window(0), a_window(1)))
    assert "calls that failed" not in texts(drawn(good))
    bad = drawn(latency.picture("text", a_report(a_window(0), a_window(1, failures=3))))
    assert "calls that failed" in texts(bad)
    marks = [each for each in of(bad, "g", "bad") if each.find(NAME + "title") is not None]
    assert [each.find(NAME + "title").text for each in marks] == ["1 s: 3 of 10 calls failed"]


def test_where_nothing_was_answered_the_line_is_broken():
    gap = a_window(2, runs=10, failures=10, p50_ms=None, p99_ms=None)
    root = drawn(latency.picture("text", a_report(a_window(0), a_window(1), gap, a_window(3))))
    (line,) = of(root, "path", "one")
    assert line.get("d").count("M") == 2
    assert "h2" in line.get("d")  # one window alone is a dot


def test_a_run_without_any_call_has_a_picture():
    root = drawn(latency.picture("text", a_report(seconds=0.0)))
    assert not of(root, "path", "line")


def test_what_it_is_called_is_text_and_nothing_else():
    title = '<script>alert("&")</script>'
    root = drawn(latency.picture(title, a_report(a_window(0))))
    assert title in texts(root)
    assert not list(root.iter(NAME + "script"))


def a_step(rate, **changes):
    usual = {"rate": rate, "p50_ms": 5.0, "latency_ms": 10.0, "holds": True,
             "client_limited": False, "reason": "10.0 ms"}  # fmt: skip
    return {**usual, **changes}


def found(*steps):
    return {
        "steps": list(steps),
        "target_ms": 50.0,
        "quantile": "p99",
        "verdict": "20 requests a second within 50 ms",
        "client_limited": any(each["client_limited"] for each in steps),
    }


def test_steps_are_marked_by_what_they_found():
    no = a_step(40.0, holds=False, latency_ms=9000.0, reason="9000.0 ms is more than 50 ms")
    silent = a_step(80.0, holds=False, latency_ms=None, p50_ms=None, reason="nothing was answered")
    root = drawn(byrate.picture("text", found(a_step(10.0), a_step(20.0), no, silent)))
    held = [each for each in of(root, "circle", "held") if each.find(NAME + "title") is not None]
    assert len(held) == 2
    crosses = [each for each in of(root, "g", "bad") if each.find(NAME + "title") is not None]
    assert [each.find(NAME + "title").text for each in crosses] == [
        "40 a second: 9000.0 ms is more than 50 ms",
        "80 a second: nothing was answered",
    ]
    assert "target, 50 ms" in texts(root)
    assert "the client was the limit" not in texts(root)


def test_a_step_that_the_client_limited_is_told_apart():
    unsure = a_step(40.0, holds=False, client_limited=True)
    root = drawn(byrate.picture("text", found(a_step(10.0), unsure)))
    assert "the client was the limit" in texts(root)
    assert len(of(root, "circle", "unsure")) == 2  # in the key, too


@given(st.lists(st.floats(0, 1e9), max_size=50))
def test_an_axis_reaches_above_all_values_by_round_steps(values):
    axis = axes.rising(values, 100.0, 0.0)
    assert axis.ticks[0] == 0
    assert axis.high >= max(values, default=0) * (1 - 1e-9)
    assert 2 <= len(axis.ticks) <= 8
    assert all(0 <= axis.at(value) <= 100 for value in values)


@given(st.floats(0, 200_000))
def test_an_axis_of_time_has_a_few_ticks(seconds):
    axis = axes.passing(seconds, 0.0, 100.0)
    assert 1 <= len(axis.ticks) <= 11
    assert axis.at(seconds) <= 100


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (45, "45 s"), (150, "2:30"), (3900, "1:05:00")]
)
def test_times_are_told_as_clocks_do(seconds, told):
    assert axes.clock(seconds) == told


class Balance(HTMLParser):
    """Follows what is open."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_whole_and_shows_what_it_is_given_as_text():
    rows = [["<b>bold</b>", "1 & 2"]]
    parts = [
        frame(latency.picture("text", a_report(a_window(0)))),
        table("By case", ("Case", "Got"), rows, kind="text"),
    ]
    text = page("Tester: <text>", "all is well", good=True, facts=["a < b"], parts=parts)
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert "b" not in parser.seen
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert parser.seen.count("svg") == 1
