"""Commands on letters, what could not be delivered: ls, show, resend, drop."""

from typing import Annotated, Any

import typer

from parkade.apps.cli import options, render, views
from parkade.apps.cli.client import Refused
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput, ParkadeError

app = typer.Typer(
    no_args_is_help=True, help="See what could not be delivered to subscribers, and send it again."
)

Ids = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID", min=1, help="Ids of letters.", show_default=False),
]
Subscriber = Annotated[
    str | None, typer.Option(metavar="NAME", help="Letters to this subscriber alone.")
]


@app.command()
def ls(subscriber: Subscriber = None, *, as_json: options.Json = False) -> None:
    """List what could not be delivered, the oldest first.

    [dim]Example:[/dim] parkade letters ls --subscriber ops
    """
    with connect() as client:
        listed = client.pages("letters", subscriber=subscriber)
    if as_json:
        render.machine(listed)
    elif listed:
        columns = ("Id", "Subscriber", "Event", "Endpoint", "Given up, UTC", "Last cause")
        render.show(views.listing(columns, map(_row, listed)))
    else:
        render.note("No letters: everything was delivered, or is still being tried.")


@app.command()
def show(
    letter: Annotated[int, typer.Argument(metavar="ID", min=1, help="Id of the letter.")],
    *,
    as_json: options.Json = False,
) -> None:
    """Show a letter with the event that it is about.

    [dim]Example:[/dim] parkade letters show 12
    """
    with connect() as client:
        view = client.get("letters", str(letter))
        number = view["event_number"]
        event = client.get("events", after=number - 1, limit=1, order="oldest")["events"][0]
    if as_json:
        render.machine({**view, "event": event})
        return
    table = views.fact_table()
    table.add_row("Letter", f"{view['id']}, to {view['subscriber']}")
    table.add_row("Given up", f"{views.instant(view['buried_at'])}, after {view['attempts']} tries")
    table.add_row("Last cause", view["cause"])
    render.show(table)
    render.show(views.event(event))


@app.command()
def resend(
    letters: Ids = None,
    subscriber: Subscriber = None,
    *,
    every: Annotated[bool, options.flag("--all", help="All letters there are.")] = False,
) -> None:
    """Deliver letters now; those that are taken are letters no more.

    [dim]Example:[/dim] parkade letters resend --subscriber ops
    """
    with connect() as client:
        chosen = _chosen(client, letters, subscriber, every=every)
        refused = 0
        for letter in chosen:
            try:
                client.post("letters", str(letter), "resend")
            except Refused as error:
                if error.code != "undelivered":
                    raise
                refused += 1
                render.note(f"letter {letter}: {error.message}")
    render.say(f"{len(chosen) - refused} of {_counted(len(chosen))} delivered")
    if refused:
        raise ParkadeError(f"{_counted(refused)} not taken", hint="see: parkade letters ls")


@app.command()
def drop(
    letters: Ids = None,
    subscriber: Subscriber = None,
    *,
    every: Annotated[bool, options.flag("--all", help="All letters there are.")] = False,
) -> None:
    """Remove letters undelivered.

    [dim]Example:[/dim] parkade letters drop 12
    """
    with connect() as client:
        chosen = _chosen(client, letters, subscriber, every=every)
        for letter in chosen:
            client.delete("letters", str(letter))
    render.say(f"{_counted(len(chosen))} dropped")


def _chosen(
    client: Any, letters: list[int] | None, subscriber: str | None, *, every: bool
) -> list[int]:
    if sum((bool(letters), subscriber is not None, every)) != 1:
        raise InvalidInput(
            "which letters is not clear",
            field="ID",
            hint="give ids, or --subscriber NAME, or --all",
        )
    if letters:
        return letters
    return [each["id"] for each in client.pages("letters", subscriber=subscriber)]


def _counted(number: int) -> str:
    return "1 letter" if number == 1 else f"{number} letters"


def _row(view: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(view["id"]),
        view["subscriber"],
        view["event_kind"],
        view["endpoint_name"],
        views.instant(view["buried_at"])[:16],
        view["cause"],
    )
