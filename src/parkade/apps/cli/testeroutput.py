"""What `--output DIR` writes: the report as JSON, its picture, and both as a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from parkade.apps.cli import testerviews
from parkade.apps.pictures import byrate, latency
from parkade.apps.pictures.page import frame, page, table
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def prepare(folder: Path) -> None:
    """Make the folder, before anything is measured. Raises InvalidInput where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def run(folder: Path, told: Mapping[str, Any]) -> None:
    """Write the report of a run."""
    title = f"Tester: {told['target']}"
    picture = latency.picture(f"Response time of {told['target']}", told)
    parts = [
        frame(picture),
        table("By case", testerviews.COLUMNS, testerviews.rows(told)),
    ]
    if told["failures"]:
        rows = [
            (each["case"], f"{each['at_seconds']:.1f} s", each["expected"], each["got"])
            for each in told["failures"]
        ]
        parts.append(table("First failures", ("Case", "At", "Expected", "Got"), rows, kind="text"))
    facts = [
        f"{told['clients']} clients, {_rhythm(told)}; began {told['began_at']}",
        "A time is that of the whole answer: from before its request was sent to its last byte.",
        *(
            [f"Not asked within the time: {', '.join(told['unreached'])}"]
            if told["unreached"]
            else []
        ),
    ]
    whole = page(title, told["summary"], good=told["passed"], facts=facts, parts=parts)
    _write(folder, told, "latency.svg", picture, whole)


def load(folder: Path, told: Mapping[str, Any]) -> None:
    """Write the report of a search by load."""
    title = f"Load: {told['target']}"
    picture = byrate.picture(f"Latency of {told['target']} by rate", told)
    rows = map(testerviews.load_row, told["steps"])
    aim = f"{told['quantile']} within {told['target_ms']:g} ms"
    facts = [
        f"Target: {aim}; steps of {told['step_seconds']:g} s; began {told['began_at']}",
        "Latency counts from when a request was due, whatever became of the ones before.",
        *told["notes"],
    ]
    parts = [frame(picture), table("Steps", testerviews.LOAD_COLUMNS, rows, kind="noted")]
    best = told["greatest"] is not None
    whole = page(title, told["verdict"], good=best, facts=facts, parts=parts)
    _write(folder, told, "latency.svg", picture, whole)


def _rhythm(told: Mapping[str, Any]) -> str:
    how = f"a call each {told['interval_seconds']:g} s"
    duration = told["duration_seconds"]
    return f"{how} for {duration:g} s" if duration else f"{how}, every case once"


def _write(folder: Path, told: Mapping[str, Any], name: str, picture: str, whole: str) -> None:
    try:
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / name).write_text(picture, encoding="utf-8")
        (folder / "report.html").write_text(whole, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"{folder} cannot be written: {error.strerror}", field="output", hint="name another folder"
    )
