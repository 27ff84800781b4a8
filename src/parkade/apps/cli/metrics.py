"""The command on what was measured: metrics."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, render
from parkade.apps.cli.session import connect
from parkade.apps.cli.sparklines import Line, Lines
from parkade.domain.errors import InvalidInput
from parkade.domain.spans import duration

#: Periods of which the shortest is taken that makes no more than so many points of a range.
_PERIODS = (60, 300, 900, 3600, 6 * 3600, 86400)
_POINTS = 60
#: What says most of a series, by its unit.
_STATISTICS = {"Count": "Sum", "Microseconds": "p99", "Milliseconds": "p99", "Seconds": "p99"}
_ELSE = "Average"
#: Levels, of which a sum would say nothing.
_LEVELS = (
    "Concurrent", "ApproximateBacklog", "ApproximateAge", "HasBacklog", "LoadedModelCount",
)  # fmt: skip
_ASKED = ("SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p90", "p99")


def metrics(
    endpoint: options.Endpoint,
    *,
    since: Annotated[
        str, typer.Option("--since", metavar="SPAN", help="How far back: 90m, 3h or 15d.")
    ] = "3h",
    period: Annotated[
        int | None,
        typer.Option(
            "--period", metavar="SECONDS", help="Seconds of a point; else as fits the range."
        ),
    ] = None,
    statistic: Annotated[
        str | None,
        typer.Option(
            "--statistic",
            "-s",
            metavar="NAME",
            help="Sum, Average, Minimum, Maximum, SampleCount, p99; else what suits the unit.",
        ),
    ] = None,
    as_csv: Annotated[bool, options.flag("--csv", help="Print every point as CSV.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show what was measured of an endpoint, one line a series: use, latency, errors, load.

    Counts are sums of each period, latencies their p99, levels maxima, all else averages. A gap in a line is a
    time of which nothing is known.

    [dim]Examples:[/dim]
    parkade metrics text --since 24h
    parkade metrics text --since 15d --csv > text.csv
    """
    span = _span(since)
    seconds = period if period is not None else _period(span)
    asked = [statistic] if statistic else list(_ASKED)
    with connect() as client:
        found = client.get(
            "metrics",
            endpoint=endpoint,
            span=span.total_seconds(),
            period=seconds,
            statistic=asked,
        )
    if as_json:
        render.machine(found)
    elif as_csv:
        _write(found)
    elif found["measured"]:
        lines = [_line(each, found, statistic) for each in found["measured"]]
        render.show(Lines(sorted(lines, key=lambda line: line.about)))
        points = duration(timedelta(seconds=found["period"]))
        render.note(
            f"From {_clock(found['start'])} to {_clock(found['end'])} UTC, {points} a point"
        )
    else:
        render.note(f"Nothing was measured of {endpoint} in the last {duration(span)}")


def _span(text: str) -> timedelta:
    try:
        return options.lifetime(text)
    except InvalidInput as error:
        raise InvalidInput(
            f"--since {text!r} is not a span", field="since", hint="write 90m, 3h or 15d"
        ) from error


def _period(span: timedelta) -> int:
    whole = span.total_seconds()
    return next((each for each in _PERIODS if whole / each <= _POINTS), _PERIODS[-1])


def _line(measured: dict[str, Any], found: dict[str, Any], statistic: str | None) -> Line:
    """Return the line of a series, with a place for each period of the range."""
    series = measured["series"]
    name = statistic or _telling(series)
    start, step = datetime.fromisoformat(found["start"]), timedelta(seconds=found["period"])
    places = (datetime.fromisoformat(found["end"]) - start) // step
    values: list[float | None] = [None] * places
    for point in measured["points"]:
        place = (datetime.fromisoformat(point["at"]) - start) // step
        values[place] = point["values"][name]
    of = {key: value for key, value in series["dimensions"].items() if key != "EndpointName"}
    return Line(
        name=series["name"],
        about=" ".join(of.values()),
        statistic=name,
        # Of counts of samples the unit is none of theirs.
        unit="Count" if name == "SampleCount" else series["unit"],
        values=tuple(values),
        trouble=measured["unreadable"] or "",
    )


def _telling(series: dict[str, Any]) -> str:
    """Return the statistic that says most of a series."""
    if series["name"].startswith(_LEVELS):
        return "Maximum"
    return _STATISTICS.get(series["unit"], _ELSE)


def _write(found: dict[str, Any]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["at", "namespace", "name", "dimensions", "unit", *found["statistics"]])
    for measured in found["measured"]:
        series = measured["series"]
        of = " ".join(f"{key}={value}" for key, value in series["dimensions"].items())
        for point in measured["points"]:
            told = [point["values"][each] for each in found["statistics"]]
            table.writerow(
                [point["at"], series["namespace"], series["name"], of, series["unit"], *told]
            )
        if measured["unreadable"]:
            render.note(f"{series['name']} {of}: {measured['unreadable']}")
    render.piece(text.getvalue().encode())


def _clock(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}"
