"""A tester that the server keeps: what it asks, by which schedule, and how its last run went."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from parkade.domain.timing import Timing, require_schedule

if TYPE_CHECKING:
    from parkade.domain.tester.order import Order

#: What is due is done within this time, or not at all: nobody makes up for the runs of a night in
#: which the server was away.
LATE = timedelta(minutes=1)


class Verdict(StrEnum):
    """How a run went."""

    PASSED = "passed"
    FAILED = "failed"
    #: Nothing could be asked, for a reason that lies in Parkade itself or in what is to be asked.
    BROKEN = "broken"
    #: It was not begun.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, or why there was none."""

    began_at: datetime
    ended_at: datetime
    verdict: Verdict
    #: A sentence for people.
    reason: str
    #: Who asked for it: `schedule`, or a token's name.
    by: str
    #: `Report.written`; empty where nothing was asked.
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tester:
    """A tester. `version` counts its writes."""

    name: str
    #: As it was given; `order.read` tells what it says.
    content: Mapping[str, Any]
    created_at: datetime
    #: The newest time of its schedule that has been seen to, or that came before it was made.
    seen_to: datetime
    #: The newest run that asked something, or tried to.
    last: Run | None = None
    #: Why the newest time of its schedule came to nothing; None: it did not.
    skipped: Run | None = None
    version: int = 0

    def due(self, order: Order, now: datetime) -> datetime | None:
        """Return its newest time that has come and was not seen to; None: there is none."""
        if not order.schedule:
            return None
        newest = self._timing(order).newest(now, self.seen_to)
        return newest if newest is not None and newest > self.seen_to else None

    def next_after(self, order: Order, instant: datetime) -> datetime | None:
        """Return its first time after an instant; None: there is none."""
        return self._timing(order).following(instant) if order.schedule else None

    def seen(self, until: datetime) -> Tester:
        """Return it with all its times until then seen to."""
        return replace(self, seen_to=max(self.seen_to, until))

    def ran(self, run: Run) -> Tester:
        """Return it after a run, or after one that came to nothing."""
        if run.verdict is Verdict.SKIPPED:
            return replace(self, skipped=run)
        return replace(self, last=run, skipped=None)

    def _timing(self, order: Order) -> Timing:
        every = require_schedule(order.schedule, order.zone)
        return Timing(schedule=order.schedule, zone=order.zone, first=self.created_at + every)
