"""How far subscribers have got, and their letters, in dictionaries."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import LetterNotFound
from parkade.domain.subscriber import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Event
    from parkade.domain.subscriber import Letter
    from parkade.ports.events import History


class MemoryLetterStore:
    """The letter store port."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._progress: dict[str, Progress] = {}
        self._letters: dict[int, Letter] = {}
        self._last = 0
        self._lock = threading.Lock()

    def begin(self, subscriber: str, number: int) -> Progress:
        """Return its progress, made here where there is none."""
        with self._lock:
            fresh = Progress(subscriber=subscriber, number=number)
            return self._progress.setdefault(subscriber, fresh)

    def progress(self) -> Mapping[str, Progress]:
        """Return all progress."""
        with self._lock:
            return dict(self._progress)

    def note(self, progress: Progress) -> None:
        """Store it where the subscriber is not forgotten."""
        with self._lock:
            if progress.subscriber in self._progress:
                self._progress[progress.subscriber] = progress

    def bury(self, letter: Letter, progress: Progress, event: Event | None = None) -> None:
        """Keep the letter where the subscriber is not forgotten."""
        with self._lock:
            if progress.subscriber not in self._progress:
                return
            if event is not None:
                self._history.append(event)
            self._progress[progress.subscriber] = progress
            self._last += 1
            self._letters[self._last] = replace(letter, id=self._last)

    def forget(self, subscriber: str) -> int:
        """Forget progress and letters."""
        with self._lock:
            self._progress.pop(subscriber, None)
            gone = [each.id for each in self._letters.values() if each.subscriber == subscriber]
            for letter_id in gone:
                del self._letters[letter_id]
            return len(gone)

    def letters(
        self, *, subscriber: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Letter]:
        """Return the oldest."""
        with self._lock:
            found = [
                each
                for letter_id, each in self._letters.items()
                if letter_id > after and subscriber in {None, each.subscriber}
            ]
        return found[: max(0, limit)]

    def letter(self, letter_id: int) -> Letter:
        """Return the letter."""
        with self._lock:
            try:
                return self._letters[letter_id]
            except KeyError as error:
                raise _unknown(letter_id) from error

    def counts(self) -> Mapping[str, int]:
        """Count the letters of each subscriber."""
        with self._lock:
            return dict(Counter(each.subscriber for each in self._letters.values()))

    def drop(self, letter_id: int, event: Event) -> None:
        """Remove the letter."""
        with self._lock:
            if letter_id not in self._letters:
                raise _unknown(letter_id)
            self._history.append(event)
            del self._letters[letter_id]


def _unknown(letter_id: int) -> LetterNotFound:
    return LetterNotFound(f"no letter has the id {letter_id}", hint="see: parkade letters ls")
