"""For each endpoint that the maintainer watches, an alarm that shows what it sees.

It adds up what counts the use of all variants and components, and is in ALARM while that is zero
for as many windows as lead to the ladder's next rung. It is a view and no more: whether something
is stopped is for the plan, which knows more (requests under way, snoozes, what gateways have not
told yet). What is missing is not breaching: what is not known counts as busy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import idlealarm
from parkade.domain.alarm import (
    OWN,
    Alarm,
    Comparison,
    Missing,
    Rule,
    first_standing,
)
from parkade.domain.metricquery import Measured, Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.domain.ladder import Watch
    from parkade.domain.series import Series
    from parkade.ports.clock import Clock
    from parkade.ports.watches import WatchStore
    from parkade.services.alarms import Alarms

#: What its alarms' names begin with.
PREFIX = idlealarm.PREFIX


class IdleAlarms:
    """Makes, changes and removes these alarms."""

    def __init__(self, alarms: Alarms, watches: WatchStore, clock: Clock) -> None:
        self._alarms = alarms
        self._watches = watches
        self._clock = clock

    def follow(self, series: Mapping[str, Sequence[Series]]) -> None:
        """Have an alarm for each endpoint that is watched and runs, and no other.

        `series` are those that count the use of each endpoint that runs, by its name. An alarm
        whose watch cannot be read stays as it is.
        """
        watches = self._watches.all()
        now = self._clock.now()
        wanted = {
            alarm.name: alarm
            for watch in watches.records
            if (alarm := shown(watch, series.get(watch.endpoint_name, ()), now)) is not None
        }
        kept = {PREFIX + name for name in watches.unreadable}
        held = {
            each.name: each
            for each in self._alarms.all().records
            if each.own and each.name.startswith(PREFIX)
        }
        gone = held.keys() - wanted.keys() - kept
        if gone:
            self._alarms.remove(sorted(gone), OWN, own=True)
        for name, alarm in wanted.items():
            former = held.get(name)
            if former is None or not _same(former, alarm):
                self._alarms.put(alarm, OWN)


def shown(watch: Watch, series: Sequence[Series], now: datetime) -> Alarm | None:
    """Return the alarm of a watched endpoint; None where there is nothing that it could show."""
    span = idlealarm.windows(watch.rules)
    if span is None or not series:
        return None
    seconds, periods = span
    ids = [f"m{number}" for number in range(len(series))]
    measured = [
        Query(
            id=each,
            measured=Measured(series=of, period=seconds, statistic="Sum"),
            returned=False,
        )
        for each, of in zip(ids, series, strict=True)
    ]
    # A sum by `+` is known where all of them are, and nowhere else.
    total = Query(id="use", expression=" + ".join(ids), label="Invocations of all variants")
    return Alarm(
        name=PREFIX + watch.endpoint_name,
        rule=Rule(
            comparison=Comparison.AT_MOST,
            threshold=0.0,
            periods=periods,
            datapoints=periods,
            missing=Missing.NOT_BREACHING,
        ),
        queries=(*measured, total),
        standing=first_standing(now),
        configured_at=now,
        description=idlealarm.words(watch.endpoint_name, seconds * periods, watch.by),
        plain=False,
        owner=OWN,
        endpoint_name=watch.endpoint_name,
    )


def _same(held: Alarm, wanted: Alarm) -> bool:
    """Tell whether an alarm is as it should be, whatever its state."""
    return held == replace(
        wanted,
        standing=held.standing,
        configured_at=held.configured_at,
        version=held.version,
        tags=held.tags,
    )
