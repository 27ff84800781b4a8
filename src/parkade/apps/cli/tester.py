"""Commands on testers: run, load, ls, show."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.apps.cli import (
    options,
    render,
    testerload,
    testeroutput,
    testerplan,
    testerrun,
    testerviews,
)
from parkade.apps.cli.session import connect
from parkade.apps.cli.testerplan import Asked
from parkade.domain import names
from parkade.domain.errors import StartFailed
from parkade.domain.load import Aim
from parkade.domain.tester.quantiles import share_of

app = typer.Typer(
    no_args_is_help=True, help="Ask endpoints and routes by cases: once, by schedule, under load."
)

#: Seconds between two looks at a run on the server.
_PERIOD = 0.5


def _name(text: str | None) -> str | None:
    return None if text is None else names.endpoint_name(text, field="NAME")


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of a tester of the server.", callback=_name)
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="The project's file; else parkade.yaml.",
        show_default=False,
    ),
]  # fmt: skip
Stage = Annotated[
    str | None, typer.Option("--stage", "-s", metavar="S", help="Which of the file's stages.")
]
Endpoint = Annotated[
    str | None, typer.Option("--endpoint", "-e", metavar="E", help="Ask this endpoint.")
]
Variant = Annotated[str | None, typer.Option(metavar="V", help="Of the endpoint; else by weight.")]
Route = Annotated[str | None, typer.Option("--route", "-r", metavar="/R", help="Ask this route.")]
Cases = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The cases: a model folder's test/input_data.json."),
]
Timeout = Annotated[
    float | None, typer.Option(metavar="S", help="Seconds after which an answer counts as none.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Write report.json, latency.svg and report.html there.",
    ),
]


@app.command()
def run(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A tester of the server, which runs there.",
            callback=_name,
            show_default=False,
        ),
    ] = None,
    file: File = None,
    stage: Stage = None,
    endpoint: Endpoint = None,
    variant: Variant = None,
    route: Route = None,
    cases: Cases = None,
    clients: Annotated[
        int | None, typer.Option("--clients", "-n", metavar="N", help="Clients side by side.")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds from one call of a client to its next."),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds it goes on; 0: every client asks every case once."),
    ] = None,
    timeout: Timeout = None,
    output: Output = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Ask by cases, and check status, answer and response time; exit 1 where a case fails.

    Without NAME the clients run here, and Ctrl-C ends it with the results so far.

    [dim]Examples:[/dim]
    parkade tester run --endpoint text --cases model-a/test/input_data.json --duration 10
    parkade tester run --file parkade.yaml --stage Demo --output report
    """
    if output is not None:
        testeroutput.prepare(output)
    if name is not None:
        given = (file, stage, endpoint, variant, route, cases, clients, interval, duration, timeout)
        if any(each is not None for each in given):
            raise typer.BadParameter(
                "a tester of the server has settings of its own; give NAME alone"
            )
        told = _on_server(name)
    else:
        asked = Asked(
            file=file,
            stage=stage,
            endpoint=endpoint,
            variant=variant,
            route=route,
            cases=cases,
            clients=clients,
            interval=interval,
            duration=duration,
            timeout=timeout,
        )
        told = testerrun.carry_out(testerplan.plan(asked))
    if output is not None:
        testeroutput.run(output, told)
    if as_json:
        render.machine(told)
    else:
        render.show(testerviews.report(told))
        render.say(f"{told['target']}: {told['summary']}")
        if output is not None:
            render.note(f"Report: {output / 'report.html'}")
    if not told["passed"]:
        raise typer.Exit(1)


@app.command()
def load(
    target_ms: Annotated[
        float, typer.Option("--target-ms", metavar="MS", help="What the latency is to be within.")
    ],
    file: File = None,
    stage: Stage = None,
    endpoint: Endpoint = None,
    variant: Variant = None,
    route: Route = None,
    cases: Cases = None,
    quantile: Annotated[
        str, typer.Option(metavar="Q", help="Which latency: p50, p90, p99, p99.9.")
    ] = "p99",
    first: Annotated[
        float, typer.Option("--from", metavar="RATE", help="Requests a second to begin with.")
    ] = 10,
    last: Annotated[
        float, typer.Option("--to", metavar="RATE", help="Requests a second at most.")
    ] = 10_000,
    step_seconds: Annotated[
        float, typer.Option(metavar="S", help="Seconds that each rate is measured.")
    ] = 10,
    warm_up: Annotated[
        float, typer.Option(metavar="S", help="Seconds of each rate that do not count.")
    ] = 2,
    errors: Annotated[
        float, typer.Option(metavar="SHARE", help="Errors that are allowed: 0.01 is one percent.")
    ] = 0,
    precision: Annotated[
        float, typer.Option(metavar="SHARE", help="How closely the rate is found.")
    ] = 0.05,
    connections: Annotated[int, typer.Option(metavar="N", help="Connections at most.")] = 256,
    timeout: Timeout = None,
    output: Output = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Find the greatest rate at which latency holds; exit 1 where not even the first one does.

    Requests are sent when they are due, whatever became of the others, and latency
    counts from then. Rates double until one does not hold, then the bounds are halved.

    [dim]Example:[/dim]
    parkade tester load --endpoint text --cases model-a/test/input_data.json --target-ms 100
    """
    search = testerload.Search(
        aim=Aim(
            target_ms=target_ms,
            share=share_of(quantile),
            first=first,
            last=last,
            precision=precision,
            errors=errors,
        ),
        quantile=quantile,
        step_seconds=step_seconds,
        warm_up=warm_up,
        connections=connections,
    )
    if output is not None:
        testeroutput.prepare(output)
    asked = Asked(
        file=file,
        stage=stage,
        endpoint=endpoint,
        variant=variant,
        route=route,
        cases=cases,
        timeout=timeout,
    )
    told = testerload.carry_out(testerplan.plan(asked), search)
    if output is not None:
        testeroutput.load(output, told)
    if as_json:
        render.machine(told)
    else:
        testerload.show(told)
        if output is not None:
            render.note(f"Report: {output / 'report.html'}")
    if told["greatest"] is None:
        raise typer.Exit(1)


@app.command()
def ls(*, as_json: options.Json = False) -> None:
    """List the testers that the server keeps, and how their last runs went.

    [dim]Example:[/dim] parkade tester ls
    """
    with connect() as client:
        found = client.pages("testers")
    if as_json:
        render.machine(found)
    elif found:
        render.show(testerviews.testers(found))
    else:
        render.note("No testers; add the section tester to parkade.yaml, then: parkade apply")


@app.command()
def show(name: Name, *, as_json: options.Json = False) -> None:
    """Show a tester of the server, and its last run.

    [dim]Example:[/dim] parkade tester show TextClassificationDemo-tester
    """
    with connect() as client:
        view = client.get("testers", name)
    if as_json:
        render.machine(view)
    else:
        render.show(testerviews.facts(view))


def _on_server(name: str) -> dict[str, Any]:
    """Run a tester of the server there; return its report once it is over."""
    with connect() as client, render.working(f"{name}: running on the server") as tell:
        view = client.post("testers", name, "run")
        while view["running_since"]:
            time.sleep(_PERIOD)
            view = client.get("testers", name)
            tell(f"{name}: running on the server")
    last, content = view["last"], view["content"]
    if last is None or not last["report"]:
        why = last["reason"] if last else "nothing is known of it"
        raise StartFailed(
            f"tester {name!r} could not be run: {why}", hint=f"see: parkade tester show {name}"
        )
    return {
        "target": content["route"] or content["endpoint_name"],
        "began_at": last["began_at"],
        "clients": content["clients"],
        "interval_seconds": content["interval_seconds"],
        "duration_seconds": content["duration_seconds"],
        **last["report"],
    }
