"""What is shown of a delivery, and what `--output DIR` keeps of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from parkade.apps.cli import testeroutput
from parkade.apps.cli.deliveryreport import Outcome
from parkade.domain.errors import InvalidInput
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.apps.cli.deliveryreport import Report

#: The report in the folder of `--output`.
FILE = "pipeline.json"
_SIGNS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.SKIPPED: ("-", "dim"),
}
_GAP = 2


def table(report: Report) -> Table:
    """List the steps with their outcomes."""
    shown = Table.grid(padding=(0, _GAP, 0, 0))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, justify="right", style="dim")
    shown.add_column(overflow="fold")
    for each in report.steps:
        sign, style = _SIGNS[each.outcome]
        took = "" if each.outcome is Outcome.SKIPPED else duration(timedelta(seconds=each.seconds))
        shown.add_row(Text(sign, style), each.kind.value, took, Text(each.text))
    return shown


def prepare(folder: Path) -> None:
    """Make the folder, before anything is done. Raises InvalidInput where it cannot be."""
    testeroutput.prepare(folder)


def write(folder: Path, report: Report) -> None:
    """Write the report, and the tester's beside it where it ran."""
    path = folder / FILE
    try:
        path.write_text(json.dumps(report.written(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}", field="output", hint="name another"
        ) from error
    if report.tester is not None:
        testeroutput.run(folder, report.tester)
