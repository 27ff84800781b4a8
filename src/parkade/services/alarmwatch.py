"""Looks at alarms when they are due, and settles the state that their points ask for.

An alarm is looked at once in each of its periods, or once a minute where these are longer, when what
was measured in the period that is over has arrived: as soon as all of it is known to be stored
(`whole`), or else after some time (`lag`). The points of all that are due are read at once. What
cannot be read changes no state: it is written to the history once, until it can be read again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError, VersionConflict
from parkade.domain.event import Event
from parkade.domain.judgement import judged, span
from parkade.domain.statistics import begin
from parkade.services import periods
from parkade.services.alarms import MONITOR, endpoint_of
from parkade.services.periods import Asked, Read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.alarm import Alarm
    from parkade.domain.evaluation import Datum
    from parkade.ports.events import History
    from parkade.ports.metrics import MetricStore
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
        store: MetricStore,
        queries: MetricQueries,
        history: History,
        *,
        lag: timedelta = timedelta(seconds=5),
        whole: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """Take where to read, and from when on it is there.

        `whole` tells up to when everything is stored, None: it is not known; after `lag`, what is
        not stored is taken for missing.
        """
        self._alarms = alarms
        self._store = store
        self._queries = queries
        self._history = history
        self._lag = lag
        self._whole = whole
        #: The period that each was last looked at in, and when it was put.
        self._seen: dict[str, tuple[datetime, datetime]] = {}
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why alarms could not be evaluated when they were last looked at, by name."""
        return self._troubles

    def look(self, now: datetime) -> datetime:
        """Look at what is due; return when to come again."""
        over = self._over(now)
        found = self._alarms.all()
        for name, why in found.unreadable.items():
            self._trouble(name, "", why, now)
        names = {alarm.name for alarm in found.records}
        self._seen = {name: at for name, at in self._seen.items() if name in names}
        for name in self._troubles.keys() - names - found.unreadable.keys():
            del self._troubles[name]
        due = []
        for alarm in found.records:
            # One that was put anew is looked at at once; and a clock that was set back makes
            # nothing wait until it has caught up.
            look = begin(over, alarm.each), alarm.configured_at
            if self._seen.get(alarm.name) != look:
                self._seen[alarm.name] = look
                due.append(alarm)
        read = self._read(due, over)
        for alarm in due:
            if alarm.name in read.troubles:
                self._trouble(alarm.name, endpoint_of(alarm), read.troubles[alarm.name], now)
            else:
                self._evaluate(alarm, read.data[alarm.name], now)
        return self._after(over)

    def again(self, now: datetime) -> datetime:
        """Return when to look again at the latest; `whole` may allow it earlier."""
        return self._after(self._over(now))

    def _after(self, over: datetime) -> datetime:
        return begin(over, int(SOON.total_seconds())) + SOON + self._lag

    def _over(self, now: datetime) -> datetime:
        """Return the instant before which all that will arrive has arrived."""
        after_all = now - self._lag
        whole = self._whole()
        # A clock that was set back leaves behind what was said of a time that is yet to come.
        return max(after_all, whole) if whole is not None and whole <= now else after_all

    def _read(self, due: Sequence[Alarm], over: datetime) -> Read:
        """Return what there is of the evaluation ranges, whose last period is over."""
        asked = [
            Asked(key=alarm.name, queries=alarm.queries, period=alarm.period, periods=span(alarm))
            for alarm in due
        ]
        try:
            return periods.read(asked, over, self._store, self._queries)
        except ParkadeError as error:
            return Read(data={}, troubles={alarm.name: error.message for alarm in due})

    def _evaluate(self, alarm: Alarm, data: Sequence[Datum], now: datetime) -> None:
        try:
            changed = judged(alarm, data, now)
            if changed is not None:
                self._alarms.settle(alarm, changed)
        except VersionConflict:
            self._seen.pop(alarm.name, None)  # somebody has changed it: it is looked at again
        except ParkadeError as error:
            self._trouble(alarm.name, endpoint_of(alarm), error.message, now)
        except Exception:
            logger.exception("bug while alarm %s was evaluated", alarm.name)
            self._trouble(alarm.name, endpoint_of(alarm), periods.FAULT, now)
        else:
            self._troubles.pop(alarm.name, None)

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
