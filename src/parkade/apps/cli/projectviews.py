"""What the CLI shows of projects: the page of `parkade status`, and the list of them.

Made of the API's answers: pure, so that a test can look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from parkade.apps.cli import amounts, applicationviews, differenceviews, views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table

#: The kinds of parts beside endpoints, in the order in which people look for them.
_KINDS = {
    "route": "Route",
    "model": "Model",
    "alarm": "Alarm",
    "tester": "Tester",
    "subscriber": "Subscriber",
    "budget": "Budget",
}
_FINE, _TROUBLED = ("✓", "green"), ("✗", "red")
#: Widths: of a bar, of the words beside it, of a state that says little.
_CELLS, _WIDE_CELLS, _LEFT, _STATE = 8, 20, 11, 12
_GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """How a file of the client stands to what is on the server."""

    name: str
    #: The difference; None: it cannot be told, and `trouble` says why.
    difference: Mapping[str, Any] | None = None
    trouble: str = ""

    @property
    def words(self) -> Text:
        """Say whether it differs, and how to see in what."""
        if self.difference is None:
            return Text(f"{self.name}: {self.trouble}", style="red")
        problems = len(self.difference["problems"])
        if problems:
            told = "1 problem" if problems == 1 else f"{problems} problems"
            return Text(f"{self.name} cannot be applied: {told}; {_SEE}", style="red")
        if self.difference["changes"]:
            told = differenceviews.count(self.difference)
            return Text(f"{self.name} differs: {told}; {_SEE}", style="yellow")
        return Text(f"{self.name} does not differ from what is there")


_SEE = "see: parkade apply --dry-run"


def status(view: Mapping[str, Any], url: str, file: File | None = None) -> RenderableType:
    """Draw the page of a project: every part with its state."""
    parts = view["parts"]
    blocks: list[RenderableType] = [
        Text(view["project"]["prefix"], style="bold"),
        _facts(view, file),
    ]
    endpoints = [each for each in parts if each["kind"] == "endpoint"]
    if endpoints:
        blocks += [Text(), _Endpoints(endpoints)]
    for kind, heading in _KINDS.items():
        found = [each for each in parts if each["kind"] == kind]
        if found:
            blocks += [Text(), _kind(heading, found, url)]
    return Group(*blocks)


def _facts(view: Mapping[str, Any], file: File | None) -> Table:
    project = view["project"]
    facts = views.fact_table()
    last = project["application"]
    if last is None:
        facts.add_row("last", Text("what was applied last cannot be read", style="red"))
    else:
        at = views.instant(last["ended_at"] or last["begun_at"])
        told = applicationviews.status(last)
        told.append(f", {at}, {applicationviews.purpose(last)} {last['id']} by {last['actor']}")
        facts.add_row("last", told)
        if last["reason"] and last["status"] == "failed":
            facts.add_row("", Text(applicationviews.reason(last), style="red"))
        if last["status"] == "running":
            over = sum(each["outcome"] is not None for each in last["steps"])
            facts.add_row("", f"{over} of {len(last['steps'])} steps are done")
    if file is not None:
        facts.add_row("file", file.words)
    if any(each["kind"] == "endpoint" for each in view["parts"]):
        facts.add_row("price", f"{amounts.whole(view['hourly'])} an hour, for what runs now")
        facts.add_row("names", f"{project['prefix']}-KEY; keys are what the file says")
    return facts


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """The endpoints, a meter a row."""

    parts: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give numbers their own width, keys what they need, states the rest."""
        width = options.max_width
        cells = _WIDE_CELLS if width >= views.WIDE else _CELLS
        prices = [_hourly(each) for each in self.parts]
        states = [_state(each) for each in self.parts]
        keys = _longest("Endpoint", [each["key"] for each in self.parts])
        words = _longest("State", [each.plain for each in states])
        price = _longest("USD/h", prices)
        room = width - (cells + 1 + _LEFT) - len("Up") - 2 - len("Req/s") - price - 5 * _GAP
        state = min(words, max(_STATE, room - keys))
        key = min(keys, max(len("Endpoint"), room - state))
        table = views.plain_table()
        table.add_column("Endpoint", no_wrap=True, width=key, style="bold")
        table.add_column("Time left", no_wrap=True, width=cells + 1 + _LEFT)
        table.add_column("State", no_wrap=True, width=state)
        table.add_column("Up", no_wrap=True, justify="right", width=len("Up") + 2)
        table.add_column("Req/s", no_wrap=True, justify="right", width=len("Req/s"))
        table.add_column("USD/h", no_wrap=True, justify="right", width=price)
        for part, told, money in zip(self.parts, states, prices, strict=True):
            endpoint = part["endpoint"]
            if endpoint is None:
                table.add_row(part["key"], Text("-", "dim"), told, "-", "-", money)
            else:
                table.add_row(
                    part["key"],
                    views.time_left(endpoint, cells),
                    told,
                    f"{endpoint['healthy']}/{endpoint['wanted']}",
                    f"{endpoint['requests_per_second']:.1f}",
                    money,
                )
        yield table


def _state(part: Mapping[str, Any]) -> Text:
    if part["endpoint"] is not None:
        return views.state(part["endpoint"])
    return _condition(part)


def _hourly(part: Mapping[str, Any]) -> str:
    endpoint = part["endpoint"]
    if endpoint is None or not endpoint["fleets"]:
        return "-"
    return amounts.amount(endpoint["fleets"]["hourly"])


def _kind(heading: str, parts: Sequence[Mapping[str, Any]], url: str) -> Table:
    table = views.plain_table()
    table.add_column(heading, overflow="fold", style="bold")
    table.add_column("State", overflow="fold")
    table.add_column("", overflow="fold")
    for each in parts:
        # A budget is known by its owner.
        name = each["name"] if each["kind"] == "budget" else each["key"]
        table.add_row(name, _condition(each), _beside(each, url))
    return table


def _condition(part: Mapping[str, Any]) -> Text:
    sign, style = _TROUBLED if part["troubled"] else _FINE
    return Text(f"{sign} {part['state']}", style=style)


def _beside(part: Mapping[str, Any], url: str) -> str:
    told = [" ".join(part["text"].split())] if part["text"] else []
    if part["kind"] == "route":
        told.insert(0, f"{url}{part['name']}")
    if part["kind"] == "model":
        told.append(f"serves {', '.join(part['used_by'])}" if part["used_by"] else "not served")
        told.append(part["name"])
    return "; ".join(told)


def _went(application: Mapping[str, Any]) -> Text:
    """Say how an application stands, with the reason where it failed."""
    told = applicationviews.status(application)
    if application["status"] == "failed":
        told.append(f": {applicationviews.reason(application)}")
    return told


def projects(found: Sequence[Mapping[str, Any]]) -> Table:
    """List projects, one a row."""
    rows = ((each["prefix"], str(each["parts"]), *_last(each)) for each in found)
    return views.listing(("Project", "Parts", "Last applied", "How it went"), rows)


def _last(project: Mapping[str, Any]) -> tuple[str, Text]:
    last = project["application"]
    if last is None:
        return "-", Text("cannot be read", style="red")
    return views.instant(last["begun_at"]), _went(last)


def applications(found: Sequence[Mapping[str, Any]]) -> Table:
    """List the applications of a project, the newest first."""
    rows = (
        (
            each["id"],
            views.instant(each["begun_at"]),
            applicationviews.purpose(each),
            each["actor"],
            str(len(each["steps"])),
            _went(each),
        )
        for each in found
    )
    return views.listing(("Application", "Begun", "What", "By", "Steps", "How it went"), rows)


def _longest(heading: str, texts: Sequence[str]) -> int:
    return max(len(heading), *map(len, texts))
