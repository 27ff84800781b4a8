"""Commands on what an endpoint answers and writes: invoke, logs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from parkade.apps.cli import aims, options, render
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput


def invoke(
    endpoint: options.Endpoint,
    json: Annotated[
        str | None, typer.Option("--json", metavar="TEXT", help="The body, as JSON.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="The body; - is standard input."),
    ] = None,
    content_type: Annotated[
        str, typer.Option(metavar="T", help="Content type of the body.")
    ] = "application/json",
    accept: Annotated[
        str | None, typer.Option(metavar="T", help="Content type to answer in.", show_default=False)
    ] = None,
    variant: Annotated[
        str | None, typer.Option(metavar="V", help="One variant, whatever the weights say.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="M", help="A model of a multi-model endpoint.")
    ] = None,
    wait: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="S", help="Seconds to wait where it is asleep, or starting; 0: none."
        ),
    ] = None,
) -> None:
    """Invoke an endpoint; print its answer as it is.

    [dim]Example:[/dim] parkade invoke text --json '{"sentence": "hello"}' --wait 60
    """
    if (json is None) == (file is None):
        raise typer.BadParameter("give the body, either with --json TEXT or with --file FILE")
    body = json.encode() if json is not None else _read(file)
    headers = {"Content-Type": content_type}
    headers |= options.given(**{
        "Accept": accept,
        aims.VARIANT: variant,
        aims.MODEL: model,
        "Prefer": None if wait is None else f"wait={wait}",
    })  # fmt: skip
    with connect() as client:
        answer = client.invoke(endpoint, body, headers)
    render.raw(answer.content)


def logs(
    endpoint: options.Endpoint,
    *,
    follow: Annotated[
        bool, options.flag("--follow", "-F", help="Go on as lines are written, until Ctrl-C.")
    ] = False,
    tail: Annotated[int, typer.Option(min=0, metavar="N", help="Lines to begin with.")] = 100,
) -> None:
    """Print what an endpoint's instances wrote.

    [dim]Example:[/dim] parkade logs text --follow
    """
    flags = {"tail": tail, "follow": "true" if follow else "false"}
    with (
        connect() as client,
        client.lines("endpoints", endpoint, "logs", headers={}, **flags) as lines,
    ):
        for line in lines:
            render.line(line)


def _read(file: Path | None) -> bytes:
    if file is None or str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read: {error.strerror}", field="file", hint="check --file"
        ) from error
