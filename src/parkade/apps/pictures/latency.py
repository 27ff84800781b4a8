"""Latency over time: the p50 and the p99 of each window of a run, and where calls failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.pictures import axes, svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parkade.apps.pictures.axes import Axis

_LINES = (("p50_ms", "one", "p50"), ("p99_ms", "two", "p99"))


def picture(title: str, report: Mapping[str, Any]) -> str:
    """Return the SVG of a report, as `Report.written` has it."""
    windows: Sequence[Mapping[str, Any]] = report["windows"]
    across_place, up_place = svg.places()
    across = axes.passing(float(report["seconds"]), *across_place)
    times = [each["p99_ms"] for each in windows if each["p99_ms"] is not None]
    up = axes.rising(times, *up_place)
    failures = sum(each["failures"] for each in windows)
    key = [(kind, name) for _, kind, name in _LINES]
    frame = svg.Frame(
        title=title,
        description=f"response times of {report['total']['runs']} calls in "
        f"{report['seconds']:g} seconds; {failures} failed",
        across=across,
        up=up,
        across_label="time since the begin",
        up_label="response time (ms)",
        tell_across=axes.clock,
        key=[*key, ("bad", "calls that failed")] if failures else key,
    )
    middle = float(report["window_seconds"]) / 2
    return svg.picture(frame, [*_drawn(windows, across, up, middle, report["seconds"])])


def _drawn(
    windows: Sequence[Mapping[str, Any]], across: Axis, up: Axis, middle: float, seconds: float
) -> Iterable[str]:
    # A window is shown at its middle, the last one within the run.
    places = [across.at(min(each["at_seconds"] + middle, seconds)) for each in windows]
    for member, kind, _ in reversed(_LINES):
        points = [
            None if each[member] is None else (x, up.at(each[member]))
            for x, each in zip(places, windows, strict=True)
        ]
        yield svg.path(points, kind)
    floor = up.at(up.low)
    for x, each in zip(places, windows, strict=True):
        if each["failures"]:
            told = f"{each['failures']} of {each['runs']} calls failed"
            height = floor - 10 if each["p99_ms"] is None else up.at(each["p99_ms"])
            yield svg.line(x, floor, x, height, "bad")
            yield svg.cross(x, height, f"{axes.clock(each['at_seconds'])}: {told}")
