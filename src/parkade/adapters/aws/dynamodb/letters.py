"""How far subscribers have got, and their letters: an item each; letters have numbers as events do."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import equal
from parkade.adapters.aws.dynamodb.kind import NEW, THERE, Kind, contended, unchanged
from parkade.adapters.aws.dynamodb.table import MOST_CHANGES
from parkade.domain.errors import LetterNotFound, Unreadable, VersionConflict
from parkade.domain.subscriber import Letter, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event

logger = logging.getLogger(__name__)

#: Digits of an id as a key: its order as a text is its order as a number.
_DIGITS = 20


class _Forgotten(VersionConflict):
    """The subscriber was forgotten meanwhile."""


class DynamoLetterStore:
    """The letter store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._progress = Kind(history, "progress", Progress, "the progress of subscriber")
        self._letters = Kind(history, "letter", Letter, "letter")
        self._table = history.table

    def begin(self, subscriber: str, number: int) -> Progress:
        """Return its progress, made here where there is none that can be read."""
        for attempt in contended():
            with attempt:
                item = self._progress.item(subscriber)
                try:
                    if item is not None:
                        return self._progress.read(item)
                except Unreadable as error:
                    logger.error("%s; it begins at event %d", error.message, number)  # noqa: TRY400  no bug of ours
                fresh = Progress(subscriber=subscriber, number=number)
                made = self._progress.put(subscriber, fresh, where=unchanged(item))
                self._progress.store([made], None)
        return fresh

    def progress(self) -> Mapping[str, Progress]:
        """Return all progress that can be read."""
        listing = self._progress.listing()
        for why in listing.unreadable.values():
            logger.error("%s", why)
        return {each.subscriber: each for each in listing.records}

    def note(self, progress: Progress) -> None:
        """Store it where the subscriber is not forgotten."""
        try:
            self._progress.store([self._noted(progress)], None)
        except _Forgotten:
            return  # whoever is still busy with it brings nothing back

    def bury(self, letter: Letter, progress: Progress, event: Event | None = None) -> None:
        """Keep the letter where the subscriber is not forgotten."""
        number = self._letters.history.number()
        kept = self._letters.put(
            _key(number), replace(letter, id=0), where=NEW, subscriber=letter.subscriber
        )
        try:
            self._letters.store([self._noted(progress), kept], event)
        except _Forgotten:
            return

    def forget(self, subscriber: str) -> int:
        """Forget progress, and letters after it: none can come any more."""
        self._progress.store([self._progress.delete(subscriber)], None)
        gone = [
            self._letters.delete(str(item["sk"]))
            for item in self._table.query(self._letters.name, where=equal(subscriber=subscriber))
        ]
        for begin in range(0, len(gone), MOST_CHANGES):
            self._letters.store(gone[begin : begin + MOST_CHANGES], None)
        return len(gone)

    def letters(
        self, *, subscriber: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Letter]:
        """Return the oldest, without those that cannot be read."""
        items = self._table.query(
            self._letters.name,
            after=_key(max(0, after)),
            where=None if subscriber is None else equal(subscriber=subscriber),
            limit=max(0, limit),
        )
        found = []
        for item in items:
            try:
                found.append(self._letter(item))
            except Unreadable as error:
                logger.error("%s", error.message)  # noqa: TRY400  no bug of ours
        return found

    def letter(self, letter_id: int) -> Letter:
        """Return the letter."""
        item = self._letters.item(_key(letter_id)) if letter_id > 0 else None
        if item is None:
            raise _unknown(letter_id)
        return self._letter(item)

    def counts(self) -> Mapping[str, int]:
        """Count the letters of each subscriber."""
        items = self._table.query(self._letters.name)
        return dict(Counter(str(item.get("subscriber")) for item in items))

    def drop(self, letter_id: int, event: Event) -> None:
        """Remove the letter."""
        gone = self._letters.delete(
            _key(letter_id), where=THERE, lost=lambda _: _unknown(letter_id)
        )
        self._letters.store([gone], event)

    def _noted(self, progress: Progress) -> Change:
        name = progress.subscriber
        return self._progress.put(
            name,
            progress,
            where=THERE,
            lost=lambda _: _Forgotten(f"subscriber {name!r} was forgotten"),
        )

    def _letter(self, item: Item) -> Letter:
        return replace(self._letters.read(item), id=int(item["sk"]))


def _key(letter_id: int) -> str:
    return f"{letter_id:0{_DIGITS}d}"


def _unknown(letter_id: int) -> ParkadeError:
    return LetterNotFound(f"no letter has the id {letter_id}", hint="see: parkade letters ls")
