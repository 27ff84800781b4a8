"""The command on alarms."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from parkade.apps.cli import clouds, options, render, views
from parkade.apps.cli.client import Client
from parkade.apps.cli.session import connect

_PAGE = 1000
_SIGNS = {
    "ALARM": ("\u2717 ALARM", "bold red"),
    "OK": ("\u25cf OK", "green"),
    "INSUFFICIENT_DATA": ("\u25cb no data", "dim"),
}


def alarms(
    endpoint: Annotated[
        str | None,
        typer.Argument(metavar="[ENDPOINT]", help="Only alarms on this endpoint."),
    ] = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Show the alarms: their states, since when, what they are on, and why.

    CloudWatch's own API makes them (put_metric_alarm). For each endpoint that is watched for idleness
    there is one of Parkade's own: parkade-idle/ENDPOINT.

    [dim]Examples:[/dim]
    parkade alarms
    parkade alarms text --json
    """
    with connect() as client:
        found, unreadable = _all(client, endpoint)
    if as_json:
        render.machine({"alarms": found, "unreadable": unreadable})
        return
    if found:
        render.show(table(found))
    else:
        where = f" on {endpoint}" if endpoint else ""
        on_aws = clouds.chosen().cloud is clouds.Cloud.AWS
        how = "aws cloudwatch put-metric-alarm" + ("" if on_aws else ", see parkade env --aws")
        render.note(f"There is no alarm{where}; make one with: {how}")
    for name, why in unreadable.items():
        render.note(f"{name} is left alone: {why}")


def _all(client: Client, endpoint: str | None) -> tuple[list[Any], dict[str, str]]:
    found: list[Any] = []
    after = ""
    while True:
        asked = {"endpoint": endpoint} if endpoint else {}
        page = client.get("alarms", after=after, limit=_PAGE, **asked)
        found += page["alarms"]
        after = page["next"] or ""
        if not after:
            return found, page["unreadable"]


def table(found: list[Any]) -> Table:
    """Draw alarms: names and states stay whole, what they are on and why is folded."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    drawn.add_column("Alarm", overflow="fold", style="bold")
    drawn.add_column("State", no_wrap=True)
    drawn.add_column("On what, since when, and why", overflow="fold", ratio=1)
    for each in found:
        why = f"cannot be evaluated: {each['trouble']}" if each["trouble"] else each["reason"]
        drawn.add_row(
            Text(each["name"]),
            state(each),
            Text.assemble(
                each["watches"], "\n", (f"since {views.instant(each['since'])}: {why}", "dim")
            ),
        )
    return drawn


def state(alarm: dict[str, Any]) -> Text:
    """Write the state of an alarm with its sign."""
    sign, style = _SIGNS[alarm["state"]]
    return Text(sign, style=style)
