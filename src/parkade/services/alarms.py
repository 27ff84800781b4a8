"""The alarms that there are: put, shown, set and removed.

What a change of state leads to is told by `AlarmActions`. Parkade's own alarms are seen like all
others, and changed by nobody but their services (idlealarms.py, scalingalarms.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parkade.domain import alarm as alarms
from parkade.domain import metricquery
from parkade.domain.alarmshapes import detail, series_of
from parkade.domain.errors import AlarmNotFound, Forbidden, InvalidInput, NotFound, Unreadable
from parkade.domain.event import Event
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parkade.domain.alarm import Alarm, Standing, State
    from parkade.domain.event import Json
    from parkade.domain.metricquery import Query
    from parkade.ports.alarms import AlarmStore
    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock

#: Who is written down as the cause of a change of state.
MONITOR = "monitor"


class Alarms:
    """Reads and writes alarms. `told` is called after each change of a state, with the former."""

    def __init__(
        self,
        store: AlarmStore,
        *,
        clock: Clock,
        told: Callable[[Alarm, Standing], None] = lambda _alarm, _before: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._told = told

    def all(self) -> Listing[Alarm]:
        """Return all alarms in the order of names, and why others cannot be read."""
        return self._store.all()

    def get(self, name: str) -> Alarm:
        """Return the alarm. Raises AlarmNotFound, Unreadable."""
        return self._store.get(name)

    @contended
    def put(self, alarm: Alarm, actor: str) -> Alarm:
        """Store the alarm, over the one of its name, whose state and tags it takes over.

        Raises InvalidInput for one that cannot be evaluated, Forbidden over one of Parkade's own.
        """
        check(alarm)
        former = self._former(alarm.name)
        if former is not None and former.own and not alarm.own:
            raise _own(former)
        event = self._event(
            "alarm.put",
            alarm,
            f"alarm {alarm.name} was {'changed' if former else 'made'}: {words(alarm)}",
            actor,
        )
        if former is not None:
            alarm = replace(
                alarm, standing=former.standing, tags=former.tags, version=former.version
            )
        return self._store.put(alarm, event)

    def remove(self, names: Iterable[str], actor: str, *, own: bool = False) -> None:
        """Remove alarms; damaged ones, too. Those that are not there count as removed.

        Raises Forbidden for Parkade's own, with nothing removed, unless `own` says that it is
        Parkade who asks.
        """
        wanted = list(dict.fromkeys(names))
        found = [former for name in wanted if (former := self._former(name)) is not None]
        refused = next((each for each in found if each.own), None)
        if refused is not None and not own:
            raise _own(refused)
        known = {each.name: each for each in found}
        for name in wanted:
            event = Event(
                at=self._clock.now(),
                kind="alarm.removed",
                actor=actor,
                reason=f"alarm {name} was removed",
                endpoint_name=endpoint_of(known[name]) if name in known else "",
                data={"name": name},
            )
            try:
                self._store.remove(name, event)
            except AlarmNotFound:
                continue  # it is not there, as was asked

    @contended
    def set_state(self, name: str, state: State, reason: str, data: str, actor: str) -> None:
        """Put an alarm into a state until it is next looked at. Raises AlarmNotFound."""
        alarm = self._store.get(name)
        self.settle(alarm, alarm.saying(state, reason, data, self._clock.now()), actor)

    def settle(self, alarm: Alarm, changed: Alarm, actor: str = MONITOR) -> None:
        """Store a state that was decided on for `alarm` as it was read, and tell of a change.

        Raises VersionConflict where another write came first: then nothing is told.
        """
        before = alarm.standing
        if changed.standing.state is before.state:
            self._store.put(changed)
            return
        event = self._event(
            "alarm.changed",
            changed,
            f"alarm {alarm.name} is {changed.standing.state}: {changed.standing.reason}",
            actor,
            {"alarm": detail(changed, before)},
        )
        stored = self._store.put(changed, event)
        self._told(stored, before)

    def enable_actions(self, names: Iterable[str], actor: str, *, enabled: bool) -> None:
        """Let alarms tell topics of their changes, or not; alarms that are not there are passed."""
        for name in names:
            self._enable(name, actor, enabled=enabled)

    @contended
    def retag(self, name: str, decide: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Set what `decide` makes of an alarm's tags. Raises AlarmNotFound."""
        alarm = self._store.get(name)
        self._store.put(replace(alarm, tags=decide(dict(alarm.tags))))

    @contended
    def _enable(self, name: str, actor: str, *, enabled: bool) -> None:
        try:
            alarm = self._store.get(name)
        except NotFound:
            return
        if alarm.actions_enabled is not enabled:
            word = "enabled" if enabled else "disabled"
            event = self._event("alarm.put", alarm, f"actions of {name} were {word}", actor)
            now = self._clock.now()
            self._store.put(replace(alarm, actions_enabled=enabled, configured_at=now), event)

    def _former(self, name: str) -> Alarm | None:
        try:
            return self._store.get(name)
        except (AlarmNotFound, Unreadable):
            return None  # one that is damaged is put anew, or removed

    def _event(
        self,
        kind: str,
        alarm: Alarm,
        reason: str,
        actor: str,
        data: Mapping[str, Json] | None = None,
    ) -> Event:
        return Event(
            at=self._clock.now(),
            kind=kind,
            actor=actor,
            reason=reason,
            endpoint_name=endpoint_of(alarm),
            data={"name": alarm.name, **(data or {})},
        )


def check(alarm: Alarm) -> None:
    """Raise InvalidInput for an alarm that cannot be evaluated, whatever there is of its series."""
    metricquery.check(alarm.queries)
    returned = [query for query in alarm.queries if query.returned]
    if len(returned) != 1:
        raise InvalidInput(
            f"{len(returned)} of the Metrics return data; an alarm watches exactly one",
            field="Metrics",
            hint="set ReturnData to false for all others",
        )
    if not metricquery.needed(alarm.queries):
        raise InvalidInput("the alarm is on no metric", field="Metrics")
    alarms.check(alarm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alarm is on: a variant or an inference component, by the dimensions of its series."""

    endpoint_name: str = ""
    variant_name: str = ""
    component_name: str = ""


def subjects(alarm: Alarm) -> tuple[Subject, ...]:
    """Return what an alarm is on, each once; whether it is still there is not asked."""
    found: list[Subject] = []
    for series in series_of(alarm):
        dimensions = dict(series.dimensions)
        found.append(
            Subject(
                endpoint_name=dimensions.get("EndpointName", ""),
                variant_name=dimensions.get("VariantName", ""),
                component_name=dimensions.get("InferenceComponentName", ""),
            )
        )
    return tuple(each for each in dict.fromkeys(found) if each != Subject())


def endpoint_of(alarm: Alarm) -> str:
    """Return the endpoint that all series of an alarm are of; empty where there is none."""
    names = {dict(series.dimensions).get("EndpointName", "") for series in series_of(alarm)}
    return alarm.endpoint_name or (names.pop() if len(names) == 1 else "")


def words(alarm: Alarm) -> str:
    """Say what an alarm is on, for people."""
    rule = alarm.rule
    return (
        f"{query_words(alarm.watched)} {rule.comparison.words} {rule.threshold:g} for "
        f"{rule.datapoints} of {rule.periods} periods of {alarm.period} s"
    )


def query_words(query: Query) -> str:
    """Say what a query asks for."""
    if query.measured is None:
        return query.label or query.expression
    return f"{query.measured.statistic} of {query.measured.series}"


def _own(alarm: Alarm) -> Forbidden:
    if alarm.alarm_actions:
        return Forbidden(
            f"alarm {alarm.name!r} is Parkade's own: it belongs to a target tracking policy of "
            f"endpoint {alarm.endpoint_name!r}, and goes with that",
            hint="change or delete the scaling policy",
        )
    return Forbidden(
        f"alarm {alarm.name!r} is Parkade's own: it shows what the maintainer sees of endpoint "
        f"{alarm.endpoint_name!r}, and goes when that is no longer watched",
        hint=f"stop watching the endpoint: parkade maintain {alarm.endpoint_name} --off",
    )
