"""What scaling policies see: the points of their metrics, and the alarms that name them.

Nothing is taken for known that may be missing: periods that are not stored as a whole yet have no
point, and of what is counted at the gateways nothing is low that was counted before a gap.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.domain.evaluation import Datum, verdict
from parkade.domain.judgement import span
from parkade.domain.scaling import tracking
from parkade.domain.scaling.stepping import Alarmed
from parkade.services import periods
from parkade.services.periods import Asked
from parkade.services.scalingalarms import acting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.alarm import Alarm
    from parkade.domain.scaling.policy import Policy
    from parkade.ports.metrics import MetricStore
    from parkade.services.metricqueries import MetricQueries
    from parkade.services.scalingalarms import ScalingAlarms

_ALARM = "alarm:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certain:
    """What of the measurements is whole: since a gap in the counting, up to what is stored."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of some policies, by `Policy.key`."""

    certain: Certain | None
    data: Mapping[str, Sequence[Datum]] = field(default_factory=dict)
    alarmed: Mapping[str, Sequence[Alarmed]] = field(default_factory=dict)
    #: Why something could not be seen.
    troubles: Mapping[str, str] = field(default_factory=dict)


class Looking:
    """Reads points and alarms; `certain` tells what of them is whole, None: nothing is."""

    def __init__(
        self,
        store: MetricStore,
        queries: MetricQueries,
        alarms: ScalingAlarms,
        certain: Callable[[], Certain | None],
    ) -> None:
        self._store = store
        self._queries = queries
        self._alarms = alarms
        self._certain = certain

    def look(self, policies: Sequence[Policy], now: datetime) -> Sight:
        """Return what there is to see. For a thread: it reads the points of all at once."""
        certain = self._certain()
        stepping = {policy.key for policy in policies if policy.steps is not None}
        try:
            named = self._named(stepping)
            if certain is None:
                asked, read = [], periods.Read(data={}, troubles={})
            else:
                asked = [*_tracked(policies), *_watched(named)]
                read = periods.read(asked, now, self._store, self._queries)
        except ParkadeError as error:
            why = {policy.key: error.message for policy in policies}
            return Sight(certain=certain, troubles=why)
        return Sight(
            certain=certain,
            data={
                each.key: _whole(read.data[each.key], each.period, certain)
                for each in asked
                if each.key in read.data
            },
            alarmed={
                key: [_alarmed(alarm, read.data.get(_ALARM + alarm.name, ())) for alarm in alarms]
                for key, alarms in named.items()
            },
            troubles=read.troubles,
        )

    def _named(self, keys: set[str]) -> Mapping[str, Sequence[Alarm]]:
        """Return the alarms in a state whose actions name one of these policies, by its key."""
        if not keys:
            return {}
        found: defaultdict[str, list[Alarm]] = defaultdict(list)
        for key, alarms in self._alarms.naming().items():
            if key in keys:
                found[key] += [alarm for alarm in alarms if acting(alarm, key)]
        return found


def _whole(data: Sequence[Datum], period: int, certain: Certain | None) -> Sequence[Datum]:
    """Return the periods; those that may not be stored as a whole yet have no point."""
    if certain is None:
        return ()
    last = certain.until - timedelta(seconds=period)
    return [each if each.at <= last else Datum(each.at, None) for each in data]


def _tracked(policies: Sequence[Policy]) -> list[Asked]:
    found = []
    for policy in policies:
        if policy.tracking is None:
            continue
        period = policy.tracking.period(policy.resource)
        found.append(
            Asked(
                key=policy.key,
                queries=policy.tracking.queries(policy.resource),
                period=period,
                periods=tracking.looked_at(policy.tracking, period),
            )
        )
    return found


def _watched(named: Mapping[str, Sequence[Alarm]]) -> list[Asked]:
    alarms = {alarm.name: alarm for some in named.values() for alarm in some}
    return [
        Asked(key=_ALARM + name, queries=alarm.queries, period=alarm.period, periods=span(alarm))
        for name, alarm in alarms.items()
    ]


def _alarmed(alarm: Alarm, data: Sequence[Datum]) -> Alarmed:
    evaluated = verdict(alarm.rule, data).evaluated if data else ()
    return Alarmed(
        name=alarm.name,
        state=alarm.standing.state,
        threshold=alarm.rule.threshold,
        values=[each.value for each in evaluated if each.value is not None],
    )
