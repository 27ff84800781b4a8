"""Widgets of CloudWatch's dashboards: lines over time, in rows, on its grid of 24 columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.domain.series import Series

_COLUMNS, _HEIGHT, _ACROSS = 24, 6, 3
#: Quotas of a dashboard: widgets, metrics of one of them, and metrics of all together.
WIDGETS_LIMIT, METRICS_LIMIT, ALL_METRICS_LIMIT = 500, 500, 2500
#: Seconds of a point.
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotted:
    """One statistic of one series as a line; with a factor, what it comes to times that."""

    label: str
    series: Series
    statistic: str
    #: None: as it was measured.
    factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Lines of all series of a metric that have a value of a dimension which begins alike.

    What is found is whatever there is when somebody looks, by the words of the value.
    """

    namespace: str
    dimension: str
    beginning: str
    metric: str
    statistic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over time, on one axis."""

    title: str
    #: What the axis counts, in words: CloudWatch converts no units.
    axis: str
    lines: tuple[Plotted | Searched, ...]
    period: int = MINUTE
    stacked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Charts that belong together, below a heading."""

    heading: str
    charts: tuple[Chart, ...]
    #: A line for people below the heading.
    about: str = ""


def body(shelves: Sequence[Shelf], *, region: str, alarms: Sequence[str] = ()) -> dict[str, Any]:
    """Return a dashboard: states of the alarms, by their ARNs, above; then shelf by shelf.

    Raises InvalidInput for more than a dashboard of CloudWatch's can have.
    """
    widgets = list(_laid(shelves, region, alarms))
    charts = [chart for shelf in shelves for chart in shelf.charts]
    metrics = sum(len(chart.lines) for chart in charts)
    widest = max((len(chart.lines) for chart in charts), default=0)
    for count, limit, noun in (
        (len(widgets), WIDGETS_LIMIT, "widgets"),
        (widest, METRICS_LIMIT, "lines in a widget"),
        (metrics, ALL_METRICS_LIMIT, "lines"),
    ):
        if count > limit:
            raise InvalidInput(
                f"the dashboard would have {count} {noun}; CloudWatch allows {limit}",
                field="monitor",
                hint="divide the project in two",
            )
    return {"start": "-PT3H", "widgets": widgets}


def _laid(shelves: Sequence[Shelf], region: str, alarms: Sequence[str]) -> Iterator[dict[str, Any]]:
    top = 0
    if alarms:
        height = min(_HEIGHT, 2 + -(-len(alarms) // 4))
        yield {
            "type": "alarm",
            **_placed(0, top, _COLUMNS, height),
            "properties": {"title": "Alarms", "alarms": list(alarms)},
        }
        top += height
    for shelf in shelves:
        if not shelf.charts:
            continue
        height = 2 if shelf.about else 1
        text = f"## {shelf.heading}" + (f"\n{shelf.about}" if shelf.about else "")
        yield {
            "type": "text",
            **_placed(0, top, _COLUMNS, height),
            "properties": {"markdown": text},
        }
        top += height
        for start in range(0, len(shelf.charts), _ACROSS):
            beside = shelf.charts[start : start + _ACROSS]
            width = _COLUMNS // len(beside)
            for column, chart in enumerate(beside):
                place = _placed(column * width, top, width, _HEIGHT)
                yield {"type": "metric", **place, "properties": _properties(chart, region)}
            top += _HEIGHT


def _placed(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "width": width, "height": height}


def _properties(chart: Chart, region: str) -> dict[str, Any]:
    return {
        "title": chart.title,
        "view": "timeSeries",
        "stacked": chart.stacked,
        "region": region,
        "period": chart.period,
        "metrics": list(_metrics(chart)),
        "yAxis": {"left": {"label": chart.axis, "min": 0, "showUnits": False}},
    }


def _metrics(chart: Chart) -> Iterator[list[Any]]:
    for number, line in enumerate(chart.lines, 1):
        if isinstance(line, Searched):
            yield [{"expression": _search(line, chart.period), "id": f"s{number}"}]
            continue
        told: dict[str, Any] = {"stat": line.statistic, "period": chart.period}
        if line.factor is None:
            yield [*_named(line.series), {**told, "label": line.label}]
            continue
        yield [*_named(line.series), {**told, "id": f"m{number}", "visible": False}]
        expression = f"m{number} * {line.factor:.9g}"
        yield [{"expression": expression, "label": line.label, "id": f"e{number}"}]


def _search(line: Searched, period: int) -> str:
    found = (
        f'{{{line.namespace},{line.dimension}}} MetricName="{line.metric}" '
        f"{line.dimension}={line.beginning}"
    )
    return f"SEARCH('{found}', '{line.statistic}', {period})"


def _named(series: Series) -> list[str]:
    dimensions = [text for pair in series.dimensions for text in pair]
    return [series.namespace, series.name, *dimensions]
