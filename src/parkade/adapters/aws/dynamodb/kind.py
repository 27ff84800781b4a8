"""The items of one kind, each of which holds one record as its content.

pk         sk           content                    and what is asked or compared without it
"watch"    "falcon"     {"endpoint_name": ...}
"remains"  "falcon"     {"blueprint": ...}         removed_at
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from parkade.adapters.aws.dynamodb.changes import absent, equal, overtaken, present
from parkade.adapters.aws.dynamodb.contents import packed, unpacked
from parkade.adapters.aws.dynamodb.shape import MAIN
from parkade.adapters.documents.records import Documents
from parkade.domain.errors import Unreadable
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from parkade.adapters.aws.dynamodb.attributes import Attribute, Item
    from parkade.adapters.aws.dynamodb.changes import Change, Condition
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event

_Record = TypeVar("_Record")

#: Hold where there is no item of the key, and where there is one.
NEW, THERE = absent(MAIN.partition), present(MAIN.partition)
_MEND = "it is left alone; put its item right, or restore the table to a time before"


class Kind(Generic[_Record]):
    """Reads and writes the items of one kind, in the table of a history."""

    def __init__(self, history: DynamoHistory, name: str, record: type[_Record], noun: str) -> None:
        """Take what the partition of the kind is, and what messages call one of its records."""
        self.history = history
        self.table = history.table
        self.name = name
        self.noun = noun
        self._record = record

    @cached_property
    def _documents(self) -> Documents[_Record]:
        # Takes a while to make: a function that starts makes those alone that it uses.
        return Documents(self._record, self.noun)

    def item(self, key: str) -> Item | None:
        """Return the item; None: there is none."""
        return self.table.get(self.name, key)

    def find(self, key: str) -> _Record | None:
        """Return the record; None: there is none. Raises Unreadable."""
        item = self.item(key)
        return None if item is None else self.read(item)

    def read(self, item: Item) -> _Record:
        """Return the record of an item. Raises Unreadable that names it."""
        name = str(item[MAIN.sort or ""])
        try:
            content = unpacked(item.get("content"))
        except Unreadable as error:
            raise Unreadable(
                f"{self.noun} {name!r} cannot be read: {error.message}", hint=_MEND
            ) from error
        return self._documents.read(name, content)

    def listing(self, items: Iterable[Item] | None = None) -> Listing[_Record]:
        """Return the records of these items, or of all, and apart why others cannot be read."""
        records: list[_Record] = []
        unreadable: dict[str, str] = {}
        for item in self.table.query(self.name) if items is None else items:
            try:
                records.append(self.read(item))
            except Unreadable as error:
                unreadable[str(item[MAIN.sort or ""])] = error.message
        return Listing(tuple(records), unreadable)

    def put(
        self,
        key: str,
        record: _Record,
        *,
        where: Condition | None = None,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
        **attributes: Attribute | None,
    ) -> Change:
        """Store the record. Raises ResourceLimitExceeded where no item could hold it."""
        content = packed(self._documents.write(record), f"{self.noun} {key!r}")
        return self.table.change.put(
            (self.name, key), {"content": content, **attributes}, where=where, lost=lost
        )

    def delete(
        self,
        key: str,
        *,
        where: Condition | None = None,
        lost: Callable[[Item | None], ParkadeError] = overtaken,
    ) -> Change:
        """Remove the item."""
        return self.table.change.delete((self.name, key), where=where, lost=lost)

    def store(self, changes: Iterable[Change], event: Event | None) -> None:
        """Make the changes, with their event if there is one, or do nothing."""
        if event is None:
            self.table.write(list(changes))
        else:
            self.history.store(list(changes), event)


def unchanged(item: Item | None) -> Condition:
    """Hold where an item is still what was read; None: where there is still none."""
    if item is None:
        return NEW
    content = item.get("content")
    if isinstance(content, str | bytes):
        return equal(content=content)
    # Somebody has edited it: what it has can be told from what stores write, and no further.
    return THERE & absent("content") if content is None else present("content")
