"""Series as lines of small bars, for `parkade metrics` and `dashboard`: pure, so that tests can look."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

_BARS = "▁▂▃▄▅▆▇█"
#: Cells of a period in which nothing was measured.
_NOTHING = " "
#: Wide lines are no easier to read.
_MOST_CELLS = 60
_LEAST_CELLS = 8
_HEAD = ("Last", "Min", "Max")
_SHORT = {
    "Sum": "sum", "Average": "avg", "Minimum": "min", "Maximum": "max", "SampleCount": "count",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series: what it is of, and the value of each period, None where there is none."""

    name: str
    about: str
    statistic: str
    unit: str
    values: tuple[float | None, ...]
    #: Why there are none.
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """A table of lines below what they are of, the bars as wide as there is room."""

    lines: Sequence[Line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Share the width out: names and numbers what they need, the bars the rest."""
        rows = [(each.name, _SHORT.get(each.statistic, each.statistic)) for each in self.lines]
        numbers = [_numbers(each) for each in self.lines]
        name, statistic = (
            max(map(len, column)) for column in zip(("Series", ""), *rows, strict=True)
        )
        widths = [max(map(len, column)) for column in zip(_HEAD, *numbers, strict=True)]
        name = min(name, options.max_width // 3)
        room = options.max_width - name - statistic - sum(widths) - 2 * (2 + len(widths))
        cells = max(_LEAST_CELLS, min(_MOST_CELLS, room))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, width=name)
        table.add_column(no_wrap=True, width=statistic, style="dim")
        table.add_column(no_wrap=True, width=cells)
        for width in widths:
            table.add_column(no_wrap=True, width=width, justify="right")
        table.add_row(*(Text(each, style="bold") for each in ("Series", "", "Over time", *_HEAD)))
        about = None
        for line, (_, short), told in zip(self.lines, rows, numbers, strict=True):
            if line.about != about:
                about = line.about
                # A heading takes the line for itself.
                yield table
                yield Text(about or "the endpoint", style="bold cyan")
                table = _like(table)
            bars = Text(sparkline(line.values, cells), style="cyan")
            trouble = Text("damaged", style="red")
            table.add_row(line.name, short, trouble if line.trouble else bars, *told)
        yield table
        for each in self.lines:
            if each.trouble:
                yield Text(each.trouble, style="red")


def _like(table: Table) -> Table:
    """Return an empty table of the same columns."""
    other = Table.grid(padding=(0, 2, 0, 0))
    for each in table.columns:
        other.add_column(no_wrap=True, width=each.width, justify=each.justify, style=each.style)
    return other


def sparkline(values: Sequence[float | None], cells: int) -> str:
    """Draw values as bars from zero, or from the least where that is negative, up to the most.

    Where there are more values than cells, a cell shows the highest of its own; where there are
    far fewer, each has several cells.
    """
    if len(values) > cells:
        values = [
            max((value for value in part if value is not None), default=None)
            for part in _parts(values, cells)
        ]
    known = [value for value in values if value is not None]
    floor, top = min(0.0, *known, 0.0), max(known, default=0.0)
    each = max(1, cells // max(1, len(values)))
    return "".join(_bar(value, floor, top) * each for value in values)


def _bar(value: float | None, floor: float, top: float) -> str:
    if value is None:
        return _NOTHING
    if floor in {value, top}:
        return _BARS[0]
    return _BARS[max(1, math.ceil((value - floor) / (top - floor) * len(_BARS)) - 1)]


def _parts(values: Sequence[float | None], cells: int) -> list[Sequence[float | None]]:
    bounds = [len(values) * n // cells for n in range(cells + 1)]
    return [values[bounds[n] : bounds[n + 1]] for n in range(cells)]


def _numbers(line: Line) -> tuple[str, str, str]:
    known = [value for value in line.values if value is not None]
    if not known:
        return "-", "-", "-"
    return (
        quantity(known[-1], line.unit),
        quantity(min(known), line.unit),
        quantity(max(known), line.unit),
    )


def quantity(value: float, unit: str) -> str:
    """Write a value with its unit for people: `12`, `3.4 ms`, `81.5 %`."""
    if unit in _MICROSECONDS:
        return _span(value * _MICROSECONDS[unit])
    number = _number(value)
    return f"{number} %" if unit == "Percent" else number


_MICROSECONDS = {"Microseconds": 1.0, "Milliseconds": 1e3, "Seconds": 1e6}


def _span(microseconds: float) -> str:
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if abs(microseconds) >= size:
            return f"{_number(microseconds / size)} {unit}"
    return f"{_number(microseconds)} us" if microseconds else "0 ms"


def _number(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g}{letter}"
    if value == int(value):
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
