"""Records that take turns: of one subject, one is running at a time.

    "deployment"           d-1                   the record; status, version, number
    "deployment.place"     falcon/00017...01     its place among those of its subject
    "deployment.running"   falcon                id=d-1: there can be no other item of this key

The marker is written and removed in the transactions that begin and end the record. Lists are read
by marker and place rather than by an index, which would be a moment behind: what is decided on them
is not written on condition of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from parkade.adapters.aws.dynamodb.changes import Condition, equal
from parkade.adapters.aws.dynamodb.kind import NEW, THERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.kind import Kind
    from parkade.domain.errors import InUse, ParkadeError
    from parkade.ports.catalog import Listing

_Record = TypeVar("_Record")

RUNNING = "running"
#: Digits of a number, so that texts of them are in the order of numbers.
_DIGITS = 20


class Turns(Generic[_Record]):
    """Reads and writes records of one kind that take turns."""

    def __init__(self, kind: Kind[_Record], busy: Callable[[str, str], InUse]) -> None:
        """Take what says that a subject is busy with the record of an id."""
        self._kind = kind
        self._table = kind.table
        self._busy = busy
        self._place, self._marker = f"{kind.name}.place", f"{kind.name}.running"

    def all(self, subject: str | None) -> Listing[_Record]:
        """Return the records of a subject, or of all, oldest first; those apart that are damaged."""
        if subject is None:
            return self._listing(self._table.query(self._kind.name))
        return self._listing(self._named(self._table.query(self._place, begins=f"{subject}/")))

    def running(self) -> Listing[_Record]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        found = self._named(self._table.query(self._marker))
        return self._listing(each for each in found if each.get("status") == RUNNING)

    def put(
        self,
        key: str,
        record: _Record,
        item: Item | None,
        *,
        subject: str,
        status: str,
        lost: Callable[[Item | None], ParkadeError],
    ) -> list[Change]:
        """Return what stores a record over the item that was read; None: there was none."""
        version = _number(item, "version")
        number = _number(item, "number") if item else self._kind.history.number()
        written = self._kind.put(
            key,
            record,
            where=equal(version=version) if item else NEW,
            lost=lost,
            subject=subject,
            status=status,
            version=version + 1,
            number=number,
        )
        before = item.get("status") if item else None
        marker, marked = (self._marker, subject), {"id": key}
        changes = [written]
        if item is None:
            changes.append(self._table.change.put(self._placed(subject, number), marked))
        if status == RUNNING and before != RUNNING:
            free = self._table.change.put(marker, marked, where=NEW, lost=self._taken(subject))
            changes.append(free)
        elif before is None:
            changes.append(self._table.change.check(marker, NEW, lost=self._taken(subject)))
        elif before == RUNNING and status != RUNNING:
            changes.append(self._unmarked(subject, key))
        return changes

    def remove(self, key: str, item: Item) -> list[Change]:
        """Return what removes the item that was read, damaged or not."""
        subject, status = str(item.get("subject")), str(item.get("status"))
        changes = [
            self._kind.delete(key, where=THERE & equal(status=status)),
            self._table.change.delete(self._placed(subject, _number(item, "number"))),
        ]
        if status == RUNNING:
            changes.append(self._unmarked(subject, key))
        return changes

    def _unmarked(self, subject: str, key: str) -> Change:
        """Return the removal of the marker, of this record alone."""
        own = Condition(
            "attribute_not_exists(#pk) OR #id = :id", {"#pk": "pk", "#id": "id"}, {":id": key}
        )
        return self._table.change.delete((self._marker, subject), where=own)

    def _taken(self, subject: str) -> Callable[[Item | None], ParkadeError]:
        return lambda marker: self._busy(subject, str((marker or {}).get("id")))

    def _placed(self, subject: str, number: int) -> tuple[str, str]:
        return self._place, f"{subject}/{number:0{_DIGITS}d}"

    def _named(self, items: Iterable[Item]) -> Iterable[Item]:
        """Give the records that items name."""
        return self._table.many((self._kind.name, str(each.get("id"))) for each in items)

    def _listing(self, items: Iterable[Item]) -> Listing[_Record]:
        return self._kind.listing(sorted(items, key=lambda item: _number(item, "number")))


def _number(item: Item | None, attribute: str) -> int:
    """Return a number beside a content; that of an item that was edited is 0."""
    number = (item or {}).get(attribute)
    return number if isinstance(number, int) else 0
