"""`parkade pipeline run`: the steps from a change to what serves, as CI runs them."""

from pathlib import Path
from typing import Annotated

import typer

from parkade.apps.cli import deliveryviews, meant, options, render
from parkade.apps.cli.session import connect

app = typer.Typer(
    no_args_is_help=True, help="Deliver a project: test, pack, apply, try, promote or roll back."
)


@app.command()
def run(
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write pipeline.json there, and the tester's report.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Test the models, pack, apply, run the tester; promote what it finds good, or roll back.

    Nobody is asked: it is what CI runs. Nothing is changed before the models' own cases are as expected;
    exit status 1 where a step fails. An update in stages is tried while both fleets serve.

    [dim]Example:[/dim] parkade pipeline run --stage prod --output report
    """
    # What reads files takes a while to load; other commands need not wait for it.
    from parkade.apps.cli import delivery  # noqa: PLC0415

    if output is not None:
        deliveryviews.prepare(output)
    with connect() as client:
        report = delivery.Delivery(client, meant.found(file), stage).carry_out()
    if output is not None:
        deliveryviews.write(output, report)
    if as_json:
        render.machine(report.written())
    else:
        render.show(deliveryviews.table(report))
        render.say(f"{report.project}: {report.summary}")
        if output is not None:
            render.note(f"Report: {output / deliveryviews.FILE}")
    if not report.passed:
        raise typer.Exit(1)
