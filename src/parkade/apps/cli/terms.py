"""Commands on what is settled about a leased endpoint: keep, schedule."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import options, render, sleep, views
from parkade.apps.cli.session import connect
from parkade.domain import schedule as office_hours
from parkade.domain.errors import InvalidInput
from parkade.domain.spans import duration

_Minutes = float | None


def _minutes(spelling: str, help: str) -> Any:  # noqa: A002  Typer's own word
    return typer.Option(spelling, metavar="N", help=help, show_default=False)


Off = Annotated[bool, options.flag("--off", help="Settle nothing of the kind any more.")]


def keep(
    endpoint: options.Endpoint,
    by: Annotated[_Minutes, _minutes("--by", "Minutes that are added at a time.")] = None,
    when_left: Annotated[
        _Minutes,
        _minutes("--when-left", "Minutes left when they are added, if it was used within them."),
    ] = None,
    at_most: Annotated[
        _Minutes, _minutes("--at-most", "Minutes beyond the paid time, at most.")
    ] = None,
    *,
    off: Off = False,
    as_json: options.Json = False,
) -> None:
    """Let use extend a lease: while requests come, it does not run out, up to a limit.

    Without options it shows what is settled. The server bounds it by keep.at_most_minutes.

    [dim]Examples:[/dim]
    parkade keep text --by 15 --when-left 5 --at-most 120
    parkade keep text --off
    """
    form = options.given(
        by_minutes=options.minutes(by),
        when_left_minutes=options.minutes(when_left),
        at_most_minutes=options.minutes(at_most),
    )
    if form and (off or len(form) < 3):
        raise InvalidInput(
            "--by, --when-left and --at-most go together, and without --off",
            field="keep",
            hint=f"parkade keep {endpoint} --by 15 --when-left 5 --at-most 120",
        )
    _settle(endpoint, {"keep": form or None} if form or off else {}, "keep", as_json=as_json)


def schedule(
    endpoint: options.Endpoint,
    hours: Annotated[
        str | None,
        typer.Argument(
            metavar="HOURS",
            help='Days, times and a zone: "mon-fri 09:00-17:00 Europe/Berlin".',
            show_default=False,
        ),
    ] = None,
    *,
    off: Off = False,
    as_json: options.Json = False,
) -> None:
    """Run a leased endpoint in office hours: warm when they begin, over when they end.

    Without HOURS it shows what is settled. Outside of the hours it runs for coins alone.

    [dim]Examples:[/dim]
    parkade schedule text "mon-fri 09:00-17:00 Europe/Berlin"
    parkade schedule text "mon,wed 09:00-12:00,13:00-17:00; fri 22:00-06:00 UTC"
    parkade schedule text --off
    """
    if hours is not None and off:
        raise InvalidInput(
            "HOURS and --off exclude each other", field="schedule", hint="give one of them"
        )
    if hours is not None:
        office_hours.parse(hours, field="HOURS")
    form = {"schedule": hours} if hours is not None or off else {}
    _settle(endpoint, form, "schedule", as_json=as_json)


def _settle(endpoint: str, form: dict[str, Any], part: str, *, as_json: bool) -> None:
    """Settle what is given, if anything, and show what is settled then."""
    with connect() as client:
        if form:
            terms = client.put("leases", endpoint, "terms", body=form)
        else:
            terms = client.get("leases", endpoint, "terms")
    if as_json:
        render.machine(terms)
    else:
        words = dict(facts(terms)).get(part)
        render.say(f"{endpoint}: {words}" if words else f"{endpoint}: {_NOTHING[part]}")


_NOTHING = {
    "keep": "use adds no time; settle it with: --by 15 --when-left 5 --at-most 120",
    "schedule": 'no office hours; set them with: "mon-fri 09:00-17:00 Europe/Berlin"',
}


def facts(terms: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is settled, each by its name, in words."""
    found = []
    if (keeps := terms["keep"]) is not None:
        by, when_left, at_most = (
            duration(timedelta(minutes=keeps[f"{name}_minutes"]))
            for name in ("by", "when_left", "at_most")
        )
        found.append(("keep", f"use adds {by} when {when_left} are left, {at_most} at most"))
    if (hours := terms["schedule"]) is not None:
        found.append(("schedule", f"{hours['hours']}, {_open(hours)}"))
    if (sleeps := terms["sleep"]) is not None:
        found.append(("sleep", sleep.of_sleep(sleeps)))
    if (wakes := terms["wake"]) is not None:
        found.append(("wake", sleep.of_wake(wakes)))
    return found


def _open(hours: dict[str, Any]) -> str:
    if hours["problem"]:
        return f"which cannot be read any more: {hours['problem']}"
    if hours["open_until"]:
        return f"open until {views.instant(hours['open_until'])}"
    return f"opens {views.instant(hours['opens_at'])}" if hours["opens_at"] else "closed"
