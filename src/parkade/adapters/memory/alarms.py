"""Alarms in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import AlarmNotFound, Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.domain.alarm import Alarm
    from parkade.domain.event import Event
    from parkade.ports.events import History


class MemoryAlarmStore:
    """The alarm store port. `damage` makes an alarm unreadable, as a broken disk would."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._alarms: dict[str, Alarm] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, name: str, why: str) -> None:
        """Make the alarm of this name unreadable until it is put anew."""
        with self._lock:
            self._alarms.pop(name, None)
            self._damaged[name] = why

    def get(self, name: str) -> Alarm:
        """Return the alarm."""
        with self._lock:
            if name in self._damaged:
                raise Unreadable(f"alarm {name!r} cannot be read: {self._damaged[name]}")
            if name not in self._alarms:
                raise AlarmNotFound(f"there is no alarm {name!r}")
            return self._alarms[name]

    def all(self) -> Listing[Alarm]:
        """Return all alarms in the order of names."""
        with self._lock:
            alarms = tuple(self._alarms[name] for name in sorted(self._alarms))
            return Listing(alarms, dict(sorted(self._damaged.items())))

    def put(self, alarm: Alarm, event: Event | None = None) -> Alarm:
        """Store the alarm unless another write came first."""
        stored = replace(alarm, version=alarm.version + 1)
        with self._lock:
            held = self._alarms.get(alarm.name)
            if (held.version if held else 0) != alarm.version:
                raise VersionConflict(
                    f"alarm {alarm.name!r} was changed by somebody else",
                    hint="read it again, then decide again",
                )
            if event is not None:
                self._history.append(event)
            self._damaged.pop(alarm.name, None)
            self._alarms[alarm.name] = stored
        return stored

    def remove(self, name: str, event: Event) -> None:
        """Remove the alarm."""
        with self._lock:
            if name not in self._alarms and name not in self._damaged:
                raise AlarmNotFound(f"there is no alarm {name!r}")
            self._history.append(event)
            self._alarms.pop(name, None)
            self._damaged.pop(name, None)
