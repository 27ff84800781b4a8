"""Looks at alarms when they are due, and settles the state that their points ask for.

An alarm is looked at once in each of its periods, or once a minute where these are longer, some
time (`lag`) after the period is over, so that what was measured in it has arrived. What cannot be
read changes no state: it is written to the history once, until it can be read again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ParkadeError, VersionConflict
from parkade.domain.evaluation import Datum
from parkade.domain.event import Event
from parkade.domain.judgement import judged, span
from parkade.domain.statistics import begin
from parkade.services.alarms import MONITOR, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from parkade.domain.alarm import Alarm
    from parkade.ports.events import History
    from parkade.services.alarms import Alarms
    from parkade.services.metricqueries import MetricQueries

logger = logging.getLogger(__name__)

#: Alarms that somebody puts are looked at after so long at the latest.
SOON = timedelta(seconds=10)


class AlarmWatch:
    """One look after the other; used by one thread."""

    def __init__(
        self,
        alarms: Alarms,
        queries: MetricQueries,
        history: History,
        *,
        lag: Callable[[], timedelta] = lambda: timedelta(seconds=5),
    ) -> None:
        self._alarms = alarms
        self._queries = queries
        self._history = history
        self._lag = lag
        #: The period that each was last looked at in, and when it was put.
        self._seen: dict[str, tuple[datetime, datetime]] = {}
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why alarms could not be evaluated when they were last looked at, by name."""
        return self._troubles

    def look(self, now: datetime) -> datetime:
        """Look at what is due; return when to come again."""
        over = now - self._lag()
        found = self._alarms.all()
        for name, why in found.unreadable.items():
            self._trouble(name, "", why, now)
        names = {alarm.name for alarm in found.records}
        self._seen = {name: at for name, at in self._seen.items() if name in names}
        for name in self._troubles.keys() - names - found.unreadable.keys():
            del self._troubles[name]
        for alarm in found.records:
            # One that was put anew is looked at at once; and a clock that was set back makes
            # nothing wait until it has caught up.
            look = begin(over, alarm.each), alarm.configured_at
            if self._seen.get(alarm.name) != look:
                self._seen[alarm.name] = look
                self._evaluate(alarm, over, now)
        return self.again(now)

    def again(self, now: datetime) -> datetime:
        """Return when to look again."""
        over = now - self._lag()
        return begin(over, int(SOON.total_seconds())) + SOON + self._lag()

    def _evaluate(self, alarm: Alarm, over: datetime, now: datetime) -> None:
        try:
            changed = judged(alarm, self._data(alarm, over), now)
            if changed is not None:
                self._alarms.settle(alarm, changed)
        except VersionConflict:
            self._seen.pop(alarm.name, None)  # somebody has changed it: it is looked at again
        except ParkadeError as error:
            self._trouble(alarm.name, endpoint_of(alarm), error.message, now)
        except Exception:
            # Whatever somebody's expression brings to light, the other alarms are looked at.
            logger.exception("bug while alarm %s was evaluated", alarm.name)
            why = "of a fault in Parkade itself, which logs/control.log tells"
            self._trouble(alarm.name, endpoint_of(alarm), why, now)
        else:
            self._troubles.pop(alarm.name, None)

    def _data(self, alarm: Alarm, over: datetime) -> list[Datum]:
        """Return what there is of the evaluation range, whose last period is over."""
        step = timedelta(seconds=alarm.period)
        end = begin(over, alarm.period)
        start = end - step * span(alarm)
        (result,) = self._queries.answer(alarm.queries, start, end)
        if result.unreadable is not None:
            raise result.unreadable
        if len(result.lines) != 1:
            raise InvalidInput(
                f"the expression of alarm {alarm.name!r} gives {len(result.lines)} time series",
                field="Metrics",
                hint="watch one: SUM, MAX or the like makes one of several",
            )
        line = result.lines[0]
        instants = (start + step * count for count in range(span(alarm)))
        return [Datum(at, line.values.get(at), line.samples.get(at)) for at in instants]

    def _trouble(self, name: str, endpoint_name: str, why: str, now: datetime) -> None:
        if self._troubles.get(name) == why:
            return
        logger.warning("alarm %s cannot be evaluated: %s", name, why)
        self._history.append(
            Event(
                at=now,
                kind="alarm.unknown",
                actor=MONITOR,
                reason=f"alarm {name} cannot be evaluated, and stays as it is: {why}",
                endpoint_name=endpoint_name,
                data={"name": name},
            )
        )
        self._troubles[name] = why
