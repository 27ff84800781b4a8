"""`sweep`: every minute, the sweep of the control process, within the time that a function has.

What there was no time for is told in the log and as a metric, and is continued at once by another
call of this function, from the first endpoint that was left on; were that lost, the next minute's
sweep would do it. Nothing is remembered between two calls that is not stored.

Asked with `{"from": NAME}` it acts for the endpoints from that name on.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas import figures
from parkade.apps.lambdas.start import Function
from parkade.apps.lambdas.sweeping import HANDS, Lateness, crew, see_to_timers
from parkade.domain.actions import ActionKind
from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from parkade.apps.lambdas.start import Call
    from parkade.apps.lambdas.sweeping import Timers
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.lease import Lease
    from parkade.ports.ticks import Ticks
    from parkade.services.sweep import Sweep, SweepReport

logger = logging.getLogger(__name__)

FROM = "from"
_STARTS = frozenset({ActionKind.START, ActionKind.RECREATE, ActionKind.WAKE})
_STOPS = frozenset({ActionKind.STOP, ActionKind.SLEEP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the sweep works with."""

    sweep: Sweep
    timers: Timers
    #: Writes down what the instances cost since it was last done. Raises nothing that a store raises.
    meter: Callable[[datetime], None]
    #: Forgets what is too old, when it is time for that. Raises nothing that a store raises.
    tidy: Callable[[datetime], None]
    #: Has this function called again, asynchronously, with this event.
    again: Callable[[Mapping[str, Any]], None]
    ticks: Ticks
    project: str
    tell: Callable[[str], None] = figures.tell


class Sweeper:
    """Answers one call."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """Sweep; return what came of it in numbers."""
        means, late = self._means, Lateness(call.left)
        first = str(event.get(FROM, ""))
        began = means.ticks.now()
        report = means.sweep.run(concerns=lambda name: name >= first, crew=crew(late))
        # As they were read: one that was paid for meanwhile has its timer from whoever paid.
        held = {each.lease.endpoint_name: each.lease for each in report.plan.actions if each.lease}
        untimed = self._timers(held.values(), report.plan.now, late)
        if report.left:
            self._continue(report, first)
        elif not late():
            means.meter(report.plan.now)
            means.tidy(report.plan.now)
        return self._told(report, len(held), untimed, means.ticks.now() - began)

    def _timers(self, held: Iterable[Lease], now: datetime, late: Lateness) -> int:
        missing = self._means.timers.missing(held, now)
        with ThreadPoolExecutor(HANDS, thread_name_prefix="timers") as pool:
            return see_to_timers(self._means.timers, missing, late, pool)

    def _continue(self, report: SweepReport, first: str) -> None:
        name = report.left[0].endpoint_name
        if not any(first <= each.endpoint_name < name for each in report.plan.actions):
            # Nothing was begun: what is called again at once would not come further, for ever.
            logger.error("there was no time for any of %d actions", len(report.left))
            return
        logger.warning(
            "there was no time for %d actions; it is continued from %s on", len(report.left), name
        )
        try:
            self._means.again({FROM: name})
        except ParkadeError as error:
            logger.error("the next minute's sweep continues: %s", error)  # noqa: TRY400  no bug

    def _told(self, report: SweepReport, held: int, untimed: int, seconds: float) -> dict[str, Any]:
        numbers: dict[str, float] = {
            "Leases": held,
            "Started": sum(each.kind in _STARTS for each in report.done),
            "Stopped": sum(each.kind in _STOPS for each in report.done),
            "Failed": len(report.failed),
            "Left": len(report.left),
            "Untimed": untimed,
        }
        values = {name: (number, figures.COUNT) for name, number in numbers.items()}
        values["Seconds"] = (seconds, figures.SECONDS)
        self._means.tell(figures.figures(report.plan.now, self._means.project, values))
        return {name.lower(): number for name, number in numbers.items()}


def _build(settings: FunctionSettings) -> Sweeper:
    from parkade.apps.lambdas.meterwork import Ground, Work, ticks  # noqa: PLC0415  at the first call

    work = Work(Ground.of(settings, sweeps=True))
    return Sweeper(
        Means(
            sweep=work.sweep,
            timers=work.timers,
            meter=work.metering,
            tidy=work.tidying,
            again=work.again,
            ticks=ticks(),
            project=settings.project,
        )
    )


handler = Function(_build)
