"""What the CLI shows of deployments, made of the API's answers: pure, so that a test can look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from parkade.apps.cli import amounts, views
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_STATUSES = {
    "running": ("◌", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("○", "dim"),
}
_OUTCOMES = {"done": ("✓", "green"), "skipped": ("-", "dim"), "failed": ("✗", "red")}
_UNDER_WAY, _COMING = ("◌", "yellow"), ("·", "dim")
#: So many of the last errors of a step that were passed over are shown.
_RETRIES = 3
#: So much of what came of a step is drawn while others look on; `show` has all of it.
_PROGRESS_ROOM = 160
_NOTIFY = "notify"
_GAP = 2
#: The widths of what never gives way: an instant, and the widest text of `duration`.
_BEGUN_WIDTH, _TOOK_WIDTH = len("2026-03-01 12:00"), len("59 min 59 s")
#: A status never has more than this: a reason may hold a traceback.
_STATUS_ROOM = 100
#: Below this width the list does not say when each was begun.
_DATED = 76
_LEAST_NAME, _LEAST_STATUS = 8, len("✓ succeeded")


def step_name(kind: str) -> str:
    """Name a step as people do."""
    return kind.replace("_", " ")


def status(view: Mapping[str, Any]) -> Text:
    """Name the status with its sign: the step under way, or the reason where it did not succeed."""
    sign, style = _STATUSES[view["status"]]
    step = under_way(view)
    told = view["status"] if step is None else step_name(step["kind"])
    reason = f": {view['reason']}" if view["reason"] else ""
    return Text(f"{sign} {told}{' '.join(reason.split())}", style=style)


def under_way(view: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the step under way; None: there is none."""
    return next((each for each in view["steps"] if each["outcome"] is None), None)


def took(view: Mapping[str, Any]) -> str:
    """Say how long a deployment took, or has taken so far."""
    return duration(timedelta(seconds=view["took_seconds"]))


@dataclass(frozen=True, slots=True)
class Deployments:
    """The table of `deployments ls`: one deployment a row, the newest first."""

    found: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give names what they need where there is room, and statuses the rest."""
        dated = options.max_width >= _DATED
        ids = _longest("Deployment", (each["id"] for each in self.found))
        names = _longest("Endpoint", (each["endpoint_name"] for each in self.found))
        words = _longest("Status", (status(each).plain for each in self.found))
        room = options.max_width - ids - _TOOK_WIDTH - 3 * _GAP
        room -= _BEGUN_WIDTH + _GAP if dated else 0
        word = min(words, _STATUS_ROOM, max(_LEAST_STATUS, room - names))
        table = views.plain_table()
        table.add_column("Deployment", no_wrap=True, width=ids, style="bold")
        table.add_column("Endpoint", no_wrap=True, width=min(names, max(_LEAST_NAME, room - word)))
        table.add_column("Status", no_wrap=True, width=word)
        if dated:
            table.add_column("Begun (UTC)", no_wrap=True, width=_BEGUN_WIDTH)
        table.add_column("Took", no_wrap=True, width=_TOOK_WIDTH, justify="right")
        for each in self.found:
            begun = [views.instant(each["begun_at"])[:_BEGUN_WIDTH]] if dated else []
            table.add_row(each["id"], each["endpoint_name"], status(each), *begun, took(each))
        yield table


def deployment(view: Mapping[str, Any]) -> RenderableType:
    """Tell all that is known of one deployment."""
    facts = views.fact_table()
    facts.add_row("endpoint", view["endpoint_name"])
    facts.add_row("status", status(view))
    if view["cancelled_by"]:
        facts.add_row("called off", f"by {view['cancelled_by']}")
    if view["config_name"]:
        facts.add_row("config", view["config_name"])
    if view["former_config_name"] not in {"", view["config_name"]}:
        facts.add_row("before", view["former_config_name"])
    owner = f", for {view['owner']}" if view["owner"] not in {"", view["actor"]} else ""
    facts.add_row("begun", f"{views.instant(view['begun_at'])} by {view['actor']}{owner}")
    facts.add_row("took", took(view))
    for name, words in expected(view) + _running(view):
        facts.add_row(name, words)
    for each in view["warnings"]:
        facts.add_row("note", Text(each, style="yellow"))
    return Group(Text(view["id"], style="bold"), facts, steps(view))


def expected(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say when its fleet is expected, where that is known."""
    left = view["expected_in_seconds"]
    if left is None:
        return []
    at = views.instant(view["expected_at"])
    return [("expected", f"in {duration(timedelta(seconds=left))} ({at})")]


def _running(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    return views.fleets(view["fleets"]) if view["fleets"] else []


def progress(view: Mapping[str, Any]) -> RenderableType:
    """Draw how far a deployment has come, for who waits for it."""
    heading = Text.assemble(
        (view["endpoint_name"], "bold"), f"  deployment {view['id']}, {took(view)}"
    )
    facts = views.fact_table()
    for name, words in expected(view) + _running(view):
        facts.add_row(name, words)
    drawn = steps(view, room=_PROGRESS_ROOM)
    return Group(heading, drawn, facts) if facts.row_count else Group(heading, drawn)


def steps(view: Mapping[str, Any], *, room: int | None = None) -> Table:
    """List the steps: what came of them, and those that follow; texts that need more room are cut."""
    now = _instant(view["begun_at"]) + timedelta(seconds=view["took_seconds"])
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", style="dim")
    table.add_column(overflow="fold")
    for each in view["steps"]:
        sign, style = _UNDER_WAY if each["outcome"] is None else _OUTCOMES[each["outcome"]]
        ended = _instant(each["ended_at"]) if each["ended_at"] else now
        span = duration(max(timedelta(0), ended - _instant(each["started_at"])))
        words = told(each)
        if each["kind"] == _NOTIFY and each["outcome"] == "done":
            # It repeats why a deployment failed.
            words = Text(f"{view['owner']} was told how it ended")
        if room is not None:
            words = _cut(words, room)
        table.add_row(Text(sign, style), Text(step_name(each["kind"]), style), span, words)
    for kind in view["coming"]:
        table.add_row(Text(_COMING[0], _COMING[1]), Text(step_name(kind), _COMING[1]), "", "")
    return table


def told(step: Mapping[str, Any]) -> Text:
    """Write what came of a step, with the errors that it passed over."""
    lines = [" ".join(step["text"].split())] if step["text"] else []
    passed = step["retries"]
    if len(passed) > _RETRIES:
        lines.append(f"{len(passed) - _RETRIES} errors before")
    lines += [
        f"again after {duration(timedelta(seconds=each['pause_seconds']))}: "
        f"{' '.join(each['error'].split())}"
        for each in passed[-_RETRIES:]
    ]
    return Text("\n".join(lines))


def _cut(text: Text, room: int) -> Text:
    """Return a text without its middle where it is longer: tracebacks end with what went wrong."""
    half = (room - 3) // 2
    return text if len(text) <= room else Text.assemble(text[:half], " … ", text[-half:])


def rehearsal(view: Mapping[str, Any]) -> RenderableType:
    """Tell what a deployment would do, what it costs, and what is wrong with it."""
    verb = "create" if view["creates"] else "update"
    heading = Text.assemble(
        "It would ",
        (f"{verb} {view['endpoint_name']}", "bold"),
        f", to serve {view['config_name']}",
    )
    plan = Table.grid(padding=(0, _GAP, 0, 0))
    plan.add_column(no_wrap=True)
    plan.add_column(no_wrap=True)
    plan.add_column(overflow="fold")
    for number, each in enumerate(view["steps"], 1):
        plan.add_row(Text(f"{number}", "dim"), step_name(each["kind"]), each["text"])
    facts = views.fact_table()
    for name, words in price(view):
        facts.add_row(name, words)
    for each in view["warnings"]:
        facts.add_row("note", Text(each, style="yellow"))
    for each in view["problems"]:
        hint = f"; {each['hint']}" if each["hint"] else ""
        facts.add_row("problem", Text(f"{each['message'].rstrip('. ')}{hint}", style="red"))
    return Group(heading, plan, facts)


def price(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell what a deployment would cost: its lease, and an hour before, meanwhile and after."""
    rows = [("lease", view["quote"])] if view["quote"] else []
    hourly = view["hourly"]
    whole = {name: f"{amounts.whole(each)} an hour" for name, each in hourly.items()}
    if view["creates"]:
        return [*rows, ("price", whole["after"])]
    rows.append(("now", whole["before"]))
    if hourly["meanwhile"] != hourly["after"]:  # else the fleet that serves goes on
        rows.append(("both fleets", whole["meanwhile"]))
    return [*rows, ("then", whole["after"])]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _longest(heading: str, texts: Any) -> int:
    return max(len(heading), *map(len, texts), 0)
