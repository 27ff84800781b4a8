"""Alarms, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.alarm import Alarm
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class AlarmStore(Protocol):
    """Stores alarms with compare-and-set; each write appends its event in the same transaction.

    Safe to use from several threads.
    """

    def get(self, name: str) -> Alarm:
        """Return the alarm. Raises AlarmNotFound, or Unreadable where it is damaged."""
        ...

    def all(self) -> Listing[Alarm]:
        """Return all alarms in the order of names, and why others cannot be read."""
        ...

    def put(self, alarm: Alarm, event: Event | None = None) -> Alarm:
        """Store the alarm where `alarm.version` of it (0: none) is still held.

        Returns it with its new version. Raises VersionConflict where another write came first,
        with nothing stored. One that is damaged is written over by version 0: whoever puts it anew
        mends it.
        """
        ...

    def remove(self, name: str, event: Event) -> None:
        """Remove the alarm, damaged or not. Raises AlarmNotFound, with nothing written."""
        ...
