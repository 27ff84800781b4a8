"""Commands on what happened and what would: events, plan."""

import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from json import loads
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, reasons, render, views
from parkade.apps.cli.client import Client, Refused, Unreachable
from parkade.apps.cli.session import connect

#: Seconds before a stream that broke off is asked for again.
_PAUSE = 1.0


class Shape(StrEnum):
    """The forms in which events are told."""

    PARKADE = "parkade"
    EVENTBRIDGE = "eventbridge"


def events(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="Only what is about this endpoint.")
    ] = None,
    *,
    follow: Annotated[
        bool, options.flag("--follow", "-F", help="Go on as things happen, until Ctrl-C.")
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", "-k", metavar="KIND", help="lease.extended, or a noun: lease. ; repeatable."
        ),
    ] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option(metavar="OWNER", help="Of endpoints whose lease this owner had; repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="The newest N.")] = 50,
    shape: Annotated[
        Shape, typer.Option(help="eventbridge: JSON as Amazon EventBridge delivers it.")
    ] = Shape.PARKADE,
    as_json: options.Json = False,
) -> None:
    """Tell what happened: who did what, when and why.

    [dim]Example:[/dim] parkade events text --kind lease. --follow
    """
    wanted = {"endpoint": endpoint, "kind": kind, "owner": owner}
    plain = not as_json and shape is Shape.PARKADE
    with connect() as client:
        # What comes later is asked for from before this, so that nothing falls in between.
        last = _newest(client) if follow else 0
        query = {**wanted, "limit": limit, "order": "latest", "shape": shape}
        latest = client.get("events", **query)["events"]
        if not plain and not follow:
            render.machine(latest)
            return
        write = _Days().write if plain else render.machine_line
        if follow and shape is Shape.PARKADE:
            last = latest[-1]["number"] if latest else last
        for each in latest:
            write(each)
        if follow:
            shown = {each.get("id") for each in latest} - {None}
            for each in following(client, last, shape=shape, **wanted):
                if each.get("id") not in shown:
                    write(each)
        elif not latest:
            render.note("Nothing has happened yet.")


def plan(*, as_json: options.Json = False) -> None:
    """Show what a sweep would do now, and why; changes nothing.

    [dim]Example:[/dim] parkade plan
    """
    with connect() as client:
        view = client.get("plan")
    if as_json:
        render.machine(view)
    else:
        render.show(views.plan(view))


class _Days:
    """Writes events below the day they happened on."""

    def __init__(self) -> None:
        self._day = ""

    def write(self, view: dict[str, Any]) -> None:
        """Write an event, its day before it where that is another than the last one's."""
        day = views.day(view)
        if day.plain != self._day:
            self._day = day.plain
            render.show(day)
        render.show(views.event(view))
        evidence = reasons.evidence(view)
        if evidence is not None:
            render.show(evidence)


def _newest(client: Client) -> int:
    """Return the number of the newest event of all, 0 where there is none."""
    newest = client.get("events", limit=1, order="latest")["events"]
    return int(newest[-1]["number"]) if newest else 0


def following(client: Client, last: int, **wanted: Any) -> Iterator[dict[str, Any]]:
    """Give the wanted events after number `last` for ever, through restarts of the server."""
    while True:
        try:
            headers = {"Last-Event-ID": str(last), "Accept": "text/event-stream"}
            with client.lines("events", "stream", headers=headers, **wanted) as lines:
                for number, each in decoded(lines):
                    last = number
                    yield each
        except Unreachable as error:
            render.note(f"{error.message}; asking again")
        except Refused as error:
            if not error.passing:
                raise
            render.note(f"{error.message}; asking again")
        time.sleep(_PAUSE)


def decoded(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read server-sent events: the id of each, and the JSON of its data lines."""
    number = 0
    data: list[str] = []
    for line in lines:
        if line.startswith("id:"):
            number = int(line[3:])
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield number, loads("\n".join(data))
            data = []
