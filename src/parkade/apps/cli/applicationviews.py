"""What the CLI shows of an application: each part of the project with what is done about it.

Made of the API's answers: pure, so that a test can look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from parkade.apps.cli import deployviews
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_OUTCOMES = {"done": ("✓", "green"), "skipped": ("-", "dim"), "failed": ("✗", "red")}
_UNDER_WAY, _COMING = ("◌", "yellow"), ("·", "dim")
_STATUSES = {
    "running": ("◌", "yellow", "under way"),
    "succeeded": ("✓", "green", "done"),
    "failed": ("✗", "red", "failed"),
    "cancelled": ("○", "dim", "called off"),
}
#: What an application does, as it is told.
_PURPOSES = {"apply": "application", "roll_back": "way back", "destroy": "removal"}
_GAP = 2
#: More of what a step says is cut while others look on.
_ROOM = 160


def purpose(view: Mapping[str, Any]) -> str:
    """Name what an application is: an application, a way back, a removal."""
    return _PURPOSES[view["purpose"]]


def status(view: Mapping[str, Any]) -> Text:
    """Say how it stands, with its sign."""
    sign, style, words = _STATUSES[view["status"]]
    by = f" by {view['cancelled_by']}" if view["cancelled_by"] else ""
    return Text(f"{sign} {words}{by}", style=style)


def reason(view: Mapping[str, Any]) -> str:
    """Say on one line why it failed; empty: it did not."""
    return " ".join(view["reason"].split())


def took(view: Mapping[str, Any]) -> str:
    """Say how long it took, or has taken so far."""
    return duration(timedelta(seconds=view["took_seconds"]))


def progress(view: Mapping[str, Any]) -> RenderableType:
    """Draw how far it has come, for who waits for it."""
    heading = Text.assemble(
        (view["project"], "bold"), f"  {purpose(view)} {view['id']}, {took(view)}"
    )
    return Group(heading, Steps(view))


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done about each part: what came of it, and what is still to come."""

    view: Mapping[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give names what they need, up to half of the width, and what is said the rest."""
        view = self.view
        now = _instant(view["begun_at"]) + timedelta(seconds=view["took_seconds"])
        names = [f"{each['verb']} {each['kind']} {each['key']}" for each in view["steps"]]
        longest = max(map(len, names), default=0)
        table = Table.grid(padding=(0, _GAP, 0, 0))
        table.add_column(no_wrap=True, width=1)
        table.add_column(no_wrap=True, width=min(longest, options.max_width // 2))
        table.add_column(no_wrap=True, justify="right", style="dim")
        table.add_column(overflow="fold")
        for each, name in zip(view["steps"], names, strict=True):
            sign, style = sign_of(each)
            table.add_row(
                Text(sign, style),
                Text(name, _COMING[1] if each["started_at"] is None else ""),
                _span(each, now),
                _words(each),
            )
        yield table


def _words(step: Mapping[str, Any]) -> Text:
    """Write what came of a step; a long text without its middle."""
    words = deployviews.told(step)
    half = _ROOM // 2
    return words if len(words) <= _ROOM else Text.assemble(words[:half], " … ", words[-half:])


def sign_of(step: Mapping[str, Any]) -> tuple[str, str]:
    """Return the sign and the colour of how a step stands."""
    if step["started_at"] is None:
        return _COMING
    return _UNDER_WAY if step["outcome"] is None else _OUTCOMES[step["outcome"]]


def named(step: Mapping[str, Any]) -> str:
    """Name a step: `create endpoint TextDemo-text`."""
    return f"{step['verb']} {step['kind']} {step['name']}"


def _span(step: Mapping[str, Any], now: datetime) -> str:
    if step["started_at"] is None:
        return ""
    ended = _instant(step["ended_at"]) if step["ended_at"] else now
    return duration(max(timedelta(0), ended - _instant(step["started_at"])))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
