"""A replay's report on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from parkade.apps.cli import views
from parkade.apps.cli.replay import report, wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

#: Fields, and examples, that are shown; the report has more.
_ROWS = 8


def summary(document: Mapping[str, Any]) -> RenderableType:
    """Return what came of a replay."""
    parts: list[RenderableType] = [
        Text.assemble(("Replay to ", "bold"), (report.name_of(document["to"]), "bold")),
        Text(wording.about(document), "dim"),
        Text(),
        Text(wording.agreement(document["agreement"]), _style(document["agreement"])),
    ]
    for told in (_fields(document), _deviations(document), _sides(document), _worst(document)):
        if told is not None:
            parts += [Text(), told]
    warnings = [Text(each, "yellow") for each in wording.warnings(document)]
    return Group(*parts, *([Text(), *warnings] if warnings else []))


def _style(agreement: Mapping[str, Any]) -> str:
    return (
        "green" if agreement["compared"] and agreement["agree"] == agreement["compared"] else "bold"
    )


def _fields(document: Mapping[str, Any]) -> RenderableType | None:
    rows = [
        (Text(each["path"]), f"{each['answers']:,}", wording.percent(each["share"]))
        for each in document["fields"][:_ROWS]
    ]
    return views.listing(("Field", "Differs in", "Share"), rows) if rows else None


def _deviations(document: Mapping[str, Any]) -> RenderableType | None:
    rows: list[list[RenderableType]] = [
        [
            Text(each["path"]),
            *(wording.number(each[name]) for name in ("mean", "p50", "p99", "max")),
        ]
        for each in document["deviations"][:_ROWS]
        if each["max"]
    ]
    return views.listing(("Apart by", "Mean", "p50", "p99", "Max"), rows) if rows else None


def _sides(document: Mapping[str, Any]) -> RenderableType:
    rows: list[list[RenderableType]] = [
        [
            Text(name),
            wording.statuses(side),
            *(wording.milliseconds(side, each) for each in ("p50", "p99", "max")),
        ]
        for name, side in wording.sides(document)
    ]
    return views.listing(("Asked", "Statuses", "p50", "p99", "Max"), rows)


def _worst(document: Mapping[str, Any]) -> RenderableType | None:
    rows = [
        (Text(each["place"].rpartition("/")[2]), Text(wording.example(each)))
        for each in document["examples"][:3]
    ]
    return views.listing(("Worst", "Before -> after"), rows) if rows else None
