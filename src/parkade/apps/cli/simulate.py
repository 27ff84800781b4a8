"""The command simulate: what other rules would have cost, and whom they would have kept waiting."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from parkade.apps.cli import comparison, options, render, sources, views
from parkade.domain.errors import InvalidInput
from parkade.domain.simulation import files, rule
from parkade.domain.simulation.comparison import Comparison, Subject, compare

#: seconds.
_LONGEST_START = 86_400


def simulate(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Invocations as CSV (timestamp,endpoint[,count][,seconds]) or JSON lines; "
            "- for standard input. Without it: those that the server has recorded.",
            show_default=False,
        ),
    ] = None,
    *,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            "-r",
            metavar="RULE",
            help="NAME: and what holds, such as lease=60 back=1 idle=3x5 grace=5 "
            "keep=15/5/120 schedule='mon-fri 09:00-17:00 UTC' sleep=10 start=45; nothing: always "
            "on. May be repeated; without any: a set that shows the trade-off.",
            show_default=False,
        ),
    ] = None,
    teams: Annotated[
        int | None,
        typer.Option(metavar="N", help="Replay so many synthetic teams; needs no server."),
    ] = None,
    days: Annotated[int | None, typer.Option(metavar="N", help="With --teams: days [14].")] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="With --teams: the dice to throw [7].")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the invocations to a new file, to replay later."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Recorded invocations: how far back [14d]."),
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option("--endpoint", "-e", metavar="NAME", help="Only these; may be repeated."),
    ] = None,
    instance_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help=f"What every endpoint runs on; else its own, else {sources.USUAL_TYPE}.",
            show_default=False,
        ),
    ] = None,
    instances: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many of them each endpoint has [1]."),
    ] = None,
    start: Annotated[float, typer.Option(metavar="SECONDS", help="How long a start takes.")] = 60,
    as_json: Annotated[
        bool, options.flag("--json", help="Print JSON, with each endpoint's own results.")
    ] = False,
    as_csv: Annotated[bool, options.flag("--csv", help="Print the table as CSV.")] = False,
) -> None:
    """Show what invocations would have cost under other rules, and who would have waited.

    [dim]Example:[/dim] parkade simulate --teams 5 --rule "hour: lease=60 idle=3x5" --rule "nap: sleep=10"
    """
    _refuse_mixtures(file=file, teams=teams, days=days, seed=seed, since=since)
    if as_json and as_csv:
        raise InvalidInput("--json and --csv are both given", field="csv", hint="give one of them")
    compared = _rules(rules, _start(start))
    prices = sources.Rates.here(instance_type, instances)
    if teams is not None:
        source = sources.of_teams(
            teams, 14 if days is None else days, 7 if seed is None else seed, prices
        )
    elif file is not None:
        source = sources.of_file(file, prices)
    else:
        source = sources.of_server(since or "14d", prices, endpoint or [])
    source = source.only(endpoint or [])
    if write is not None:
        _write(write, source)
    result = compare(source.subjects, compared, source.period)
    if as_json:
        render.machine(comparison.document(result))
    elif as_csv:
        render.line(comparison.lines(result).rstrip("\n"))
    else:
        _show(result, described=teams is not None)


def _show(result: Comparison, *, described: bool) -> None:
    if described:
        rows = (
            (each.endpoint_name, each.words, f"{each.traffic.requests:,}")
            for each in result.subjects
        )
        render.show(views.listing(("Endpoint", "Who uses it", "Requests"), rows))
    render.show("")
    render.show(f"{comparison.about(result)}; {_fleet(result.subjects)}")
    render.show("")
    render.show(comparison.Rules(result))
    render.show("")
    render.show(comparison.reading(result))
    render.show(f"[dim]{comparison.assumptions(result)}[/dim]")


def _fleet(subjects: tuple[Subject, ...]) -> str:
    hourly = {str(each.hourly) for each in subjects}
    if len(hourly) == 1:
        return f"an endpoint costs {hourly.pop()} an hour"
    return "each endpoint at its own price"


def _refuse_mixtures(
    *,
    file: Path | None,
    teams: int | None,
    days: int | None,
    seed: int | None,
    since: str | None,
) -> None:
    if file is not None and teams is not None:
        raise InvalidInput(
            "FILE and --teams are both given", field="teams", hint="give one of them"
        )
    if teams is None and (days is not None or seed is not None):
        option = "days" if days is not None else "seed"
        raise InvalidInput(f"--{option} goes with --teams", field=option, hint="add --teams 5")
    if since is not None and (file is not None or teams is not None):
        raise InvalidInput(
            "--since is about invocations that the server has recorded",
            field="since",
            hint="leave it out, or leave FILE and --teams out",
        )


def _start(seconds: float) -> timedelta:
    if not 0 <= seconds <= _LONGEST_START:
        raise InvalidInput(
            f"--start {seconds:g} is not between 0 and {_LONGEST_START}",
            field="start",
            hint="give it in seconds",
        )
    return timedelta(seconds=seconds)


def _rules(given: list[str] | None, start: timedelta) -> list[rule.Rule]:
    rules = [rule.parse(text, start=start) for text in given or rule.DEFAULTS]
    names = [each.name for each in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(
            f"two rules are called {twice!r}", field="rule", hint="give each a name of its own"
        )
    return rules


def _write(path: Path, source: sources.Source) -> None:
    lines = files.write({each.endpoint_name: each.traffic for each in source.subjects})
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}", field="write", hint="name a new file"
        ) from error
    render.note(f"{path}: written; replay it with: parkade simulate {path}")
