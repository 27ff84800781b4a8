"""Keeps the alarms of projects: CloudWatch's own, which carry the project's tag."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain import alarmforms
from parkade.domain.alarm import State
from parkade.domain.errors import AlarmNotFound, InvalidInput, Unreadable
from parkade.domain.project.part import Kind
from parkade.services.alarms import check, words
from parkade.services.idlealarms import PREFIX as IDLE
from parkade.services.projects.atonce import AtOnce
from parkade.services.projects.keeper import Condition
from parkade.services.scalingalarms import PREFIX as SCALING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.alarm import Alarm
    from parkade.domain.event import Json
    from parkade.domain.project.part import Part
    from parkade.domain.project.project import Project
    from parkade.ports.clock import Clock
    from parkade.services.alarms import Alarms
    from parkade.services.projects.keeper import Errand

#: What people switch, and the file need not know of.
_PEOPLES = (alarmforms.ENABLED, *alarmforms.ACTIONS)


class AlarmKeeper(AtOnce):
    """The keeper of alarms. `trouble` says why one cannot be evaluated; empty: it can be."""

    kind = Kind.ALARM

    def __init__(self, alarms: Alarms, *, clock: Clock, trouble: Callable[[str], str]) -> None:
        self._alarms = alarms
        self._clock = clock
        self._trouble = trouble

    def check(self, part: Part, project: Project) -> None:  # noqa: ARG002  the protocol's
        """Raise InvalidInput for one that cannot be evaluated, or has a name of Parkade's own."""
        for prefix in (IDLE, SCALING):
            if part.name.startswith(prefix):
                raise InvalidInput(
                    f"names of alarms that begin with {prefix} are those of Parkade's own",
                    field="alarms",
                    hint="name the project otherwise",
                )
        check(self._alarm(part.name, part.content))

    def found(self, name: str) -> Mapping[str, Json] | None:
        """Return the alarm in the members of PutMetricAlarm; a damaged one is put anew."""
        alarm = self._there(name)
        return alarmforms.content(alarm) if alarm is not None else None

    def settled(self, part: Part, found: Mapping[str, Json] | None) -> Mapping[str, Json]:
        """Return it as CloudWatch would tell it. What people switched, and no file names, stays."""
        kept = {each: found[each] for each in _PEOPLES if found is not None and each in found}
        wanted = self._alarm(part.name, {**kept, **part.content})
        if found is not None:
            # Tags that others gave it stay; those of the file are set over them.
            tags = {**self._alarm(part.name, found).tags, **wanted.tags}
            wanted = replace(wanted, tags=tags)
        return alarmforms.content(wanted)

    def put(self, part: Part, errand: Errand) -> None:
        """Put the alarm and its tags, of which the project's is one; its state goes on."""
        there = self._there(part.name)
        before = alarmforms.content(there) if there is not None else None
        wanted = self.settled(part, before)
        if wanted == before:
            return
        alarm = self._alarm(part.name, wanted)
        self._alarms.put(replace(alarm, owner=errand.actor), errand.actor)
        if there is not None:  # an alarm that is put over another has the tags of that
            self._alarms.retag(part.name, lambda _: dict(alarm.tags))

    def remove(self, name: str, errand: Errand) -> None:
        """Remove the alarm."""
        self._alarms.remove([name], errand.actor)

    def condition(self, part: Part) -> Condition:
        """Tell its state, since when, and why."""
        alarm = self._there(part.name)
        if alarm is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        if trouble := self._trouble(part.name):
            return Condition(state="unevaluated", text=trouble, troubled=True)
        state = alarm.standing.state
        told = alarm.standing.reason if state is State.ALARM else words(alarm)
        return Condition(state=state.value, text=told, troubled=state is State.ALARM)

    def _there(self, name: str) -> Alarm | None:
        try:
            return self._alarms.get(name)
        except (AlarmNotFound, Unreadable):
            return None

    def _alarm(self, name: str, content: Mapping[str, Json]) -> Alarm:
        return alarmforms.alarm(name, content, self._clock.now())
