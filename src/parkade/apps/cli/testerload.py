"""Load in steps from here: sent, shown as it goes, and what the greatest rate that holds costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import uvloop

from parkade.adapters.system.clock import SystemClock
from parkade.adapters.system.ticks import SystemTicks
from parkade.apps.cli import render, testerviews
from parkade.apps.cli.session import connect
from parkade.domain import load
from parkade.domain.errors import InvalidInput, ParkadeError
from parkade.domain.event import written
from parkade.services.testing.loading import Load

if TYPE_CHECKING:
    from parkade.apps.cli.testerplan import Plan
    from parkade.domain.load import Aim, Judged

_MILLION, _HOUR = 1_000_000, 3600
#: Seconds.
LONGEST_STEP = 3600.0
MOST_CONNECTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the greatest rate is looked for."""

    aim: Aim
    #: As it was asked for: `p99`.
    quantile: str
    step_seconds: float
    warm_up: float
    connections: int

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("step-seconds", self.step_seconds, 0.1, LONGEST_STEP),
            ("warm-up", self.warm_up, 0.0, LONGEST_STEP),
            ("connections", self.connections, 1, MOST_CONNECTIONS),
        ):
            if not least <= value <= most:
                raise InvalidInput(
                    f"--{name} {value:g} is not possible",
                    field=name,
                    hint=f"give {least:g} to {most:g}",
                )


def carry_out(plan: Plan, search: Search) -> dict[str, Any]:
    """Search to the end, or until Ctrl-C; return what was found with what it costs."""
    began = written(SystemClock().now().replace(microsecond=0))
    steps: list[Judged] = []
    interrupted = False
    try:
        uvloop.run(_search(plan, search, steps))
    except KeyboardInterrupt:
        interrupted = True
    best = load.greatest(steps)
    told = [load.written(each) for each in steps]
    notes = [*(["It was ended before the search was over."] if interrupted else [])]
    cost, machines = _cost(plan, best, notes)
    return {
        "target": plan.title,
        "began_at": began,
        "target_ms": search.aim.target_ms,
        "quantile": search.quantile,
        "step_seconds": search.step_seconds,
        "warm_up_seconds": search.warm_up,
        "verdict": load.verdict(search.aim, steps),
        "client_limited": any(each["client_limited"] for each in told),
        "machines": machines,
        "greatest": load.written(best) | cost if best else None,
        "steps": told,
        "notes": notes,
    }


async def _search(plan: Plan, search: Search, steps: list[Judged]) -> None:
    address = plan.address()
    sender = Load(
        plan.cases,
        lambda: plan.caller(address),
        SystemTicks(),
        share=search.aim.share,
        connections=search.connections,
    )
    try:
        with render.working(f"{plan.title}: load") as tell:
            while (rate := load.following(search.aim, steps)) is not None:
                tell(f"{plan.title}: {rate:g} requests a second, step {len(steps) + 1}")
                found = await sender.step(rate, search.step_seconds, search.warm_up)
                steps.append(load.judged(search.aim, found))
    finally:
        await sender.close()


def _cost(plan: Plan, best: Judged | None, notes: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return what the greatest rate costs, and on what it ran; what is not known is a note."""
    nothing: dict[str, Any] = {"usd_per_hour": None, "usd_per_million": None}
    try:
        with connect() as client:
            endpoint = plan.endpoint or next(
                (
                    each["endpoint_name"]
                    for each in client.pages("routes")
                    if each["path"] == plan.route
                ),
                "",
            )
            fleets = client.get("endpoints", endpoint).get("fleets") if endpoint else None
    except ParkadeError as error:
        notes.append(f"What it costs is not known: {error.message}")
        return nothing, []
    if not fleets:
        notes.append("What it costs is not known: nothing is told of its fleets")
        return nothing, []
    machines = [machine for each in fleets["fleets"] for machine in each["machines"]]
    notes.append("It ran on " + ", ".join(machines))
    if fleets["hourly"]["unpriced"]:
        unpriced = ", ".join(fleets["hourly"]["unpriced"])
        notes.append(f"What it costs is not known: {unpriced} has no price; see: parkade prices")
        return nothing, machines
    hourly = Decimal(fleets["hourly"]["usd"])
    if best is None:
        return nothing, machines
    million = hourly / Decimal(best.finding.rate * _HOUR) * _MILLION
    per_million = f"{million:.2g}" if million < 1 else f"{million:.2f}"
    per_million = f"{Decimal(per_million):f}"
    notes.append(f"{hourly:f} USD an hour, {per_million} USD a million requests at that rate")
    return {"usd_per_hour": f"{hourly:f}", "usd_per_million": per_million}, machines


def show(told: dict[str, Any]) -> None:
    """Print what was found."""
    if told["steps"]:
        render.show(testerviews.load(told))
    render.say(f"{told['target']}, {told['quantile']}: {told['verdict']}")
    for each in told["notes"]:
        render.say(each)
