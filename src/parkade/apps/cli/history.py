"""Commands on what happened and what would: events, plan."""

import time
from collections.abc import Iterable, Iterator
from json import loads
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, reasons, render, views
from parkade.apps.cli.client import Client, Refused, Unreachable
from parkade.apps.cli.session import connect

#: Seconds before a stream that broke off is asked for again.
_PAUSE = 1.0


def events(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="Only what is about this endpoint.")
    ] = None,
    *,
    follow: Annotated[
        bool, options.flag("--follow", "-F", help="Go on as things happen, until Ctrl-C.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="The newest N.")] = 50,
    as_json: options.Json = False,
) -> None:
    """Tell what happened: who did what, when and why.

    [dim]Example:[/dim] parkade events text --follow
    """
    with connect() as client:
        latest = client.get("events", endpoint=endpoint, limit=limit, order="latest")["events"]
        if as_json and not follow:
            render.machine(latest)
            return
        write = render.machine_line if as_json else _Days().write
        for each in latest:
            write(each)
        if follow:
            last = latest[-1]["number"] if latest else _newest(client)
            for each in following(client, last):
                if endpoint in {None, each["endpoint_name"]}:
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


def following(client: Client, last: int) -> Iterator[dict[str, Any]]:
    """Give events after number `last` for ever, through restarts of the server."""
    while True:
        try:
            headers = {"Last-Event-ID": str(last), "Accept": "text/event-stream"}
            with client.lines("events", "stream", headers=headers) as lines:
                for each in decoded(lines):
                    last = each["number"]
                    yield each
        except Unreachable as error:
            render.note(f"{error.message}; asking again")
        except Refused as error:
            if not error.passing:
                raise
            render.note(f"{error.message}; asking again")
        time.sleep(_PAUSE)


def decoded(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Read server-sent events: the JSON of each one's data lines."""
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield loads("\n".join(data))
            data = []
