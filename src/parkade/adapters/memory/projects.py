"""Projects and applications in dictionaries."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    ApplicationNotFound,
    InUse,
    ProjectNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.event import Event
    from parkade.domain.project.application import Application
    from parkade.domain.project.part import Ref
    from parkade.domain.project.record import Record
    from parkade.ports.events import History


class MemoryProjectStore:
    """The project store port. `damage` makes a project or an application unreadable."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._records: dict[str, Record] = {}
        self._applications: dict[str, Application] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, name: str, why: str) -> None:
        """Make the project of this prefix, or the application of this id, unreadable."""
        with self._lock:
            self._damaged[name] = why

    def get(self, prefix: str) -> Record:
        """Return the project."""
        with self._lock:
            if prefix not in self._records:
                raise ProjectNotFound(f"there is no project {prefix!r}")
            self._require_whole("project", prefix)
            return self._records[prefix]

    def all(self) -> Listing[Record]:
        """Return projects by their prefix."""
        with self._lock:
            found = dict(sorted(self._records.items()))
            return Listing(
                tuple(each for name, each in found.items() if name not in self._damaged),
                {name: self._damaged[name] for name in found if name in self._damaged},
            )

    def owners(self) -> Mapping[Ref, str]:
        """Return which project made which part."""
        with self._lock:
            return self._owners()

    def application(self, application_id: str) -> Application:
        """Return the application."""
        with self._lock:
            if application_id not in self._applications:
                raise ApplicationNotFound(f"there is no application {application_id!r}")
            self._require_whole("application", application_id)
            return self._applications[application_id]

    def applications(self, prefix: str | None = None) -> Listing[Application]:
        """Return applications, oldest first."""
        return self._listing(lambda each: prefix in {None, each.prefix})

    def running(self) -> Listing[Application]:
        """Return those that are running, oldest first."""
        return self._listing(lambda each: not each.over)

    def put(
        self, application: Application, record: Record | None = None, event: Event | None = None
    ) -> Application:
        """Store all of it, unless another write came first."""
        with self._lock:
            stored = self._checked(application)
            if record is not None:
                self._require_latest(record)
                self._require_free(record)
            if event is not None:
                self._history.append(event)
            self._applications[stored.id] = stored
            if record is not None:
                self._records[record.prefix] = replace(record, version=record.version + 1)
        return stored

    def close(self, application: Application, event: Event) -> Application:
        """Store the application, and forget its project."""
        with self._lock:
            stored = self._checked(application)
            self._history.append(event)
            self._applications[stored.id] = stored
            self._records.pop(stored.prefix, None)
        return stored

    def remove(self, application_id: str, event: Event) -> None:
        """Remove the application."""
        with self._lock:
            if application_id not in self._applications:
                raise ApplicationNotFound(f"there is no application {application_id!r}")
            self._history.append(event)
            del self._applications[application_id]
            self._damaged.pop(application_id, None)

    def _checked(self, application: Application) -> Application:
        held = self._applications.get(application.id)
        self._require_whole("application", application.id)
        if (held.version if held else 0) != application.version:
            raise VersionConflict(f"application {application.id!r} was changed by somebody else")
        if held is None:
            for each in self._applications.values():
                if each.prefix == application.prefix and not each.over:
                    raise InUse(f"project {each.prefix!r} is being applied by {each.id}")
        return replace(application, version=application.version + 1)

    def _require_latest(self, record: Record) -> None:
        held = self._records.get(record.prefix)
        self._require_whole("project", record.prefix)
        if (held.version if held else 0) != record.version:
            raise VersionConflict(f"project {record.prefix!r} was changed by somebody else")

    def _require_free(self, record: Record) -> None:
        owners = self._owners()
        for made in record.made:
            if owners.get(made.ref, record.prefix) != record.prefix:
                raise InUse(f"{made.ref} is of the project {owners[made.ref]!r}")

    def _owners(self) -> dict[Ref, str]:
        return {
            made.ref: record.prefix for record in self._records.values() for made in record.made
        }

    def _listing(self, wanted: Callable[[Application], bool]) -> Listing[Application]:
        with self._lock:
            found = [each for each in self._applications.values() if wanted(each)]
            return Listing(
                tuple(each for each in found if each.id not in self._damaged),
                {each.id: self._damaged[each.id] for each in found if each.id in self._damaged},
            )

    def _require_whole(self, noun: str, name: str) -> None:
        if name in self._damaged:
            raise Unreadable(f"{noun} {name!r} cannot be read: {self._damaged[name]}")
