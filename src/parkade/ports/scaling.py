"""Scalable targets, their policies and scheduled actions, and what was done about them, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from parkade.domain.event import Event
    from parkade.domain.scaling.activity import Activity
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.progress import Progress
    from parkade.domain.scaling.target import Resource, ScalableTarget
    from parkade.domain.scaling.timetable import ScheduledAction
    from parkade.ports.catalog import Listing

_Record = TypeVar("_Record")


class Kept(Protocol[_Record]):
    """Records of one kind, each under its key, with compare-and-set by their `version`.

    Each write appends its event, where there is one, in the same transaction. Safe to use from
    several threads.
    """

    def get(self, key: str) -> _Record:
        """Return the record. Raises the NotFound of its kind, or Unreadable where it is damaged."""
        ...

    def all(self) -> Listing[_Record]:
        """Return all records in the order of keys, and why others cannot be read."""
        ...

    def put(self, record: _Record, event: Event | None = None) -> _Record:
        """Store the record where its `version` (0: none) is still held.

        Returns it with its new version. Raises VersionConflict where another write came first, and
        ScalableTargetNotFound for what belongs to a target that is not there, with nothing stored.
        One that is damaged is written over by version 0.
        """
        ...

    def remove(self, key: str, event: Event) -> None:
        """Remove the record, damaged or not. Raises the NotFound of its kind, nothing written."""
        ...


class ActivityLog(Protocol):
    """What was done about targets, and how far it has come. Safe to use from several threads."""

    def put(self, activity: Activity, event: Event | None = None) -> None:
        """Store the activity, over the one of its id, and the event with it, if there is one."""
        ...

    def newest(
        self, resource: Resource | None = None, *, limit: int, before: str = ""
    ) -> tuple[Activity, ...]:
        """Return activities, those begun last first; `before`: only older ones than that of this id.

        Without a resource those of all. An id that is not known has no older ones. One that is
        damaged is passed over.
        """
        ...

    def progress(self, resource_ids: Collection[str] | None = None) -> Mapping[str, Progress]:
        """Return how far targets have come, by resource id; one that is damaged is left out.

        Those of these ids alone; None: all of them.
        """
        ...

    def note(self, progress: Progress) -> None:
        """Store how far a target has come; of a target that is gone nothing is stored."""
        ...

    def forget(self, before: datetime) -> None:
        """Remove activities that began before this, but not those in progress."""
        ...


class ScalingStore(Protocol):
    """All of it. Removing a target removes its policies, scheduled actions and progress with it."""

    @property
    def targets(self) -> Kept[ScalableTarget]:
        """By resource id. Raises ScalableTargetNotFound."""
        ...

    @property
    def policies(self) -> Kept[Policy]:
        """By `Policy.key`. Raises ScalingPolicyNotFound."""
        ...

    @property
    def scheduled(self) -> Kept[ScheduledAction]:
        """By `ScheduledAction.key`. Raises ScheduledActionNotFound."""
        ...

    @property
    def activities(self) -> ActivityLog:
        """What was done; activities outlive their target."""
        ...
