"""Commands on sleep: when an endpoint sleeps, that it is to now, and waking it."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from parkade.apps.cli import amounts, options, render, views, waiting
from parkade.apps.cli.session import connect
from parkade.domain.errors import InvalidInput
from parkade.domain.spans import duration

_Number = float | None


def _option(spelling: str, metavar: str, help: str) -> Any:  # noqa: A002  Typer's own word
    return typer.Option(spelling, metavar=metavar, help=help, show_default=False)


def sleep(
    endpoint: options.Endpoint,
    after: Annotated[
        _Number, _option("--after", "N", "Minutes without use after which it sleeps.")
    ] = None,
    hold: Annotated[
        _Number,
        _option("--hold", "S", "Seconds for which callers who say nothing are held; else 0."),
    ] = None,
    wake_minutes: Annotated[
        _Number,
        _option("--wake-minutes", "N", "Minutes that a request buys once the lease has run out."),
    ] = None,
    wake_at_most: Annotated[
        _Number,
        _option("--wake-at-most", "N", "Minutes that requests buy, until a person pays again."),
    ] = None,
    *,
    pause_clock: Annotated[
        bool | None,
        typer.Option(
            "--pause-clock/--run-clock",
            help="Whether its lease's clock stands still while it sleeps; else it goes on.",
            show_default=False,
        ),
    ] = None,
    now: Annotated[bool, options.flag("--now", help="Put it to sleep now.")] = False,
    off: Annotated[
        bool, options.flag("--off", help="Let it sleep no more; no request buys time.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Let an endpoint sleep while nobody uses it: no workers, until the next request.

    Without options it shows what is settled. What is left out stays as it is.

    [dim]Examples:[/dim]
    parkade sleep text --after 10
    parkade sleep text --after 10 --pause-clock --hold 20
    parkade sleep text --wake-minutes 15 --wake-at-most 60
    parkade sleep text --now
    """
    form = options.given(
        after_minutes=options.minutes(after),
        pause_clock=pause_clock,
        hold_seconds=options.minutes(hold),
        wake=_wake(endpoint, wake_minutes, wake_at_most),
    )
    if off and (form or now):
        raise InvalidInput(
            "--off excludes all other options", field="off", hint=f"parkade sleep {endpoint} --off"
        )
    with connect() as client:
        if off:
            client.delete("endpoints", endpoint, "sleep")
        if form:
            client.put("endpoints", endpoint, "sleep", body=form)
        if now:
            client.post("endpoints", endpoint, "sleep")
        view = client.get("endpoints", endpoint, "sleep")
    if as_json:
        render.machine(view)
    else:
        render.say(f"{endpoint}: {words(view)}")


def wake(
    endpoint: options.Endpoint, *, wait: options.Wait = False, as_json: options.Json = False
) -> None:
    """Wake an endpoint that is asleep.

    [dim]Example:[/dim] parkade wake text --wait
    """
    with connect() as client:
        lease = client.post("endpoints", endpoint, "wake")
        if wait:
            waiting.until_running(client, endpoint, asked=True)
            lease = client.get("leases", endpoint)
    if as_json:
        render.machine(lease)
    else:
        stands = "asked for" if lease["wakes"] else lease["reason"]
        render.say(f"{endpoint}: {stands}{views.still(lease)}")


def _wake(endpoint: str, minutes: _Number, at_most: _Number) -> dict[str, Any] | None:
    wake = options.given(minutes=options.minutes(minutes), at_most_minutes=options.minutes(at_most))
    if len(wake) == 1:
        raise InvalidInput(
            "--wake-minutes and --wake-at-most go together",
            field="wake",
            hint=f"parkade sleep {endpoint} --wake-minutes 15 --wake-at-most 60",
        )
    return wake or None


def words(view: dict[str, Any]) -> str:
    """Tell how an endpoint sleeps, in a sentence."""
    told = []
    if view["asleep_since"] is not None:
        told.append(f"asleep {asleep(view)}")
    settled = view["sleep"]
    told.append("it does not sleep by itself" if settled is None else of_sleep(settled))
    if view["wake"] is not None:
        bought = timedelta(minutes=view["woken_minutes"])
        told.append(f"{of_wake(view['wake'])}{f', {duration(bought)} so far' if bought else ''}")
    if settled is None and view["wake"] is None and view["asleep_since"] is None:
        told.append("settle it with: --after 10")
    return "; ".join(told)


def asleep(view: dict[str, Any]) -> str:
    """Tell for how long it has been asleep, and what that saves."""
    for_long = duration(timedelta(seconds=view["asleep_seconds"]))
    told = f"for {for_long}, since {views.instant(view['asleep_since'])}"
    if view["clock_paused"]:
        told += ", with its clock paused"
    if view["wanted_at"]:
        told += ", and asked for"
    if view["saved"] is not None:
        told += f": {amounts.whole(view['saved'])} saved"
    return told


def of_sleep(settled: dict[str, Any]) -> str:
    """Tell when it sleeps, and how."""
    after = settled["after_minutes"]
    told = "sleeps when it is told to"
    if after is not None:
        told = f"sleeps after {duration(timedelta(minutes=after))} without use"
    if settled["pause_clock"]:
        told += ", its clock paused"
    if settled["hold_seconds"]:
        held = duration(timedelta(seconds=settled["hold_seconds"]))
        told += f", callers held for {held}"
    return told


def of_wake(settled: dict[str, Any]) -> str:
    """Tell what requests buy once its lease has run out."""
    minutes, at_most = (
        duration(timedelta(minutes=settled[name])) for name in ("minutes", "at_most_minutes")
    )
    return f"once over, a request buys {minutes}, {at_most} at most"
