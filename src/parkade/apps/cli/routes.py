"""Commands on routes: set, ls, rm."""

from typing import Annotated

import typer

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect
from parkade.domain import names

app = typer.Typer(no_args_is_help=True, help="Give endpoints short paths such as /falcon.")

Path = Annotated[str, typer.Argument(metavar="/PATH", help="One path segment, such as /falcon.")]


@app.command("set")
def put(
    path: Path,
    endpoint: Annotated[
        str, typer.Option("--endpoint", "-e", metavar="ENDPOINT", help="Where the path leads.")
    ],
    *,
    public: Annotated[
        bool, options.flag("--public", help="Ask no token of those who invoke by this path.")
    ] = False,
) -> None:
    """Let POST on a path invoke an endpoint.

    [dim]Example:[/dim] parkade route set /falcon --endpoint falcon
    """
    path = names.route_path(path)
    with connect() as client:
        body = {"endpoint_name": endpoint, "public": public}
        route = client.put("routes", path.removeprefix("/"), body=body)
        url = client.url
    render.say(f"POST {url}{route['path']} invokes {route['endpoint_name']}")


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the routes.

    [dim]Example:[/dim] parkade route ls
    """
    with connect() as client:
        routes = client.pages("routes")
    if as_json:
        render.machine(routes)
    elif routes:
        rows = (
            (each["path"], each["endpoint_name"], "anybody" if each["public"] else "tokens")
            for each in routes
        )
        render.show(views.listing(("Path", "Endpoint", "Open to"), rows))
    else:
        render.note("No routes; begin with: parkade route set /PATH --endpoint ENDPOINT")


@app.command()
def rm(path: Path) -> None:
    """Remove a route; the endpoint stays.

    [dim]Example:[/dim] parkade route rm /falcon
    """
    path = names.route_path(path)
    with connect() as client:
        client.delete("routes", path.removeprefix("/"))
    render.say(f"{path}: removed")
