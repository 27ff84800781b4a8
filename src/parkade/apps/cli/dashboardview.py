"""A project's dashboard in the terminal: lines as small bars, figures, alarms; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from parkade.apps.cli import alarms, views
from parkade.apps.cli.sparklines import Line, Lines, quantity
from parkade.domain.price import CURRENCY, dollars
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: Columns that a heading's line takes at most.
_WIDEST = 120


@dataclass(frozen=True, slots=True)
class Board:
    """A whole dashboard, one row below the other; what has nothing to show takes one line."""

    view: dict[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the rows, then the alarms, then what span they are of."""
        for row in self.view["rows"]:
            yield _heading(row["title"], options.max_width)
            yield from _row(row)
            yield Text("")
        if self.view["alarms"] or self.view["missing"]:
            yield _heading("Alarms", options.max_width)
            yield _alarms(self.view)
            yield Text("")
        points = duration(timedelta(seconds=self.view["period"]))
        yield Text(
            f"From {_clock(self.view['start'])} to {_clock(self.view['end'])} UTC, {points} a point",
            style="dim",
        )


def _heading(title: str, width: int) -> Text:
    """Draw a heading with a line to the right, no longer than a screen is wide: pipes are wider."""
    rest = max(0, min(width, _WIDEST) - len(title) - 1)
    return Text.assemble((title, "bold"), " ", ("\u2500" * rest, "dim"), no_wrap=True)


def _row(row: dict[str, Any]) -> Iterator[RenderableType]:
    lines = [line for panel in row["panels"] for line in _lines(panel)]
    if lines:
        yield Lines(lines)
    figures = [panel for panel in row["panels"] if panel["figures"]]
    if figures:
        yield from _figures(figures)
    silent = [
        panel["title"] for panel in row["panels"] if panel["lines"] and not list(_lines(panel))
    ]
    if silent:
        yield Text(f"Nothing measured yet: {', '.join(silent)}", style="dim")


def _lines(panel: dict[str, Any]) -> Iterator[Line]:
    """Go through the lines of a panel, unless nothing at all was measured of it."""
    if not any(line["trouble"] or _known(line) for line in panel["lines"]):
        return
    # A part of one is told as percent, as people do.
    ratio = panel["unit"] == "Ratio"
    for line in panel["lines"]:
        values = [value if value is None or not ratio else value * 100 for value in line["values"]]
        yield Line(
            name=line["label"],
            about=panel["title"],
            statistic="",
            unit="Percent" if ratio else panel["unit"],
            values=tuple(values),
            trouble=line["trouble"],
        )


def _known(line: dict[str, Any]) -> bool:
    return any(value is not None for value in line["values"])


def _figures(panels: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """Draw figures in one table: what of, what, and why not."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", style="bold cyan")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold", style="dim", ratio=1)
    for panel in panels:
        title = panel["title"]
        for figure in panel["figures"]:
            told = _figure(figure["value"], panel["unit"])
            table.add_row(title, figure["label"], told, figure["why"])
            title = ""
    yield table


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "Seconds":
        return duration(timedelta(seconds=value))
    if unit.startswith(CURRENCY):
        return f"{dollars(Decimal(str(value)))} {CURRENCY}"
    return quantity(value, unit)


def _alarms(view: dict[str, Any]) -> Table:
    """Draw the alarms, a line each; only one that is in ALARM, or in trouble, says why."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", style="bold")
    table.add_column(overflow="fold", ratio=1)
    for each in view["alarms"]:
        told = each["trouble"] or (each["reason"] if each["state"] == "ALARM" else "")
        since = Text(f"since {views.instant(each['since'])}", style="dim")
        table.add_row(alarms.state(each), each["name"], since.append(f": {told}" if told else ""))
    for name in view["missing"]:
        gone = Text("not there; parkade apply makes it again", style="yellow")
        table.add_row(Text("\u2717 gone", style="yellow"), name, gone)
    return table


def _clock(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}"
