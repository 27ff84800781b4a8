"""Commands on scaling: show, set, suspend, resume, schedule, off."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, render, scaleviews
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect
from parkade.domain import timing
from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.signals import Signal

app = typer.Typer(
    no_args_is_help=True,
    help="How many instances there are to be, by use and by time.",
)

Variant = Annotated[
    str | None,
    typer.Option("--variant", metavar="V", help="Which one, of several.", show_default=False),
]
Component = Annotated[
    str | None,
    typer.Option(
        "--component", metavar="C", help="An inference component instead.", show_default=False
    ),
]


class Switch(StrEnum):
    """Whether something is done."""

    ON = "on"
    OFF = "off"


def _number(spelling: str, help: str, metavar: str = "N") -> Any:  # noqa: A002  Typer's own word
    return typer.Option(spelling, metavar=metavar, help=help, show_default=False)


Least = Annotated[int | None, _number("--min", "The fewest that there are to be.")]
Most = Annotated[int | None, _number("--max", "The most that there are to be.")]
In = Annotated[bool, options.flag("--in", help="Scaling to fewer.")]
Out = Annotated[bool, options.flag("--out", help="Scaling to more.")]
Scheduled = Annotated[bool, options.flag("--scheduled", help="Scheduled actions.")]


@app.command()
def show(endpoint: options.Endpoint, *, as_json: options.Json = False) -> None:
    """Show how many there are of each variant, how that is decided, and what was done.

    [dim]Example:[/dim] parkade scale show text
    """
    with connect() as client:
        _show(client.get("endpoints", endpoint, "scaling"), as_json=as_json)


@app.command(name="set")
def set_(
    endpoint: options.Endpoint,
    least: Least = None,
    most: Most = None,
    target: Annotated[
        float | None, _number("--target", "How much of the metric for each instance.", "X")
    ] = None,
    metric: Annotated[
        Signal | None,
        typer.Option(
            metavar="METRIC",
            help="invocations a minute, concurrency: requests at a time, or backlog: asynchronous "
            "requests that wait; at first invocations.",
            show_default=False,
        ),
    ] = None,
    out_cooldown: Annotated[
        int | None, _number("--out-cooldown", "Seconds to wait after more; at first 300.")
    ] = None,
    in_cooldown: Annotated[
        int | None, _number("--in-cooldown", "Seconds to wait after fewer; at first 300.")
    ] = None,
    scale_in: Annotated[
        Switch | None,
        typer.Option(
            "--scale-in",
            metavar="on|off",
            help="Whether it may become fewer; at first on.",
            show_default=False,
        ),
    ] = None,
    variant: Variant = None,
    component: Component = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Scale a variant between bounds, by a metric; what is left out stays as it is.

    Asynchronous endpoints and inference components may go to 0.

    [dim]Examples:[/dim]
    parkade scale set text --min 1 --max 4 --target 600
    parkade scale set text --max 8
    parkade scale set queue --min 0 --max 4 --target 5 --metric backlog
    """
    body = options.given(
        min=least,
        max=most,
        target=target,
        metric=metric.value if metric else None,
        scale_out_cooldown_seconds=out_cooldown,
        scale_in_cooldown_seconds=in_cooldown,
        scale_in=None if scale_in is None else scale_in is Switch.ON,
    )
    if not body:
        raise InvalidInput(
            "nothing is to be set",
            field="min",
            hint=f"parkade scale set {endpoint} --min 1 --max 4 --target 600",
        )
    _put(endpoint, {**body, **_named(variant, component)}, as_json=as_json)


@app.command()
def suspend(
    endpoint: options.Endpoint,
    variant: Variant = None,
    component: Component = None,
    *,
    scale_in: In = False,
    scale_out: Out = False,
    scheduled: Scheduled = False,
    as_json: options.Json = False,
) -> None:
    """Leave the number as it is until it is resumed: all of scaling, or what is named.

    [dim]Examples:[/dim]
    parkade scale suspend text
    parkade scale suspend text --in
    """
    _suspend(
        endpoint,
        _named(variant, component),
        {"scale_in": scale_in, "scale_out": scale_out, "scheduled": scheduled},
        suspended=True,
        as_json=as_json,
    )


@app.command()
def resume(
    endpoint: options.Endpoint,
    variant: Variant = None,
    component: Component = None,
    *,
    scale_in: In = False,
    scale_out: Out = False,
    scheduled: Scheduled = False,
    as_json: options.Json = False,
) -> None:
    """Scale again: all that was suspended, or what is named.

    [dim]Example:[/dim] parkade scale resume text
    """
    _suspend(
        endpoint,
        _named(variant, component),
        {"scale_in": scale_in, "scale_out": scale_out, "scheduled": scheduled},
        suspended=False,
        as_json=as_json,
    )


@app.command()
def schedule(
    endpoint: options.Endpoint,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the action is called.")],
    when: Annotated[
        str | None,
        typer.Argument(
            metavar="WHEN",
            help='"cron(0 8 ? * MON-FRI *)", "rate(1 day)" or "at(2026-11-23T09:00:00)".',
            show_default=False,
        ),
    ] = None,
    least: Least = None,
    most: Most = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="Of cron and at: Europe/Berlin; else UTC.",
            show_default=False,
        ),
    ] = None,
    starts: Annotated[
        datetime | None,
        typer.Option(
            "--from", metavar="TIME", help="Not before this time, in UTC.", show_default=False
        ),
    ] = None,
    ends: Annotated[
        datetime | None,
        typer.Option(
            "--until", metavar="TIME", help="Not after this time, in UTC.", show_default=False
        ),
    ] = None,
    variant: Variant = None,
    component: Component = None,
    *,
    off: Annotated[bool, options.flag("--off", help="Delete the action.")] = False,
    as_json: options.Json = False,
) -> None:
    """Set the bounds of what is scaled at a time, once or again and again.

    [dim]Examples:[/dim]
    parkade scale schedule text morning "cron(0 8 ? * MON-FRI *)" --min 2
    parkade scale schedule text evening "cron(0 18 ? * MON-FRI *)" --min 1
    parkade scale schedule text evening --zone Europe/Berlin
    parkade scale schedule text evening --off
    """
    body = options.given(
        schedule=when,
        timezone=zone,
        min=least,
        max=most,
        starts_at=_utc(starts),
        ends_at=_utc(ends),
    )
    if off and body:
        raise InvalidInput(
            "--off goes without the rest", field="off", hint="give the name of the action alone"
        )
    if when is not None:
        timing.require_schedule(when, zone or "")
    named = _named(variant, component)
    path = ("endpoints", endpoint, "scaling", "scheduled", name)
    with connect() as client:
        if off:
            client.delete(*path, **named)
            view = client.get("endpoints", endpoint, "scaling")
        else:
            view = client.put(*path, body={**body, **named})
    _show(view, as_json=as_json)


@app.command()
def off(
    endpoint: options.Endpoint,
    variant: Variant = None,
    component: Component = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Scale no longer, all of the endpoint or what is named; the number stays as it is.

    Policies, their alarms and scheduled actions go with it.

    [dim]Example:[/dim] parkade scale off text
    """
    with connect() as client:
        client.delete("endpoints", endpoint, "scaling", **_named(variant, component))
        view = client.get("endpoints", endpoint, "scaling")
    _show(view, as_json=as_json)


def _suspend(
    endpoint: str,
    named: dict[str, str],
    which: dict[str, bool],
    *,
    suspended: bool,
    as_json: bool,
) -> None:
    """Suspend or resume what is marked in `which`, or all of it; of all that is scaled, or of one."""
    wanted = {name: suspended for name, marked in which.items() if marked}
    body = {"suspended": wanted or dict.fromkeys(which, suspended)}
    with connect() as client:
        for each in [named] if named else _scaled(client, endpoint):
            client.put("endpoints", endpoint, "scaling", body={**body, **each})
        view = client.get("endpoints", endpoint, "scaling")
    _show(view, as_json=as_json)


def _scaled(client: Client, endpoint: str) -> list[dict[str, str]]:
    """Return how to name each thing of an endpoint that is scaled. Raises InvalidInput for none."""
    view = client.get("endpoints", endpoint, "scaling")
    found = [
        {"component": each["component_name"]}
        if each["component_name"]
        else {"variant": each["variant_name"]}
        for each in view["capacities"]
        if each["scaled"]
    ]
    if not found:
        raise InvalidInput(
            f"nothing of {endpoint} is scaled",
            field="ENDPOINT",
            hint=f"parkade scale set {endpoint} --min 1 --max 4 --target 600",
        )
    return found


def _put(endpoint: str, body: dict[str, Any], *, as_json: bool) -> None:
    with connect() as client:
        view = client.put("endpoints", endpoint, "scaling", body=body)
    _show(view, as_json=as_json)


def _show(view: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        render.machine(view)
        return
    if view["capacities"]:
        render.show(scaleviews.scaling(view))
    else:
        render.note(f"{view['endpoint_name']} does not run, and nothing of it is scaled.")
    for name, why in view["unreadable"].items():
        render.note(f"{name} is left alone: {why}")


def _named(variant: str | None, component: str | None) -> dict[str, str]:
    found: dict[str, str] = options.given(variant=variant, component=component)
    return found


def _utc(instant: datetime | None) -> str | None:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}" if instant else None
