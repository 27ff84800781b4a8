"""What was spent: batches that are added one after the other, and what they are added up to.

DynamoDB changes a hundred items at once, and an account has more tallies than that. So a batch is
written down first, as one item, and added up afterwards:

    add      1. the batch before is added up: each place where it belongs is written on condition
                that it has not been added there yet, and notes its number
             2. this batch takes its place in the item "known", on condition that no other came
                between, together with until when all is known: from here on it counts
    read     what is added up, and the batch in "known" wherever it has not been added up yet

    "known"   (one)    number=42, until, content=the batch, or: pieces=3
    "piece"   42/...   content=a piece of a batch that is too large for one item
    "spend"   place    through=41, content=what is added up there (see `ledger`)

A crash between any two writes leaves either a batch that does not count and is not read, or one
that counts and is added up by whoever adds next. Nothing is added twice: numbers rise by one, and a
place knows the last that it has.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb import ledger
from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.changes import equal
from parkade.adapters.aws.dynamodb.contents import LARGEST, deflated, packed, unpacked
from parkade.adapters.aws.dynamodb.kind import NEW
from parkade.adapters.aws.dynamodb.ledger import Ledger
from parkade.adapters.documents import columns
from parkade.domain.errors import VersionConflict
from parkade.ports.spend import put_together, require_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.adapters.aws.dynamodb.attributes import Attribute, Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.table import Table
    from parkade.domain.cost import Presence, Tally
    from parkade.ports.spend import Known, SpendQuery

_KNOWN = ("known", "spend")
_PIECE, _SPEND = "piece", "spend"
#: Items that are removed in one transaction, which has 4 MB: each may be as large as one can be.
_TOGETHER = 10
#: What comes after every key that begins with the text before it.
_END = "\U0010ffff"


class _Overtaken(VersionConflict):
    """Somebody else has added, or added up, meanwhile."""


class DynamoSpendStore:
    """The spend store port on the main table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        #: The last batch by its id, cut into places: every question about an owner needs it.
        self._latest: tuple[str, Mapping[str, Ledger]] = ("", {})

    def add(
        self,
        tallies: Iterable[Tally],
        presences: Iterable[Presence],
        until: datetime,
        *,
        since: Known | None = None,
    ) -> None:
        """Add up the batch before, and have this one count."""
        batch = Ledger()
        batch.add(tallies, presences, until)
        for attempt in contended(_Overtaken):
            with attempt:
                known = self._table.get(*_KNOWN)
                require_known(since, _until(known))
                if known is not None:
                    self._add_up(known)
                    self._clear(known)
                self._count(batch, until, known)

    def until(self) -> datetime | None:
        """Return until when all is added."""
        return _until(self._table.get(*_KNOWN))

    def tallies(self, query: SpendQuery) -> Sequence[Tally]:
        """Return the tallies, put together."""
        return put_together(self._read(_ranges(query)).tallies.values(), query)

    def presences(self, query: SpendQuery) -> Sequence[Presence]:
        """Return the presences, put together."""
        return put_together(self._read(_ranges(query)).presences.values(), query)

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each endpoint was first seen with each owner."""
        return self._read([(ledger.SIGHTS, ledger.SIGHTS + _END)]).sights

    def forget(self, before: datetime) -> None:
        """Remove periods that began earlier, from the last batch as well."""
        for attempt in contended(_Overtaken):
            with attempt:
                known = self._table.get(*_KNOWN)
                if known is None:
                    return
                self._add_up(known)
                emptied: dict[str, Attribute | None] = {
                    "number": _number(known),
                    "id": _name(known),
                    "until": columns.instant_or_none(_until(known)),
                    "added": True,
                }
                self._table.write([self._replacing(known, emptied)])
        for prefix in ledger.ranges(None):
            old = self._table.query(_SPEND, between=(prefix, prefix + columns.instant(before)))
            self._remove((_SPEND, str(item["sk"])) for item in old)

    def _read(self, ranges: Sequence[tuple[str, str]]) -> Ledger:
        """Return what is stored at these places, the last batch included."""
        for attempt in contended(_Overtaken):
            with attempt:
                # Before the places: a batch that is added up while they are read was read here.
                known = self._table.get(*_KNOWN)
                batch = self._batch(known)
        number = 0 if known is None else _number(known)
        found, added = Ledger(), set[str]()
        for item in (each for both in ranges for each in self._table.query(_SPEND, between=both)):
            found.merge(_ledger(item))
            if _through(item) >= number:
                added.add(str(item["sk"]))
        for place, part in batch.items():
            if place not in added and any(first <= place <= last for first, last in ranges):
                found.merge(part)
        return found

    def _batch(self, known: Item | None) -> Mapping[str, Ledger]:
        """Return the last batch by place; an empty one where it is added up for certain."""
        if known is None or known.get("added"):
            return {}
        name, (latest, places) = _name(known), self._latest
        if name != latest:
            with columns.reading("what was spent last"):
                content = self._joined(known) if "pieces" in known else known.get("content")
                places = Ledger.read(unpacked(content)).places()
            self._latest = (name, places)
        return places

    def _joined(self, known: Item) -> bytes:
        number, name = _number(known), _name(known)
        keys = [
            _piece(number, name, place) for place in range(columns.read_number(known, "pieces"))
        ]
        found = {str(item["sk"]): item.get("content") for item in self._table.many(keys)}
        pieces = [found.get(key) for _, key in keys]
        if None in pieces:
            raise _Overtaken("the batch was added up meanwhile")
        return b"".join(piece for piece in pieces if isinstance(piece, bytes))

    def _add_up(self, known: Item) -> None:
        """Add the last batch wherever it has not been added yet."""
        number, places = _number(known), self._batch(known)
        keys = [(_SPEND, place) for place in places]
        found = {str(item["sk"]): item for item in self._table.many(keys)}
        for place, part in places.items():
            held = found.get(place)
            # Whoever is faster has added this very batch, and maybe later ones.
            while held is None or _through(held) < number:
                total = Ledger() if held is None else _ledger(held)
                if total.knows(part):
                    break  # endpoints that were seen before, and nothing else: there is nothing to write
                total.merge(part)
                try:
                    self._table.write([self._added(place, total, number, held)])
                    break
                except _Overtaken:
                    held = self._table.get(_SPEND, place)

    def _added(self, place: str, total: Ledger, number: int, held: Item | None) -> Change:
        content = packed(total.write(), f"what was spent at {place}")
        return self._table.change.put(
            (_SPEND, place),
            {"through": number, "content": content},
            where=NEW if held is None else equal(through=_through(held)),
            lost=_overtaken,
        )

    def _clear(self, known: Item) -> None:
        """Remove pieces of batches that came before, and of such as never came to count."""
        number, name = _number(known), _name(known)
        pieces = (str(item["sk"]).split("/") for item in self._table.query(_PIECE))
        self._remove(
            (_PIECE, "/".join(piece))
            for piece in list(pieces)
            # Another batch of a later number may be about to count.
            if int(piece[0]) <= number and piece[1] != name
        )

    def _count(self, batch: Ledger, until: datetime, known: Item | None) -> None:
        """Have the batch take the place of the last one."""
        number, name = 1 if known is None else _number(known) + 1, uuid.uuid4().hex
        content = deflated(batch.write())
        attributes: dict[str, Attribute | None] = {
            "number": number,
            "id": name,
            "until": columns.instant(until),
        }
        if len(content) <= LARGEST:
            attributes["content"] = content
        else:
            pieces = [content[at : at + LARGEST] for at in range(0, len(content), LARGEST)]
            for place, piece in enumerate(pieces):
                key = _piece(number, name, place)
                self._table.write([self._table.change.put(key, {"content": piece})])
            attributes["pieces"] = len(pieces)
        self._table.write([self._replacing(known, attributes)])

    def _replacing(self, known: Item | None, attributes: Mapping[str, Attribute | None]) -> Change:
        same = NEW if known is None else equal(number=_number(known), id=_name(known))
        return self._table.change.put(_KNOWN, attributes, where=same, lost=_overtaken)

    def _remove(self, keys: Iterable[Sequence[str]]) -> None:
        gone = [self._table.change.delete(key) for key in keys]
        for begin in range(0, len(gone), _TOGETHER):
            self._table.write(gone[begin : begin + _TOGETHER])


def _ranges(query: SpendQuery) -> list[tuple[str, str]]:
    """Return the first and the last key of what may hold something that is asked for."""
    start, end = columns.instant(query.start), columns.instant(query.end)
    return [(prefix + start, prefix + end) for prefix in ledger.ranges(query.owner)]


def _piece(number: int, name: str, place: int) -> tuple[str, str]:
    return _PIECE, f"{number}/{name}/{place}"


def _until(known: Item | None) -> datetime | None:
    with columns.reading("until when instances are metered"):
        return None if known is None else columns.read_instant(known, "until")


def _number(known: Item) -> int:
    with columns.reading("what was spent last"):
        return columns.read_number(known, "number", least=1)


def _name(known: Item) -> str:
    with columns.reading("what was spent last"):
        return columns.read_text(known, "id")


def _ledger(item: Item) -> Ledger:
    with columns.reading(f"what was spent at {item['sk']}"):
        return Ledger.read(unpacked(item.get("content")))


def _through(item: Item) -> int:
    with columns.reading(f"what was spent at {item['sk']}"):
        return columns.read_number(item, "through", least=1)


def _overtaken(_: Item | None) -> _Overtaken:
    return _Overtaken("somebody else has added to what was spent meanwhile", hint="try again")
