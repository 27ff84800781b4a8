"""What the CLI shows of reasons: the ladder, the evidence of decisions, what can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from parkade.apps.cli import views
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.table import Table

#: The namespace and name that all series of use begin with; the rest tells them apart.
_PREFIX = "AWS/SageMaker "
#: Evidence stands below the kind of its event.
_INDENT = 10


def why(view: dict[str, Any]) -> RenderableType:
    """Tell why an endpoint is as it is."""
    facts = views.fact_table()
    facts.add_row("state", view["reason"] + views.still(view))
    if view["hint"]:
        facts.add_row("what to do", view["hint"])
    for each in view["actions"]:
        facts.add_row("a sweep does", f"{each['kind']}: {each['reason']}")
    if view["next_at"]:
        ahead = _instant(view["next_at"]) - _instant(view["now"])
        facts.add_row("next by time", f"in {duration(ahead)} ({views.instant(view['next_at'])})")
    _add_watch(facts, view)
    if view["use"]:
        _add_use(facts, view["use"])
    parts: list[RenderableType] = [Text(view["endpoint_name"], style="bold"), facts]
    if view["use"] and view["use"]["series"]:
        parts.append(_series(view["use"]["series"]))
    if view["decision"]:
        parts += [Text("Last decision", style="bold"), views.event(view["decision"])]
        line = evidence(view["decision"])
        if line is not None:
            parts.append(line)
    return Group(*parts)


def _add_watch(facts: Table, view: dict[str, Any]) -> None:
    watch = view["watch"]
    if watch is None:
        facts.add_row("maintainer", "does not watch it")
    else:
        facts.add_row("maintainer", f"watches it, by {watch['by']}")
        facts.add_row("rules", rules(watch["rules"]))
        facts.add_row("in service", f"since {views.instant(watch['in_service_at'])}")
        if watch["noticed_at"]:
            facts.add_row("owner told", views.instant(watch["noticed_at"]))
        if watch["snoozed_until"] and _instant(watch["snoozed_until"]) > _instant(view["now"]):
            facts.add_row("snoozed", f"until {views.instant(watch['snoozed_until'])}")
    if view["unusable"]:
        facts.add_row("not usable", Text(view["unusable"], style="yellow"))
    told = [each["reason"] for each in view["actions"]]
    if view["ladder"] and view["ladder"]["reason"] not in told:
        facts.add_row("ladder", view["ladder"]["reason"])


def _add_use(facts: Table, use: dict[str, Any]) -> None:
    under_way = "not known" if use["in_flight"] is None else str(use["in_flight"])
    waiting = "not known" if use["backlog"] is None else str(use["backlog"])
    facts.add_row("requests", f"{under_way} under way, {waiting} waiting")
    facts.add_row("last used", views.instant(use["used_at"]) if use["used_at"] else "not seen")


def _series(readings: Iterable[dict[str, Any]]) -> Table:
    rows = (
        (each["series"].removeprefix(_PREFIX),
         views.instant(each["quiet_since"]) if each["quiet_since"] else each["why"],
         views.instant(each["newest_point"]))
        for each in readings
    )  # fmt: skip
    return views.listing(("Series", "Without use since", "Newest point"), rows)


def rules(view: dict[str, Any]) -> str:
    """Say a ladder on one line."""
    after = view["delete_after_minutes"]
    return ", ".join((
        f"grace {_minutes(view['grace_minutes'])}" if view["grace_minutes"] else "no grace",
        f"windows of {_minutes(view['window_minutes'])}",
        f"notice {_count(view['notice_after'])}",
        f"stop {_count(view['stop_after'])}",
        "the lease stays" if after is None else f"the lease goes {_minutes(after)} after a stop",
    ))  # fmt: skip


def evidence(event: dict[str, Any]) -> RenderableType | None:
    """Write what a decision rested on, on one line; None: the event has no evidence."""
    told = event["data"].get("evidence")
    if not isinstance(told, dict):
        return None
    use = told.get("use", told)
    series = use.get("series", [])
    parts = [f"{len(series)} series" + (" known and zero" if not _known(series) else "")]
    newest = [each["newest_point"] for each in series if each["newest_point"]]
    if told.get("idle_since"):
        parts.append(f"idle since {views.instant(told['idle_since'])}")
    if newest:
        parts.append(f"newest points {min(newest)[11:19]} to {max(newest)[11:19]}")
    parts += [f"{each['series'].removeprefix(_PREFIX)}: {each['why']}" for each in _known(series)]
    parts.append(f"{_number(use.get('in_flight'))} under way")
    parts.append(f"{_number(use.get('backlog'))} waiting")
    if told.get("opted_in_by"):
        parts.append(f"watched by {told['opted_in_by']}")
    return Padding(Text("evidence: " + "; ".join(parts), style="dim"), (0, 0, 0, _INDENT))


def _known(series: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the series that were not known to be zero."""
    return [each for each in series if not each["quiet_since"]]


def undoables(found: Iterable[dict[str, Any]]) -> Table:
    """List what can be brought back."""
    rows = (
        (each["endpoint_name"], each["config_name"], views.instant(each["removed_at"]),
         f"{_minutes(each['minutes'])}" if each["leased"] else "no lease",
         views.instant(each["until"]))
        for each in found
    )  # fmt: skip
    return views.listing(("Endpoint", "Config", "Went", "Time given back", "Until"), rows)


def _minutes(number: float) -> str:
    return duration(timedelta(minutes=number))


def _count(windows: int | None) -> str:
    if windows is None:
        return "never"
    return f"after {windows} window{'' if windows == 1 else 's'}"


def _number(value: Any) -> str:
    return "not known how many" if value is None else str(value)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
