"""Commands on the server itself: up, reload, version."""

import asyncio
import platform
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from parkade.apps import settings
from parkade.apps.cli import options, render
from parkade.apps.cli.session import connect


def up(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=1, max=65535, help="Port to listen on.")
    ] = 8700,
    state: options.State = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="server.yaml; else the state folder's.", show_default=False
        ),
    ] = None,
    no_auth: Annotated[
        bool, options.flag("--no-auth", help="Ask no tokens; loopback addresses only.")
    ] = False,
    time_scale: Annotated[
        float,
        typer.Option(metavar="N", help="Let the clock of leases run N times as fast: rehearsals."),
    ] = 1.0,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate, to serve HTTPS.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key.")] = None,
) -> None:
    """Start the server; Ctrl-C stops everything in order.

    [dim]Example:[/dim] parkade up --port 8700
    """
    from parkade.apps import supervisor  # noqa: PLC0415  see tokens.py

    chosen = supervisor.Options(
        settings=settings.server_settings(
            state=state, config=config, auth=not no_auth, time_scale=time_scale
        ),
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    asyncio.run(supervisor.Supervisor(chosen, render.line).run())


def reload() -> None:
    """Take up changed settings without a lost request.

    [dim]Example:[/dim] parkade reload
    """
    with connect() as client:
        changed = client.post("reload")["changed"]
    render.say("taken up: " + ", ".join(changed) if changed else "nothing changed")


def version() -> None:
    """Print the versions of Parkade and of what it runs on.

    [dim]Example:[/dim] parkade version
    """
    about = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    render.say(f"parkade {metadata.version('parkade')} ({about})")
