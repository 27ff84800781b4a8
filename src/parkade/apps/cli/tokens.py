"""Commands on tokens: create, ls, revoke. They work on the state folder itself.

So the first token of a server can be made before it runs, and nobody needs a token to make one
but whoever may read the state folder.
"""

import socket
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from parkade.adapters.system.clock import SystemClock
from parkade.apps import settings
from parkade.apps.cli import clouds, options, render, views
from parkade.apps.cli.client import Client
from parkade.apps.statefolder import StatePaths
from parkade.domain.token import Role
from parkade.services.tokens import Tokens

app = typer.Typer(no_args_is_help=True, help="Say who may do what. Works on the state folder.")

#: Who made it, in the history: the folder's owner rather than a token.
ACTOR = "cli"
#: Seconds that a running server has to take the word.
_NUDGE = httpx.Timeout(10.0)


@app.command()
def create(
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the token; the history knows it by this.")
    ],
    role: Annotated[
        Role,
        typer.Option(
            help="invoker: invoke. operator: also run leases and routes. "
            "admin: also manage tokens, models and configs."
        ),
    ] = Role.INVOKER,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Endpoint it may invoke; repeatable; else all."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="30d|12h|90m", help="When it expires; else never.")
    ] = None,
    *,
    from_stdin: Annotated[
        bool,
        options.flag("--from-stdin", help="Take a pass code of your own: 16 characters or more."),
    ] = False,
    state: options.State = None,
) -> None:
    """Make a token and print it, this once.

    [dim]Example:[/dim] parkade token create --name ann --role operator --expires 30d
    """
    lifetime = options.lifetime(expires) if expires is not None else None
    secret = sys.stdin.readline().strip() if from_stdin else None
    paths = settings.state_paths(state)
    with opened(paths) as tokens:
        _, made = tokens.create(
            name,
            role=role,
            endpoints=frozenset(endpoint or ()),
            lifetime=lifetime,
            actor=ACTOR,
            secret=secret,
        )
    render.line(made)
    nudge(paths)


@app.command()
def ls(*, as_json: options.Json = False, state: options.State = None) -> None:
    """List all tokens, without their secrets.

    [dim]Example:[/dim] parkade token ls
    """
    # Forms take a while to make; what shows none need not wait for them.
    from parkade.apps.api.schemas.tokens import TokenView  # noqa: PLC0415

    now = SystemClock().now()
    with opened(settings.state_paths(state)) as tokens:
        listed = [TokenView.of(each, now).model_dump(mode="json") for each in tokens.all()]
    if as_json:
        render.machine(listed)
    elif listed:
        columns = ("Token", "Role", "Endpoints", "Expires", "State")
        render.show(views.listing(columns, map(_row, listed)))
    else:
        render.note("No tokens; begin with: parkade token create --name NAME")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the token.")],
    state: options.State = None,
) -> None:
    """Revoke a token: from now on nobody gets in with it.

    [dim]Example:[/dim] parkade token revoke ann
    """
    paths = settings.state_paths(state)
    with opened(paths) as tokens:
        tokens.revoke(name, actor=ACTOR)
    nudge(paths)
    render.say(f"{name}: revoked")


def opened(paths: StatePaths) -> AbstractContextManager[Tokens]:
    """Give the tokens of a state folder, which is made where there is none, or of an account."""
    choice = clouds.chosen()
    # Loading all that a server is made of takes a while; other commands need not wait for it.
    if choice.cloud is clouds.Cloud.AWS:
        from parkade.apps.cli import account  # noqa: PLC0415

        return account.tokens(choice)
    from parkade.apps import identity  # noqa: PLC0415

    paths.make()
    return identity.local_tokens(paths)


def nudge(paths: StatePaths) -> None:
    """Have a running server look at its tokens; one that does not run will when it starts."""
    if clouds.chosen().cloud is clouds.Cloud.AWS or not _runs(paths.control_socket):
        return
    here = settings.client_settings(paths, environment={})
    with Client(here, timeout=_NUDGE, socket=paths.control_socket) as client:
        client.post("nudge")


def _runs(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(control))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _row(token: dict[str, Any]) -> tuple[str, ...]:
    state = "revoked" if token["revoked_at"] else "live" if token["live"] else "expired"
    limited = ", ".join(token["endpoints"]) or "all"
    expires = views.instant(token["expires_at"]) if token["expires_at"] else "never"
    return token["name"], token["role"], limited, expires, state
