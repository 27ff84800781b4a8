"""Commands on subscribers: add, ls, show, test, enable, disable, rm."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect
from parkade.domain import names
from parkade.domain.alarm import State

app = typer.Typer(no_args_is_help=True, help="Say who is told of events; needs an admin's token.")


class Kind(StrEnum):
    """What can be added at run time; commands belong into server.yaml."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"


class Shape(StrEnum):
    """The forms of what is delivered."""

    PARKADE = "parkade"
    EVENTBRIDGE = "eventbridge"


def _name(text: str) -> str:
    return names.token_name(text, field="NAME")


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the subscriber.", callback=_name)
]


@app.command()
def add(
    name: Name,
    kind: Annotated[Kind, typer.Option(help="How it is reached.")] = Kind.WEBHOOK,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="webhook, slack: where to post.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="email: repeatable; 'owner' is each endpoint's owner."
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--kind-of-event",
            "-k",
            metavar="KIND",
            help="lease.extended, or a noun: lease. ; repeatable; else all.",
        ),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint", "-e", metavar="NAME", help="With * and ?; repeatable; else all."
        ),
    ] = None,
    owner: Annotated[
        list[str] | None, typer.Option(metavar="OWNER", help="Repeatable; else all.")
    ] = None,
    alarm: Annotated[
        list[str] | None,
        typer.Option(
            "--alarm",
            "-a",
            metavar="PATTERN",
            help="Alarms by name, with * and ?; repeatable. Of all else then only --endpoint.",
        ),
    ] = None,
    alarm_state: Annotated[
        list[State] | None,
        typer.Option(
            metavar="STATE",
            help="OK, ALARM, INSUFFICIENT_DATA: of changes of alarms only into these and out of "
            "them; repeatable; else all.",
        ),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            "--project",
            "-p",
            metavar="PATTERN",
            help="Projects by name, with * and ?; repeatable. Of all else then only --alarm and "
            "--endpoint.",
        ),
    ] = None,
    shape: Annotated[
        Shape, typer.Option(help="webhook: the form of what is delivered.")
    ] = Shape.PARKADE,
    since: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Begin after event number N; else with new events."),
    ] = None,
    *,
    secret_from_stdin: Annotated[
        bool,
        options.flag("--secret-from-stdin", help="webhook: sign with a whsec_ secret of your own."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Tell somebody of events; a webhook's secret is printed this once.

    [dim]Example:[/dim] parkade subscriber add ops --url https://hooks.example.com/p -k lease.
    """
    form = options.given(
        name=name,
        kind=kind,
        url=url,
        to=to,
        kinds=event,
        endpoints=endpoint,
        owners=owner,
        alarms=alarm,
        alarm_states=alarm_state,
        projects=project,
        shape=shape,
        since=since,
        secret=typer.get_text_stream("stdin").readline().strip() if secret_from_stdin else None,
    )
    with connect() as client:
        added = client.post("subscribers", body=form)
    if as_json:
        render.machine(added)
        return
    render.say(f"{name}: hears of events by {added['kind']} at {added['address']}")
    if added["secret"]:
        render.say(f"secret: {added['secret']}")
        render.note("Deliveries are signed with it; it is not shown again.")
    render.note(f"Try it: parkade subscriber test {name}")


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List who is told of events, and how delivery goes.

    [dim]Example:[/dim] parkade subscriber ls
    """
    with connect() as client:
        listed = client.pages("subscribers")
    if as_json:
        render.machine(listed)
    elif listed:
        columns = ("Subscriber", "Kind", "Hears of", "State", "Waiting", "Letters")
        render.show(views.listing(columns, map(_row, listed)))
    else:
        render.note("Nobody; begin with: parkade subscriber add NAME --url URL")


@app.command()
def show(name: Name, *, as_json: options.Json = False) -> None:
    """Show a subscriber, how its delivery goes, and why not.

    [dim]Example:[/dim] parkade subscriber show ops
    """
    with connect() as client:
        view = client.get("subscribers", name)
    if as_json:
        render.machine(view)
    else:
        render.show(_facts(view))


@app.command()
def test(name: Name) -> None:
    """Deliver a test now, whatever it wants to hear of.

    [dim]Example:[/dim] parkade subscriber test ops
    """
    with connect() as client:
        client.post("subscribers", name, "test")
    render.say(f"{name}: took the test")


@app.command()
def enable(name: Name) -> None:
    """Go on delivering, with what happened meanwhile.

    [dim]Example:[/dim] parkade subscriber enable ops
    """
    _switch(name, "enable")


@app.command()
def disable(name: Name) -> None:
    """Deliver nothing for the time being.

    [dim]Example:[/dim] parkade subscriber disable ops
    """
    _switch(name, "disable")


@app.command()
def rm(name: Name) -> None:
    """Remove a subscriber, with the letters to it.

    [dim]Example:[/dim] parkade subscriber rm ops
    """
    with connect() as client:
        letters = client.get("subscribers", name)["letters"]
        client.delete("subscribers", name)
    render.say(f"{name}: removed" + (f"; letters to it, gone too: {letters}" if letters else ""))


def _switch(name: str, verb: str) -> None:
    with connect() as client:
        client.post("subscribers", name, verb)
    render.say(f"{name}: {verb}d")


def _row(view: dict[str, Any]) -> tuple[str | Text, ...]:
    return (
        view["name"],
        view["kind"],
        _interest(view),
        _state(view),
        str(view["waiting"]),
        str(view["letters"]),
    )


def _interest(view: dict[str, Any]) -> str:
    wanted = [
        *view["kinds"],
        *view["endpoints"],
        *view["alarms"],
        *view["projects"],
        *view["owners"],
    ]
    return ", ".join(wanted) or "everything"


def _state(view: dict[str, Any]) -> Text:
    colour = {"failing": "red", "disabled": "dim", "unknown": "yellow"}.get(view["state"], "green")
    since = f" since {views.instant(view['failing_since'])}" if view["state"] == "failing" else ""
    return Text(view["state"] + since, style=colour)


def _facts(view: dict[str, Any]) -> Any:
    table = views.fact_table()
    named = view["alarms"] or view["projects"]
    shown = {
        "Subscriber": view["name"],
        "Kind": view["kind"] + (", set in server.yaml" if view["fixed"] else ""),
        "Address": view["address"] + (", signed" if view["signed"] else ""),
        "Kinds of events": ", ".join(view["kinds"]) or "all",
        "Endpoints": ", ".join(view["endpoints"]) or ("none" if named else "all"),
        "Alarms": ", ".join(view["alarms"]) or _unnamed(view, "projects"),
        "Changes of alarms": ", ".join(f"into {each}, out of it" for each in view["alarm_states"]),
        "Projects": ", ".join(view["projects"]) or _unnamed(view, "alarms"),
        "Owners": ", ".join(view["owners"]) or "all",
        "Shape": view["shape"],
        "State": _state(view),
        "Last cause": view["cause"],
        "Last delivery": views.instant(view["delivered_at"]) if view["delivered_at"] else "never",
        "Waiting": str(view["waiting"]),
        "Letters": str(view["letters"]),
    }
    for label, fact in shown.items():
        if fact:
            table.add_row(label, fact)
    return table


def _unnamed(view: dict[str, Any], other: str) -> str:
    """Say which alarms, or projects, are heard of where none is named and `other` may be."""
    if view[other]:
        return "none"
    return "of these endpoints" if view["endpoints"] else "all"
