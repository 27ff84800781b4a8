"""Scalable targets and what belongs to them, in dictionaries."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from parkade.domain.errors import (
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
    ScheduledActionNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.scaling.policy import Policy
from parkade.domain.scaling.target import ScalableTarget
from parkade.domain.scaling.timetable import ScheduledAction
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from parkade.domain.errors import NotFound
    from parkade.domain.event import Event
    from parkade.domain.scaling.activity import Activity
    from parkade.domain.scaling.progress import Progress
    from parkade.domain.scaling.target import Resource
    from parkade.ports.events import History

#: The kinds of records that are kept.
_Record = TypeVar("_Record", ScalableTarget, Policy, ScheduledAction)


class MemoryScalingStore:
    """The scaling store port. `damage` of its parts makes a record unreadable."""

    def __init__(self, history: History) -> None:
        lock = threading.RLock()
        self.targets: MemoryKept[ScalableTarget] = MemoryKept(
            history, lock, ScalableTargetNotFound, lambda target: target.resource.id
        )
        known = self.targets.holds
        self.policies: MemoryKept[Policy] = MemoryKept(
            history, lock, ScalingPolicyNotFound, lambda policy: policy.key, known
        )
        self.scheduled: MemoryKept[ScheduledAction] = MemoryKept(
            history, lock, ScheduledActionNotFound, lambda action: action.key, known
        )
        self.activities = MemoryActivityLog(history, lock, known)
        self.targets.taking_along(self.policies.lose, self.scheduled.lose, self.activities.lose)


class MemoryKept(Generic[_Record]):
    """The records of one kind."""

    def __init__(
        self,
        history: History,
        lock: threading.RLock,
        missing: type[NotFound],
        key: Callable[[_Record], str],
        known: Callable[[str], bool] = lambda _resource_id: True,
    ) -> None:
        self._history = history
        self._lock = lock
        self._missing = missing
        self._key: Callable[[_Record], str] = key
        self._known = known
        self._records: dict[str, _Record] = {}
        self._damaged: dict[str, str] = {}
        self._along: tuple[Callable[[str], None], ...] = ()

    def taking_along(self, *lose: Callable[[str], None]) -> None:
        """Have these called with the key of each record that is removed."""
        self._along = lose

    def holds(self, key: str) -> bool:
        """Tell whether there is a record, damaged or not."""
        return key in self._records or key in self._damaged

    def damage(self, key: str, why: str) -> None:
        """Make the record unreadable until it is put anew."""
        with self._lock:
            self._records.pop(key, None)
            self._damaged[key] = why

    def lose(self, resource_id: str) -> None:
        """Lose what belongs to a target, which is gone."""
        for held in (self._records, self._damaged):
            for key in [key for key in held if key.startswith(f"{resource_id}:")]:
                del held[key]

    def get(self, key: str) -> _Record:
        """Return the record."""
        with self._lock:
            if key in self._damaged:
                raise Unreadable(f"{key!r} cannot be read: {self._damaged[key]}")
            if key not in self._records:
                raise self._absent(key)
            return self._records[key]

    def all(self) -> Listing[_Record]:
        """Return all records in the order of keys."""
        with self._lock:
            records = tuple(self._records[key] for key in sorted(self._records))
            return Listing(records, dict(sorted(self._damaged.items())))

    def put(self, record: _Record, event: Event | None = None) -> _Record:
        """Store the record unless another write came first."""
        key = self._key(record)
        stored = replace(record, version=record.version + 1)
        with self._lock:
            held = self._records.get(key)
            if (held.version if held else 0) != record.version:
                raise VersionConflict(
                    f"{key!r} was changed by somebody else", hint="read it again, then decide again"
                )
            if not self._known(record.resource.id):
                raise ScalableTargetNotFound(
                    f"{record.resource.id} is not registered to be scaled",
                    hint="register it as a scalable target first",
                )
            if event is not None:
                self._history.append(event)
            self._damaged.pop(key, None)
            self._records[key] = stored
        return stored

    def remove(self, key: str, event: Event) -> None:
        """Remove the record."""
        with self._lock:
            if not self.holds(key):
                raise self._absent(key)
            self._history.append(event)
            self._records.pop(key, None)
            self._damaged.pop(key, None)
            for lose in self._along:
                lose(key)

    def _absent(self, key: str) -> NotFound:
        return self._missing(f"there is nothing of {key!r}")


class MemoryActivityLog:
    """The activity log of the scaling store port."""

    def __init__(
        self, history: History, lock: threading.RLock, known: Callable[[str], bool]
    ) -> None:
        self._history = history
        self._lock = lock
        self._known = known
        #: In the order in which they were begun.
        self._activities: dict[str, Activity] = {}
        self._progress: dict[str, Progress] = {}

    def put(self, activity: Activity, event: Event | None = None) -> None:
        """Store the activity."""
        with self._lock:
            self._activities[activity.id] = activity
            if event is not None:
                self._history.append(event)

    def newest(
        self, resource: Resource | None = None, *, limit: int, before: str = ""
    ) -> tuple[Activity, ...]:
        """Return activities, those begun last first."""
        with self._lock:
            found = list(self._activities.values())
            if before:
                ids = list(self._activities)
                found = found[: ids.index(before)] if before in self._activities else []
        newest = [each for each in reversed(found) if resource in {None, each.resource}]
        return tuple(newest[: max(0, limit)])

    def progress(self, resource_ids: Collection[str] | None = None) -> Mapping[str, Progress]:
        """Return how far targets have come."""
        with self._lock:
            return {
                key: each
                for key, each in self._progress.items()
                if resource_ids is None or key in resource_ids
            }

    def note(self, progress: Progress) -> None:
        """Store how far a target has come, if it is still there."""
        with self._lock:
            if self._known(progress.resource.id):
                self._progress[progress.resource.id] = progress

    def lose(self, resource_id: str) -> None:
        """Lose the progress of a target, which is gone."""
        self._progress.pop(resource_id, None)

    def forget(self, before: datetime) -> None:
        """Remove activities that began before this, but not those in progress."""
        with self._lock:
            self._activities = {
                key: each
                for key, each in self._activities.items()
                if each.started_at >= before or not each.over
            }
