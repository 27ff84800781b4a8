"""The command on a project's dashboard: in the terminal, as JSON, or for Grafana."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from parkade.apps.cli import dashboardview, meant, options, projectfiles, render
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput


class Format(StrEnum):
    """What a dashboard can be written as."""

    GRAFANA = "grafana"
    JSON = "json"


def dashboard(
    *,
    file: meant.File = None,
    stage: meant.Stage = None,
    project: meant.Project = None,
    since: Annotated[
        str, typer.Option("--since", metavar="SPAN", help="How far back: 90m, 3h or 15d.")
    ] = "1h",
    period: Annotated[
        int | None,
        typer.Option(
            "--period", metavar="SECONDS", help="Seconds of a point; else as fits the range."
        ),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="grafana: to be imported there; json: all that is shown. Else it is drawn.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there; else it is printed."),
    ] = None,
    force: Annotated[bool, options.flag("--force", help="Write over what is there.")] = False,
) -> None:
    """Show the dashboard of a project: calls, endpoints, lease and cost, tester, alarms.

    With --format grafana the file is enough: neither a server nor an applied project is needed.

    [dim]Examples:[/dim]
    parkade dashboard --since 3h
    parkade dashboard --format grafana --output shop.json
    """
    if output is not None and form is None:
        raise InvalidInput(
            "--output goes with --format", field="output", hint="add --format grafana, or json"
        )
    if form is Format.GRAFANA and project is None:
        _write(_grafana(file, stage), output, force=force)
        return
    with connect() as client:
        prefix = meant.meant(client, file=file, project=project, stage=stage).prefix
        if form is Format.GRAFANA:
            _write(client.get("projects", prefix, "dashboard", "grafana"), output, force=force)
            return
        asked = options.given(since=since, period=period)
        view = client.get("projects", prefix, "dashboard", **asked)
    if form is Format.JSON:
        _write(view, output, force=force)
    else:
        render.show(dashboardview.Board(view))


def _grafana(file: Path | None, stage: str | None) -> dict[str, Any]:
    """Return the dashboard of a file, whether it was ever applied or not."""
    # The sections of the file take a while to make; other commands need not wait for them.
    from parkade.apps.dashboards import grafana  # noqa: PLC0415
    from parkade.apps.projectfile import clouds  # noqa: PLC0415
    from parkade.apps.projectfile.watched import subject_of  # noqa: PLC0415
    from parkade.domain.dashboard.rows import dashboard as made  # noqa: PLC0415

    here, _ = clouds.embedded(meant.read(file, stage, whole=False).content)
    return grafana.written(made(subject_of(here)))


def _write(value: Any, output: Path | None, *, force: bool) -> None:
    if output is None:
        render.machine(value)
    else:
        projectfiles.write(output, json.dumps(value, indent=2) + "\n", force=force)
        render.note(f"{output}: written")
