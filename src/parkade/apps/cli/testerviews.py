"""How testers and what they found are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from parkade.apps.cli import views
from parkade.apps.cli.sparklines import Line, Lines, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

COLUMNS = ("Case", "Runs", "OK", "Errors", "Wrong", "p50", "p90", "p99", "Max")
LOAD_COLUMNS = ("Rate", "p50", "p90", "p95", "p99", "Errors", "Holds", "")
_STYLES = {"passed": "green", "failed": "bold red", "broken": "bold red", "skipped": "yellow"}


def report(told: Mapping[str, Any]) -> RenderableType:
    """Show what came of a run: by case, over time, and what failed first."""
    parts: list[RenderableType] = [_by_case(told)]
    if len(told["windows"]) > 1:
        parts += ["", Lines(_over_time(told))]
    if told["failures"]:
        parts += ["", Text("First failures", style="bold red")]
        parts += [_failure(each) for each in told["failures"]]
    if told["unreached"]:
        some = ", ".join(told["unreached"][:5])
        more = len(told["unreached"]) - 5
        named = f"{some} and {more} more" if more > 0 else some
        parts += ["", Text(f"Not asked within the time: {named}", style="yellow")]
    return Group(*parts)


def rows(told: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """Return the cells of the table by case; all of them together come last."""
    found = [*told["cases"]]
    if len(found) != 1:
        found.append({**told["total"], "case": "all"})
    for each in found:
        yield (
            str(each["case"]),
            *(str(each[name]) for name in ("runs", "ok", "status_errors", "wrong")),
            *(time(each[f"{name}_ms"]) for name in ("p50", "p90", "p99", "max")),
        )


def time(milliseconds: float | None) -> str:
    """Write a time for people."""
    return "-" if milliseconds is None else quantity(milliseconds, "Milliseconds")


def _by_case(told: Mapping[str, Any]) -> Table:
    table = views.plain_table()
    table.add_column(COLUMNS[0], overflow="fold")
    for column in COLUMNS[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows(told):
        name, runs, ok, errors, wrong, *times = row
        bad = [Text(each, style="" if each == "0" else "bold red") for each in (errors, wrong)]
        table.add_row(Text(name), runs, ok, *bad, *times)
    return table


def _over_time(told: Mapping[str, Any]) -> list[Line]:
    windows: Sequence[Mapping[str, Any]] = told["windows"]
    width = told["window_seconds"]
    about = f"{width:g} s a bar"
    lines = [
        Line(
            name="Response time",
            about=about,
            statistic=name,
            unit="Milliseconds",
            values=tuple(each[f"{name}_ms"] for each in windows),
        )
        for name in ("p50", "p99")
    ]
    failures = Line(
        name="Failures",
        about=about,
        statistic="Sum",
        unit="Count",
        values=tuple(float(each["failures"]) for each in windows),
    )
    return [*lines, failures]


def _failure(each: Mapping[str, Any]) -> Text:
    text = Text(f"  {each['case']} ", style="bold")
    text.append(f"at {each['at_seconds']:.1f} s: ", style="dim")
    if each["outcome"] == "wrong":
        text.append(f"expected {each['expected']}, got {each['got']}", style="")
    else:
        text.append(each["got"], style="")
    return text


def testers(found: Iterable[Mapping[str, Any]]) -> Table:
    """List the testers that a server keeps."""
    columns = ("Tester", "Asks", "Schedule", "Last run", "Result")
    return views.listing(columns, map(_tester, found))


def _tester(view: Mapping[str, Any]) -> tuple[RenderableType, ...]:
    content, newest = view["content"], view["skipped"] or view["last"]
    if view["running_since"]:
        when, result = "now", Text("runs", style="cyan")
    elif newest is None:
        when, result = "never", Text("-", style="dim")
    else:
        when = views.instant(newest["ended_at"])
        result = Text(newest["verdict"], style=_STYLES.get(newest["verdict"], ""))
        result.append(f": {newest['reason']}", style="")
    return (
        view["name"],
        content.get("route") or content.get("endpoint_name") or "",
        content.get("schedule") or "on request",
        when,
        result,
    )


def facts(view: Mapping[str, Any]) -> RenderableType:
    """Show one tester, its last run with its report, and why the newest one was skipped."""
    content = view["content"]
    asks = content.get("route") or content.get("endpoint_name") or ""
    if content.get("variant"):
        asks += f"/{content['variant']}"
    cases = content["cases"]
    each, whole = content["interval_seconds"], content["duration_seconds"]
    rhythm = f"a call each {each:g} s, " + (f"for {whole:g} s" if whole else "every case once")
    pairs: list[tuple[str, RenderableType]] = [
        ("Tester", view["name"]),
        ("Asks", asks),
        ("Cases", cases if isinstance(cases, str) else str(len(cases))),
        ("Clients", f"{content['clients']}, {rhythm}"),
        ("Schedule", content.get("schedule") or "on request"),
    ]
    if view["next_at"]:
        pairs.append(("Next run", views.instant(view["next_at"])))
    if view["running_since"]:
        pairs.append(("Runs since", views.instant(view["running_since"])))
    if view["trouble"]:
        pairs.append(("Trouble", Text(view["trouble"], style="bold red")))
    for label, run in (("Skipped", view["skipped"]), ("Last run", view["last"])):
        if run:
            told = Text(run["verdict"], style=_STYLES.get(run["verdict"], ""))
            told.append(f": {run['reason']}, {views.instant(run['ended_at'])}, by {run['by']}", "")
            pairs.append((label, told))
    table = views.fact_table()
    for pair in pairs:
        table.add_row(*pair)
    last = view["last"]
    return Group(table, "", report(last["report"])) if last and last["report"] else table


def load(told: Mapping[str, Any]) -> RenderableType:
    """Show what each step of load found."""
    table = views.plain_table()
    for column in LOAD_COLUMNS[:-1]:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for each in told["steps"]:
        table.add_row(*load_row(each))
    return table


def load_row(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one step."""
    holds = "yes" if step["holds"] else "?" if step["client_limited"] else "no"
    return (
        f"{step['rate']:g}/s",
        *(time(step[f"{name}_ms"]) for name in ("p50", "p90", "p95", "p99")),
        f"{step['error_rate']:.2%}",
        holds,
        "" if step["holds"] else step["reason"],
    )
