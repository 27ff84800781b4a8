"""Commands on idle endpoints: why, snooze, maintain, tag, undo."""

import time
from datetime import timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, reasons, render, views
from parkade.apps.cli.client import Client, Refused
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes
from parkade.domain.spans import duration, read_span
from parkade.domain.watching import NEVER, windows

#: Seconds between two looks whether an endpoint is gone, and for how long it is looked.
_PERIOD, _PATIENCE = 0.25, 120.0

Span = Annotated[
    str | None, typer.Option(metavar="SPAN", help="As 90s, 5m, 2h or 1d.", show_default=False)
]
Windows = Annotated[
    str | None,
    typer.Option(metavar="N", help="Windows without use, or: never.", show_default=False),
]


def why(endpoint: options.Endpoint, *, as_json: options.Json = False) -> None:
    """Tell why an endpoint runs, or does not: the ladder, its evidence, the last decision.

    [dim]Example:[/dim] parkade why text
    """
    with connect() as client:
        view = client.get("endpoints", endpoint, "why")
    if as_json:
        render.machine(view)
    else:
        render.show(reasons.why(view))


def snooze(
    endpoint: options.Endpoint,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes", "-m", metavar="N", help="For how long; else maintain.snooze_minutes (60)."
        ),
    ] = None,
) -> None:
    """Postpone the stop of an idle endpoint, once until it is used again.

    [dim]Example:[/dim] parkade snooze text --minutes 30
    """
    body = options.given(minutes=options.minutes(minutes))
    with connect() as client:
        watch = client.post("endpoints", endpoint, "snooze", body=body)
    until = views.instant(watch["snoozed_until"])
    render.say(f"{endpoint}: its windows without use begin at {until}, or when it is used")


def maintain(
    endpoint: options.Endpoint,
    *,
    grace: Span = None,
    window: Span = None,
    notice_after: Windows = None,
    stop_after: Windows = None,
    delete_after: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN",
            help="From the stop to the lease's removal, or: never.",
            show_default=False,
        ),
    ] = None,
    off: Annotated[
        bool, options.flag("--off", help="Leave it alone, whatever its tags say.")
    ] = False,
    by_tag: Annotated[bool, options.flag("--by-tag", help="Let its tags say.")] = False,
) -> None:
    """Have an endpoint stopped when nobody uses it; settle its own timers.

    [dim]Example:[/dim] parkade maintain text --window 10m --stop-after 6
    """
    timers = _timers(
        grace=grace,
        window=window,
        notice_after=notice_after,
        stop_after=stop_after,
        delete_after=delete_after,
    )
    if off + by_tag + bool(timers) > 1:
        raise InvalidInput(
            "--off, --by-tag and timers do not go together", field="off", hint="give one of them"
        )
    wanted = "off" if off else "by_tag" if by_tag else "on"
    with connect() as client:
        view = client.put("endpoints", endpoint, "maintain", body={"watch": wanted, **timers})
    if view["watched"]:
        render.say(f"{endpoint}: watched, by {view['by']}: {reasons.rules(view['rules'])}")
    else:
        render.say(f"{endpoint}: the maintainer leaves it alone")
    if view["unusable"]:
        render.note(view["unusable"])


def _timers(**given: str | None) -> dict[str, Any]:
    """Read the timers that were given, as the API takes them."""
    timers: dict[str, Any] = {}
    for name, text in given.items():
        option = "--" + name.replace("_", "-")
        if text is None:
            continue
        if name in {"notice_after", "stop_after"}:
            timers[name] = windows(text, option)
        elif name == "delete_after" and text == NEVER:
            timers["delete_after_minutes"] = None
        else:
            timers[f"{name}_minutes"] = in_minutes(read_span(text, field=option))
    return timers


def tag(
    endpoint: options.Endpoint,
    tags: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", show_default=False)
    ] = None,
    *,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="KEY", help="Key to take away.", show_default=False),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Tag an endpoint, or list its tags; auto-maintain=true opts in to the maintainer.

    [dim]Example:[/dim] parkade tag text auto-maintain=true auto-maintain.window=10m
    """
    wanted = options.tags(tags or [])
    with connect() as client:
        if remove:
            client.delete("endpoints", endpoint, "tags", key=remove)
        if wanted:
            client.put("endpoints", endpoint, "tags", body={"tags": wanted})
        view = client.get("endpoints", endpoint, "tags")
    if as_json:
        render.machine(view)
    elif view["tags"]:
        render.show(views.listing(("Key", "Value"), view["tags"].items()))
    else:
        render.note(f"{endpoint} has no tags")


def undo(
    endpoint: Annotated[
        str | None,
        typer.Argument(metavar="ENDPOINT", help="Which to bring back.", show_default=False),
    ] = None,
    *,
    listing: Annotated[bool, options.flag("--list", help="List what can be brought back.")] = False,
    as_json: options.Json = False,
) -> None:
    """Bring back an endpoint that was stopped or deleted, with the time that it had.

    [dim]Example:[/dim] parkade undo text
    """
    if listing == (endpoint is not None):
        raise InvalidInput(
            "name one endpoint, or list what can be brought back",
            field="ENDPOINT",
            hint="see: parkade undo --list",
        )
    with connect() as client:
        if endpoint is None:
            found = client.get("undo")["endpoints"]
        else:
            found = [_undone(client, options.endpoint_name(endpoint))]
    if as_json:
        render.machine(found)
    elif endpoint is not None:
        time_back = timedelta(minutes=found[0]["minutes"] or 0)
        back = f", with {duration(time_back)} given back" if found[0]["leased"] else ""
        render.say(f"{endpoint}: brought back from {found[0]['config_name']}{back}")
    elif found:
        render.show(reasons.undoables(found))
    else:
        render.note("Nothing that was stopped or deleted can be brought back.")


def _undone(client: Client, endpoint_name: str) -> Any:
    """Bring it back; where it is still being deleted, as soon as it is gone."""
    deadline = time.monotonic() + _PATIENCE
    with render.working(f"{endpoint_name}: bringing it back") as tell:
        while True:
            try:
                return client.post("endpoints", endpoint_name, "undo")
            except Refused as error:
                if error.code != "endpoint_busy" or time.monotonic() > deadline:
                    raise
                tell(f"{endpoint_name}: still being deleted")
            time.sleep(_PERIOD)
