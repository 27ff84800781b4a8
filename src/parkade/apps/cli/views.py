"""What the CLI shows, made of the API's answers: pure, so that a test can look at it.

Everything fits the width it is given; what has to give way are names and reasons, never the
time left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich import box, filesize
from rich.console import Group
from rich.table import Table
from rich.text import Text

from parkade.apps.cli import amounts
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

#: Below this width the bar is short.
WIDE = 100
_EIGHTHS = " ▏▎▍▌▋▊▉"
#: As much time left as this, or less, and the bar says so by its colour.
_LOW, _LAST = timedelta(minutes=10), timedelta(minutes=2)
_STATES = {
    "running": ("●", "green"),
    "starting": ("◌", "yellow"),
    "stopping": ("◌", "yellow"),
    "asleep": ("☾", "blue"),
    "failed": ("✗", "red"),
    "unreadable": ("✗", "red"),
}
#: Stages of an update, as they are told.
_STAGES = {
    "rising": "more of it is being started",
    "shifting": "gateways are being told",
    "baking": "watched",
    "terminating": "the old fleet is kept",
    "rolling_back": "rolled back",
}
_ACTIONS = {"start": "green", "stop": "red", "recreate": "yellow", "notify": "cyan",
            "sleep": "blue", "wake": "green"}  # fmt: skip
#: The widest text of `duration`: "23 h 59 min".
_DURATION_WIDTH = 11
_GAP = 2
#: The widest kind of event: "endpoint.in_service".
_KIND_WIDTH = 19


def bar(left: timedelta, whole: timedelta, width: int) -> Text:
    """Draw the part of `whole` that is left, in eighths of a cell."""
    share = min(1.0, max(0.0, left / whole)) if whole > timedelta(0) else 0.0
    eighths = round(share * width * 8)
    if left > timedelta(0):
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    cells = "█" * full + (_EIGHTHS[rest] if rest else "")
    colour = "red" if left <= _LAST else "yellow" if left <= _LOW else "green"
    return Text(cells.ljust(width), style=f"{colour} on grey23")


def time_left(endpoint: dict[str, Any], width: int) -> Text:
    """Draw what is left of an endpoint's time since it was last started, with words beside it."""
    lease = endpoint["lease"]
    if lease is None:
        return Text("no lease", style="dim")
    left = timedelta(seconds=lease["time_left_seconds"])
    if not left:
        return Text.assemble(bar(left, left, width), " ", ("over", "dim"))
    return Text.assemble(bar(left, _paid(endpoint, left), width), " ", (duration(left), "bold"))


def _paid(endpoint: dict[str, Any], left: timedelta) -> timedelta:
    """Return the whole time of this run: from its start to its expiry."""
    if endpoint["created_at"] is None:
        return left
    begun = max(_instant(endpoint["created_at"]), _instant(endpoint["lease"]["created_at"]))
    return max(left, _instant(endpoint["lease"]["expires_at"]) - begun)


def state(endpoint: dict[str, Any]) -> Text:
    """Name the state with its sign; the reason where that says more."""
    sign, style = _STATES.get(endpoint["state"], ("○", "dim"))
    text = endpoint["reason"] or endpoint["state"]
    if endpoint["state"] == "asleep" and endpoint["lease"]:
        text += f" since {_instant(endpoint['lease']['asleep_since']):%H:%M}"
    if endpoint["expected_in_seconds"] is not None:
        text += f", ~{_span(endpoint['expected_in_seconds'])}"
    if endpoint["target_config_name"]:
        text += f", updating to {endpoint['target_config_name']}"
    return Text(f"{sign} {' '.join(text.split())}", style=style)


def still(view: dict[str, Any]) -> str:
    """Say how long what starts still takes, behind its reason; empty where that is not known."""
    left = view["expected_in_seconds"]
    return "" if left is None else f", about {_span(left)} more"


def _span(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class Meters:
    """The table of `ls` and `watch`: one meter a row, as wide as there is room."""

    endpoints: Sequence[dict[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Share the width out: the bar gets its own, names what they need, reasons the rest."""
        width = options.max_width
        cells = 20 if width >= WIDE else 10
        names = _longest(("Endpoint", *(each["name"] for each in self.endpoints)))
        owners = _longest(("Owner", *map(_owner, self.endpoints)))
        states = _longest(("State", *(state(each).plain for each in self.endpoints)))
        counts = _longest(("Up", *map(_count, self.endpoints)))
        room = width - (cells + 1 + _DURATION_WIDTH) - counts - len("Req/s") - 5 * _GAP
        owner = min(owners, max(len("Owner"), room // 4))
        word = min(states, max(len("✗ unreadable"), room - owner - names))
        name = min(names, max(8, room - owner - word))
        table = plain_table()
        table.add_column("Endpoint", no_wrap=True, width=name, style="bold")
        table.add_column("Time left", no_wrap=True, width=cells + 1 + _DURATION_WIDTH)
        table.add_column("State", no_wrap=True, width=word)
        table.add_column("Owner", no_wrap=True, width=owner)
        table.add_column("Up", no_wrap=True, justify="right", width=counts)
        table.add_column("Req/s", no_wrap=True, justify="right", width=len("Req/s"))
        for each in self.endpoints:
            table.add_row(
                each["name"],
                time_left(each, cells),
                state(each),
                _owner(each),
                _count(each),
                _rate(each),
            )
        yield table


def endpoint(view: dict[str, Any], settled: Iterable[tuple[str, str]] = ()) -> RenderableType:
    """Tell all that is known of one endpoint, and what is settled about it."""
    lease = view["lease"]
    facts = fact_table()
    facts.add_row("state", state(view))
    if view["expected_at"]:
        expected = f"in {_span(view['expected_in_seconds'])} ({instant(view['expected_at'])})"
        facts.add_row("expected", f"{expected}, as its config used to take")
    elif view["hint"]:
        facts.add_row("what to do", view["hint"])
    facts.add_row("time left", time_left(view, 30))
    if lease is not None:
        paused = "would expire" if lease["clock_paused"] else "expires"
        over = "ended" if lease["ended"] else paused
        facts.add_row(over, instant(lease["ended_at"] or lease["expires_at"]))
        facts.add_row("owner", lease["owner"])
    for name, words in settled:
        facts.add_row(name, words)
    facts.add_row("config", view["config_name"])
    for name, words in _update(view):
        facts.add_row(name, words)
    facts.add_row("status", f"{view['status']}, {view['healthy']} of {view['wanted']} answer")
    if view["failure_reason"] and view["failure_reason"] not in view["reason"]:
        facts.add_row("failure", view["failure_reason"])
    facts.add_row("traffic", f"{_rate(view)} requests/s, {view['in_flight']} under way")
    for name, words in _money(view):
        facts.add_row(name, words)
    if lease is not None and lease["retries"]:
        facts.add_row("recreated", f"{lease['retries']} times since the last coin")
    parts: list[RenderableType] = [Text(view["name"], style="bold"), facts]
    if view["instances"]:
        parts.append(_instances(view["instances"]))
    return Group(*parts)


def _update(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Tell what it is updated to, and how far that has come."""
    told = [("updating to", view["target_config_name"])] if view["target_config_name"] else []
    if view.get("rollout"):
        both = len((view.get("fleets") or {"fleets": ()})["fleets"]) > 1
        told.append(("in stages", _stages(view["rollout"], with_share=not both)))
    return told


def _stages(view: dict[str, Any], *, with_share: bool) -> str:
    """Tell how far an update in stages has come, and what it waits for.

    Its share of the requests is left out where both fleets are told with theirs.
    """
    share = f"{view['share']:.0%} of requests go to it, " if with_share else ""
    told = f"{view['strategy']}: {share}{_STAGES[view['stage']]}"
    if view["until"]:
        told += f" until {instant(view['until'])}"
    if view["alarms"] and not view["promoted"] and not view["reason"]:
        told += f", guarded by {', '.join(view['alarms'])}"
    return f"{told}: {view['reason']}" if view["reason"] else told


def _money(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Tell what it costs an hour, and has cost, as far as the view says so."""
    told = fleets(view["fleets"]) if view.get("fleets") else []
    if view.get("cost"):
        told.append(("cost so far", f"{amounts.costs(view['cost'])}, under this lease"))
    return told


def fleets(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Tell what runs now and its price: of both fleets, while there are two."""
    found = view["fleets"]
    if not found:
        return []
    whole = f"{amounts.whole(view['hourly'])} an hour"
    if len(found) == 1:
        return [("runs on", f"{', '.join(found[0]['machines'])}: {whole}")]
    told = (
        f"{', '.join(each['machines'])} of {each['config_name'] or 'a former config'}: "
        f"{amounts.whole(each['hourly'])} an hour, {_part(each)}"
        for each in found
    )
    return [*zip(("old fleet", *("new fleet" for _ in found[1:])), told, strict=True),
            ("together", whole)]  # fmt: skip


def _part(fleet: dict[str, Any]) -> str:
    """Say what part of the requests a fleet has, or when it will answer."""
    if fleet["expected_in_seconds"] is not None:
        return f"expected in {_span(fleet['expected_in_seconds'])}"
    return f"{fleet['share']:.0%} of the requests"


def _instances(instances: Iterable[dict[str, Any]]) -> Table:
    columns = ("Instance", "Variant", "Process", "State", "Since", "Restarts")
    rows = (
        (each["id"], each["variant_name"], str(each["pid"] or "-"), each["state"],
         instant(each["started_at"]), str(each["restarts"]))
        for each in instances
    )  # fmt: skip
    return listing(columns, rows)


def model(view: dict[str, Any]) -> RenderableType:
    """Tell all that is known of one model."""
    facts = fact_table()
    facts.add_row("image", view["image"])
    facts.add_row("data", view["data_url"] or "none; its container brings its own")
    for key, value in sorted(view["environment"].items()):
        facts.add_row("environment", f"{key}={value}")
    facts.add_row("created", instant(view["created_at"]))
    return Group(Text(view["name"], style="bold"), facts)


def config(view: dict[str, Any]) -> RenderableType:
    """Tell all that is known of one endpoint config."""
    whole = sum(each["weight"] for each in view["variants"])
    rows = (
        (each["name"], each["model_name"], f"{each['weight'] / whole:.0%}",
         str(each["instance_count"]), each["instance_type"])
        for each in view["variants"]
    )  # fmt: skip
    heading = Text.assemble((view["name"], "bold"), f"  created {instant(view['created_at'])}")
    return Group(heading, listing(("Variant", "Model", "Share", "Instances", "Type"), rows))


def plan(view: dict[str, Any]) -> RenderableType:
    """Show what a sweep would do, and when looking again can change that."""
    rows = (
        (Text(each["kind"], style=_ACTIONS.get(each["kind"], "dim")), each["endpoint_name"],
         each["reason"])
        for each in view["actions"]
    )  # fmt: skip
    if view["next_at"] is None:
        following = "Nothing is due by time alone."
    else:
        ahead = _instant(view["next_at"]) - _instant(view["now"])
        following = f"By time alone, the next decision is due in {duration(ahead)}."
    table = listing(("Action", "Endpoint", "Why"), rows)
    return Group(table, Text(following, style="dim"))


def event(view: dict[str, Any]) -> RenderableType:
    """Write one event on a line; what does not fit goes on below itself."""
    about = f"{view['endpoint_name']}: " if view["endpoint_name"] else ""
    told = Text.assemble(
        (about, "bold"), " ".join(view["reason"].split()), (f" ({view['actor']})", "dim")
    )
    line = Table.grid(padding=(0, _GAP, 0, 0))
    line.add_column(no_wrap=True, style="dim")
    line.add_column(width=_KIND_WIDTH, overflow="fold", style="cyan")
    line.add_column(overflow="fold")
    line.add_row(f"{_instant(view['at']):%H:%M:%S}", view["kind"], told)
    return line


def day(view: dict[str, Any]) -> Text:
    """Name the day of an event, which stands above all events of the day."""
    return Text(f"{_instant(view['at']):%Y-%m-%d} UTC", style="bold")


def listing(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Return a plain table; long texts go over several lines."""
    table = plain_table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def objects(found: Iterable[dict[str, Any]], folders: Iterable[str]) -> Table:
    """List objects and folders in the order of their keys."""
    rows = [(each["key"], size(each["size"]), instant(each["modified_at"])) for each in found]
    rows += ((each, "folder", "") for each in folders)
    table = plain_table()
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Changed", no_wrap=True)
    table.add_column("Key", overflow="fold")
    for key, large, changed in sorted(rows):
        table.add_row(large, changed, Text(key, style="bold" if large == "folder" else ""))
    return table


def size(number: int) -> str:
    """Write a number of bytes for people."""
    return filesize.decimal(number)


def instant(text: str | None) -> str:
    """Write an instant of the API for people, in UTC."""
    return f"{_instant(text):%Y-%m-%d %H:%M:%S} UTC" if text else "-"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def plain_table() -> Table:
    """Return an empty table in the style of all."""
    # The box has a blank of its own between columns.
    padding = (0, _GAP - 1, 0, 0)
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)


def fact_table() -> Table:
    """Return a table of facts, each behind its name."""
    facts = Table.grid(padding=(0, _GAP, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    return facts


def _owner(endpoint: dict[str, Any]) -> str:
    return str(endpoint["lease"]["owner"]) if endpoint["lease"] else "-"


def _count(endpoint: dict[str, Any]) -> str:
    """Say how many instances and copies answer, of how many."""
    counts = endpoint.get("capacities") or ()
    current = sum(each["current"] for each in counts) if counts else endpoint["healthy"]
    desired = sum(each["desired"] for each in counts) if counts else endpoint["wanted"]
    return str(current) if current == desired else f"{current}/{desired}"


def _rate(endpoint: dict[str, Any]) -> str:
    rate = float(endpoint["requests_per_second"])
    return f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts))
