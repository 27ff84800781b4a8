"""Commands on deployments: deploy, and deployments ls, show, cancel, resume, promote, rollback."""

import json
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.apps.cli import deployviews, deploywait, options, pricing, render
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput, ParkadeError

app = typer.Typer(no_args_is_help=True, help="See and steer what `parkade deploy` began.")

Deployment = Annotated[
    str, typer.Argument(metavar="ID", help="As `parkade deployments ls` shows it.")
]
Wait = Annotated[
    bool, options.flag("--wait", help="Look on until it is over; exit 1 unless it succeeded.")
]


def deploy(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The deployment as JSON; - is standard input.", allow_dash=True
        ),
    ],
    *,
    wait: Wait = False,
    dry_run: Annotated[
        bool, options.flag("--dry-run", help="Show the plan and the price; change nothing.")
    ] = False,
    confirm: pricing.Confirm = False,
    as_json: options.Json = False,
) -> None:
    """Create or update an endpoint with its scaling, step by step.

    What goes wrong leaves what served before. What is in FILE is told in docs/deploy.md.

    [dim]Example:[/dim] parkade deploy test-endpoint.json --wait
    """
    order = _order(file)
    with connect() as client:
        if dry_run:
            _rehearse(client, order, as_json=as_json)
            return
        _tell(client, order, confirm=confirm)
        begun = client.post("deployments", body=order, key=uuid.uuid4().hex)
        if wait:
            _settle(deploywait.until_over(client, begun["id"]), as_json=as_json)
        elif as_json:
            render.machine(begun)
        else:
            render.say(
                f"{begun['endpoint_name']}: deployment {begun['id']} has begun; look on: "
                f"parkade deployments show {begun['id']} --wait"
            )


@app.command()
def ls(
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only those of this endpoint.", show_default=False),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="How many at most.")
    ] = 20,
    *,
    as_json: options.Json = False,
) -> None:
    """List deployments, the newest first.

    [dim]Example:[/dim] parkade deployments ls --endpoint text
    """
    with connect() as client:
        page = client.get("deployments", endpoint=endpoint, limit=limit)
    if as_json:
        render.machine(page["deployments"])
    elif page["deployments"]:
        render.show(deployviews.Deployments(page["deployments"]))
        if page["next"]:
            render.note(f"There are older ones; see more with: --limit {limit * 10}")
    else:
        render.note("Nothing was deployed; begin with: parkade deploy FILE --wait")
    for deployment, why in page["unreadable"].items():
        render.note(f"{deployment}: {why}")


@app.command()
def show(deployment: Deployment, *, wait: Wait = False, as_json: options.Json = False) -> None:
    """Show a deployment: its steps, what came of them, what runs now and its price.

    [dim]Example:[/dim] parkade deployments show 5f0c1a9d2b7e
    """
    with connect() as client:
        if wait:
            _settle(deploywait.until_over(client, deployment), as_json=as_json)
            return
        view = client.get("deployments", deployment)
    if as_json:
        render.machine(view)
    else:
        render.show(deployviews.deployment(view))


@app.command()
def cancel(deployment: Deployment, *, wait: Wait = False) -> None:
    """Call a deployment off: what served before goes on, what was made is removed.

    [dim]Example:[/dim] parkade deployments cancel 5f0c1a9d2b7e
    """
    _steer(deployment, "cancel", "is called off", wait=wait)


@app.command()
def resume(deployment: Deployment, *, wait: Wait = False) -> None:
    """Go on with a deployment now, without the pause after a temporary error.

    [dim]Example:[/dim] parkade deployments resume 5f0c1a9d2b7e --wait
    """
    _steer(deployment, "resume", "goes on", wait=wait)


@app.command()
def promote(deployment: Deployment, *, wait: Wait = False) -> None:
    """Give the new fleet all requests now, whatever its strategy still waits for.

    [dim]Example:[/dim] parkade deployments promote 5f0c1a9d2b7e
    """
    _steer(deployment, "promote", "takes all requests to the new fleet", wait=wait)


@app.command()
def rollback(deployment: Deployment, *, wait: Wait = False) -> None:
    """Give all requests back to what served before; the new fleet ends.

    [dim]Example:[/dim] parkade deployments rollback 5f0c1a9d2b7e
    """
    _steer(deployment, "rollback", "goes back to what served before", wait=wait)


def _steer(deployment: str, verb: str, told: str, *, wait: bool) -> None:
    with connect() as client:
        view = client.post("deployments", deployment, verb)
        if view is None:
            render.say(f"{deployment}: forgotten, for it could not be read; see: parkade events")
        elif wait:
            _settle(deploywait.until_over(client, deployment), as_json=False)
        else:
            render.say(f"{view['endpoint_name']}: deployment {view['id']} {told}")


def _rehearse(client: Client, order: dict[str, Any], *, as_json: bool) -> None:
    view = client.post("deployments", body=order, dry_run=True)
    if as_json:
        render.machine(view)
    else:
        render.show(deployviews.rehearsal(view))
    if view["problems"]:
        raise typer.Exit(1)


def _tell(client: Client, order: dict[str, Any], *, confirm: bool) -> None:
    """Say what it costs before it begins; where asked to, go on only if that is fine.

    Raises Unfit for what is known to fail, before anything is made or bought.
    """
    view = client.post("deployments", body=order, dry_run=True)
    if view["problems"]:
        raise _unfit(view)
    for each in view["warnings"]:
        render.note(f"note: {each}")
    told = "; ".join(f"{name}: {words}" for name, words in deployviews.price(view))
    if confirm:
        typer.confirm(f"{told}. Go on?", abort=True, err=True)
    else:
        render.note(told)


class Unfit(ParkadeError):
    """A deployment would fail, and nothing of it was begun."""


def _unfit(view: dict[str, Any]) -> Unfit:
    first, *others = view["problems"]
    more = "".join(f"; {each['message']}" for each in others)
    return Unfit(f"{view['endpoint_name']}: {first['message']}{more}", hint=first["hint"])


def _settle(view: dict[str, Any], *, as_json: bool) -> None:
    """Say how it ended; the exit status says it, too."""
    if as_json:
        render.machine(view)
    deploywait.require_success(view)
    if not as_json:
        render.say(
            f"{view['endpoint_name']}: {view['config_name']} serves, after "
            f"{deployviews.took(view)} (deployment {view['id']})"
        )


def _order(file: Path) -> dict[str, Any]:
    """Read a payload. Raises InvalidInput that says where it is no JSON object."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{name} cannot be read: {error.strerror}",
            field="FILE",
            hint="name a file with the deployment as JSON, or - for standard input",
        ) from error
    try:
        order = json.loads(raw)
    except ValueError as error:
        raise InvalidInput(
            f"{name} is not JSON: {error}",
            field="FILE",
            hint='write an object such as {"endpointName": "text", "productionVariants": [...]}',
        ) from error
    if not isinstance(order, dict):
        raise InvalidInput(
            f"{name} holds no JSON object",
            field="FILE",
            hint='write an object such as {"endpointName": "text", "productionVariants": [...]}',
        )
    return order
