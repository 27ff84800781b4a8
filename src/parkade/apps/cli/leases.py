"""Commands on the meter: add, ls, show, extend, stop, start, remove."""

import uuid
from datetime import timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, pricing, render, scaleviews, sleep, terms, views, waiting
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect
from parkade.domain.spans import duration


def add(
    endpoint: options.Endpoint,
    config: Annotated[
        str,
        typer.Option(
            "--config",
            "-c",
            metavar="CONFIG",
            help="Endpoint config to run; see: parkade config ls.",
        ),
    ],
    minutes: options.Minutes = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who pays; else the token's name.", show_default=False),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Tag, such as auto-maintain=true; give it again for more.",
            show_default=False,
        ),
    ] = None,
    *,
    wait: options.Wait = False,
    confirm: pricing.Confirm = False,
) -> None:
    """Put an endpoint on the meter: it runs until its time is over.

    [dim]Example:[/dim] parkade add text --config text-config --minutes 30 --wait
    """
    body = options.given(config_name=config, minutes=options.minutes(minutes), owner=owner)
    if tag:
        body["tags"] = options.tags(tag)
    with connect() as client:
        pricing.tell(client, endpoint, minutes=minutes, config=config, owner=owner, confirm=confirm)
        lease = client.put("leases", endpoint, body=body, key=uuid.uuid4().hex)
        _settle(client, lease, wait=wait)


def ls(*, as_json: options.Json = False) -> None:
    """List all meters: time left, state, owner, requests a second.

    [dim]Example:[/dim] parkade ls --json
    """
    with connect() as client:
        endpoints = client.pages("endpoints")
    if as_json:
        render.machine(endpoints)
    elif endpoints:
        render.show(views.Meters(endpoints))
    else:
        render.note("Nothing is on the meter; begin with: parkade add ENDPOINT --config CONFIG")


def show(endpoint: options.Endpoint, *, as_json: options.Json = False) -> None:
    """Show all about one endpoint, its instances included.

    [dim]Example:[/dim] parkade show text
    """
    with connect() as client:
        view = client.get("endpoints", endpoint)
    if as_json:
        render.machine(view)
    else:
        settled = [("asleep", sleep.asleep(view["sleep"]))] if view["sleep"] else []
        settled += terms.facts(view["terms"]) if view["terms"] else []
        settled += scaleviews.facts(view)
        render.show(views.endpoint(view, settled))


def extend(
    endpoint: options.Endpoint,
    minutes: Annotated[float, typer.Option("--minutes", "-m", metavar="N", help="Minutes to add.")],
    *,
    wait: options.Wait = False,
    confirm: pricing.Confirm = False,
) -> None:
    """Add minutes; an endpoint whose time is over starts again.

    [dim]Example:[/dim] parkade extend text --minutes 10
    """
    body = options.given(minutes=options.minutes(minutes))
    with connect() as client:
        pricing.tell(client, endpoint, minutes=minutes, confirm=confirm)
        lease = client.post("leases", endpoint, "extend", body=body, key=uuid.uuid4().hex)
        _settle(client, lease, wait=wait)


def start(
    endpoint: options.Endpoint,
    minutes: options.Minutes = None,
    *,
    wait: options.Wait = False,
    confirm: pricing.Confirm = False,
) -> None:
    """Start an endpoint that was stopped, or whose time is over.

    [dim]Example:[/dim] parkade start text --minutes 30 --wait
    """
    body = options.given(minutes=options.minutes(minutes))
    with connect() as client:
        pricing.tell(client, endpoint, minutes=minutes, confirm=confirm)
        lease = client.post("leases", endpoint, "start", body=body)
        _settle(client, lease, wait=wait)


def stop(endpoint: options.Endpoint) -> None:
    """Stop an endpoint now; it keeps its name and config.

    [dim]Example:[/dim] parkade stop text
    """
    with connect() as client:
        lease = client.post("leases", endpoint, "end")
    render.say(f"{endpoint}: {lease['reason']}; start it again with: parkade start {endpoint}")


def remove(endpoint: options.Endpoint) -> None:
    """Remove an endpoint altogether: its lease, and what runs.

    [dim]Example:[/dim] parkade remove text
    """
    with connect() as client:
        client.delete("leases", endpoint)
    render.say(f"{endpoint}: removed")


def _settle(client: Client, lease: dict[str, Any], *, wait: bool) -> None:
    """Say what was paid and, where asked to, wait until the endpoint answers."""
    if wait and lease["asleep_since"] is None:  # a coin wakes nothing
        waiting.until_running(client, lease["endpoint_name"])
        lease = client.get("leases", lease["endpoint_name"])
    left = duration(timedelta(seconds=lease["time_left_seconds"]))
    until = views.instant(lease["expires_at"])
    stands = f"{lease['reason']}{views.still(lease)}"
    render.say(f"{lease['endpoint_name']}: {stands}, {left} left (until {until})")
