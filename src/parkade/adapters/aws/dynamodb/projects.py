"""Projects and applications: an item each, with the documents that they hold; and who has which part.

Of one project one application is running at a time. All parts of all projects are named by one
item, so that however many change hands at once, it is one change of a transaction.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.contents import packed, unpacked
from parkade.adapters.aws.dynamodb.kind import Kind, contended, unchanged
from parkade.adapters.aws.dynamodb.turns import Turns
from parkade.adapters.documents import columns
from parkade.domain.errors import (
    ApplicationNotFound,
    InUse,
    ProjectNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.project.application import Application
from parkade.domain.project.part import Kind as PartKind
from parkade.domain.project.part import Ref
from parkade.domain.project.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_PARTS = ("parts", "all")
_AGAIN = "read it again, then decide again"


class _Moved(VersionConflict):
    """Parts of another project came or went meanwhile."""


class DynamoProjectStore:
    """The project store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._records = Kind(history, "project", Record, "project")
        self._applications = Kind(history, "application", Application, "application")
        self._turns = Turns(self._applications, _busy)
        self._table = history.table

    def get(self, prefix: str) -> Record:
        """Return the project."""
        found = self._records.find(prefix)
        if found is None:
            raise ProjectNotFound(f"there is no project {prefix!r}")
        return found

    def all(self) -> Listing[Record]:
        """Return projects by their prefix, those apart that cannot be read."""
        return self._records.listing()

    def owners(self) -> Mapping[Ref, str]:
        """Return which project made which part."""
        return _owners(self._table.get(*_PARTS))

    def application(self, application_id: str) -> Application:
        """Return the application."""
        found = self._applications.find(application_id)
        if found is None:
            raise _unknown(application_id)
        return found

    def applications(self, prefix: str | None = None) -> Listing[Application]:
        """Return applications, oldest first, those apart that cannot be read."""
        return self._turns.all(prefix)

    def running(self) -> Listing[Application]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        return self._turns.running()

    def put(
        self, application: Application, record: Record | None = None, event: Event | None = None
    ) -> Application:
        """Store all of it in one transaction, unless another write came first."""
        for attempt in contended(_Moved):
            with attempt:
                stored, changes = self._put(application)
                if record is not None:
                    changes += self._put_record(record)
                    changes += self._parted(record.prefix, [made.ref for made in record.made])
                self._records.store(changes, event)
        return stored

    def close(self, application: Application, event: Event) -> Application:
        """Store the application and forget its project, in one transaction."""
        for attempt in contended(_Moved):
            with attempt:
                stored, changes = self._put(application)
                changes.append(self._records.delete(stored.prefix))
                changes += self._parted(stored.prefix, ())
                self._records.store(changes, event)
        return stored

    def remove(self, application_id: str, event: Event) -> None:
        """Remove the application and write the event, in one transaction."""
        for attempt in contended():
            with attempt:
                item = self._applications.item(application_id)
                if item is None:
                    raise _unknown(application_id)
                self._records.store(self._turns.remove(application_id, item), event)

    def _put(self, application: Application) -> tuple[Application, list[Change]]:
        item = self._applications.item(application.id)
        held = 0 if item is None else self._applications.read(item).version
        if held != application.version:
            raise _lost("application", application.id)
        stored = replace(application, version=application.version + 1)
        return stored, self._turns.put(
            stored.id,
            stored,
            item,
            subject=stored.prefix,
            status=str(stored.status),
            lost=lambda _: _lost("application", stored.id),
        )

    def _put_record(self, record: Record) -> Sequence[Change]:
        prefix = record.prefix
        item = self._records.item(prefix)
        if (0 if item is None else self._records.read(item).version) != record.version:
            raise _lost("project", prefix)
        written = self._records.put(
            prefix,
            replace(record, version=record.version + 1),
            where=unchanged(item),
            lost=lambda _: _lost("project", prefix),
        )
        return (written,)

    def _parted(self, prefix: str, refs: Sequence[Ref]) -> Sequence[Change]:
        """Return what makes these the parts of a project, and no others."""
        item = self._table.get(*_PARTS)
        before = _owners(item)
        after = {ref: owner for ref, owner in before.items() if owner != prefix}
        for ref in refs:
            if ref in after:
                raise InUse(
                    f"{ref} is of the project {after[ref]!r}",
                    hint="give the part another name, or take it out of that project",
                )
        after |= dict.fromkeys(refs, prefix)
        if after == before:
            return ()
        rows = [(str(ref.kind), ref.name, owner) for ref, owner in after.items()]
        content = packed(json.dumps(rows), "which project has which part")
        return (
            self._table.change.put(
                _PARTS,
                {"content": content},
                where=unchanged(item),
                lost=lambda _: _Moved("parts of another project came or went", hint=_AGAIN),
            ),
        )


def _owners(item: Item | None) -> dict[Ref, str]:
    if item is None:
        return {}
    with columns.reading("which project has which part"):
        rows = columns.read_json({"content": unpacked(item.get("content"))}, "content")
        try:
            return {Ref(kind=PartKind(kind), name=name): owner for kind, name, owner in rows}
        except (TypeError, ValueError) as error:
            raise Unreadable(
                f"its content is no list of kinds, names and owners: {error}"
            ) from error


def _busy(prefix: str, application_id: str) -> InUse:
    return InUse(
        f"project {prefix!r} is being applied by {application_id}",
        hint="wait until it is over, or call it off",
    )


def _unknown(application_id: str) -> ParkadeError:
    return ApplicationNotFound(f"there is no application {application_id!r}")


def _lost(noun: str, name: str) -> ParkadeError:
    return VersionConflict(f"{noun} {name!r} was changed by somebody else", hint=_AGAIN)
