"""Commands on routes: set, ls, rm."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from parkade.apps.cli import options, render, views
from parkade.apps.cli.session import connect
from parkade.domain import names
from parkade.domain.errors import InvalidInput

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
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="N[/s]",
            help="Requests a second of all callers together; above it they are told to come back.",
        ),
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(
            "--burst", metavar="N", help="With --rate: requests at once; else those of a second."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="S", help="Seconds for an answer; else limits.model_seconds."
        ),
    ] = None,
    sticky_header: Annotated[
        str | None,
        typer.Option(
            "--sticky-header",
            metavar="NAME",
            help="Who sends the same value of this header gets the same variant.",
        ),
    ] = None,
    sticky_cookie: Annotated[
        str | None,
        typer.Option(
            "--sticky-cookie",
            metavar="NAME",
            help="The same by a cookie, which callers are given.",
        ),
    ] = None,
) -> None:
    """Let POST on a path invoke an endpoint, under these conditions instead of any before.

    [dim]Example:[/dim] parkade route set /falcon --endpoint falcon --rate 10/s --timeout 30
    """
    path = names.route_path(path)
    marks = options.given(header=sticky_header, cookie=sticky_cookie)
    body = {
        "endpoint_name": endpoint,
        "public": public,
        "rate": _rate(rate, burst),
        "timeout_seconds": timeout if timeout is None else _finite("--timeout", timeout),
        "sticky": marks or None,
    }
    with connect() as client:
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
        render.show(_listing(routes))
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


#: The last four are shown where any route has them.
_HEADINGS = ("Path", "Endpoint", "Open to", "Rate", "Timeout", "Sticky by", "Project")


def _listing(routes: Sequence[Mapping[str, Any]]) -> Table:
    rows = [_row(each) for each in routes]
    shown = [place for place in range(len(_HEADINGS)) if any(row[place] for row in rows)]
    return views.listing(
        [_HEADINGS[place] for place in shown], ([row[place] for place in shown] for row in rows)
    )


def _row(route: Mapping[str, Any]) -> tuple[str, ...]:
    rate, seconds = route["rate"], route["timeout_seconds"]
    sticky = {mark: name for mark, name in (route["sticky"] or {}).items() if name}
    return (
        route["path"],
        route["endpoint_name"],
        "anybody" if route["public"] else "tokens",
        f"{rate['per_second']:g}/s, {rate['burst']} at once" if rate else "",
        f"{seconds:g} s" if seconds is not None else "",
        " ".join(f"{mark} {name}" for mark, name in sticky.items()),
        route["project"],
    )


def _rate(text: str | None, burst: int | None) -> dict[str, Any] | None:
    """Read `10` or `10/s`. Raises InvalidInput."""
    if text is None:
        if burst is not None:
            raise InvalidInput(
                "--burst was given without --rate",
                field="burst",
                hint="say how many requests a second may come for long: --rate 10/s",
            )
        return None
    try:
        number = float(text.strip().removesuffix("/s"))
    except ValueError as error:
        raise InvalidInput(
            f"--rate {text!r} is no rate", field="rate", hint="write 10 or 10/s"
        ) from error
    return {"per_second": _finite("--rate", number), **options.given(burst=burst)}


def _finite(option: str, number: float) -> float:
    """Return a number that JSON can say; whether it will do is the server's to tell."""
    if not math.isfinite(number):
        raise InvalidInput(
            f"{option} {number} is not a number",
            field=option.removeprefix("--"),
            hint="give a number > 0",
        )
    return number
