"""Commands on bookings: add, ls, rm."""

import uuid
from datetime import timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, pricing, render, views
from parkade.apps.cli.session import connect
from parkade.domain import wallclock
from parkade.domain.spans import duration

app = typer.Typer(no_args_is_help=True, help="Buy time that begins later: warm by then.")

Booking = Annotated[str, typer.Argument(metavar="ID", help="As `parkade book ls` shows it.")]


@app.command()
def add(
    endpoint: options.Endpoint,
    at: Annotated[
        str,
        typer.Option(metavar="WHEN", help="When it begins: 2026-11-23T09:00[Europe/Berlin]."),
    ],
    minutes: Annotated[float, typer.Option("--minutes", "-m", metavar="N", help="Minutes to pay.")],
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            "-c",
            metavar="CONFIG",
            help="Endpoint config to run; else what the lease says.",
            show_default=False,
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who pays; else the lease's owner.", show_default=False),
    ] = None,
    *,
    confirm: pricing.Confirm = False,
) -> None:
    """Book time for an endpoint; where it has no lease then, the booking makes it.

    WHEN names its zone: [Europe/Berlin], +01:00 or Z.

    [dim]Example:[/dim] parkade book add text -c text-config --at 2026-11-23T09:00Z -m 90
    """
    wallclock.moment(at, field="--at")
    body = options.given(
        endpoint_name=endpoint,
        config_name=config,
        at=at,
        minutes=options.minutes(minutes),
        owner=owner,
    )
    with connect() as client:
        pricing.tell(client, endpoint, minutes=minutes, config=config, owner=owner, confirm=confirm)
        booking = client.post("bookings", body=body, key=uuid.uuid4().hex)
    render.say(f"{endpoint}: booked {_span(booking)} for {booking['owner']} ({booking['id']})")


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the bookings that are not over.

    [dim]Example:[/dim] parkade book ls
    """
    with connect() as client:
        bookings = client.pages("bookings")
        damaged = client.get("bookings", limit=1)["unreadable"]
    if as_json:
        render.machine(bookings)
    elif bookings:
        rows = (
            (each["id"], each["endpoint_name"], views.instant(each["starts_at"]),
             duration(timedelta(minutes=each["minutes"])), each["owner"], each["config_name"])
            for each in bookings
        )  # fmt: skip
        columns = ("Booking", "Endpoint", "Begins", "Lasts", "Owner", "Config")
        render.show(views.listing(columns, rows))
    else:
        render.note(
            "Nothing is booked; begin with: parkade book add ENDPOINT -c CONFIG --at WHEN -m 90"
        )
    for booking, why in damaged.items():
        render.note(f"{why}; give it up with: parkade book rm {booking}")


@app.command()
def rm(booking: Booking) -> None:
    """Give a booking back before it begins, all of it.

    [dim]Example:[/dim] parkade book rm 5f0c1a9d2b7e
    """
    with connect() as client:
        client.delete("bookings", booking)
    render.say(f"{booking}: given back")


def _span(booking: dict[str, Any]) -> str:
    lasts = duration(timedelta(minutes=booking["minutes"]))
    return f"{lasts} from {views.instant(booking['starts_at'])}"
