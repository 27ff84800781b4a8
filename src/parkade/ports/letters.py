"""How far each subscriber has got, and what could not be delivered to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Event
    from parkade.domain.subscriber import Letter, Progress


class LetterStore(Protocol):
    """Stores progress and letters, by the names of subscribers. Safe to use from many threads.

    What is written of a subscriber that was forgotten meanwhile is dropped, so that whoever is
    still busy with it brings nothing back.
    """

    def begin(self, subscriber: str, number: int) -> Progress:
        """Return how far it has got; one that is new begins after the event of this number.

        Progress that cannot be read begins there as well, and the letters stay.
        """
        ...

    def progress(self) -> Mapping[str, Progress]:
        """Return the progress of every subscriber, by name."""
        ...

    def note(self, progress: Progress) -> None:
        """Store how far it has got."""
        ...

    def bury(self, letter: Letter, progress: Progress, event: Event | None = None) -> None:
        """Keep the letter, go on beyond it, and append the event, in one transaction."""
        ...

    def forget(self, subscriber: str) -> int:
        """Forget its progress and letters; return how many letters there were."""
        ...

    def letters(
        self, *, subscriber: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Letter]:
        """Return the oldest `limit` letters with a higher id, in the order of ids."""
        ...

    def letter(self, letter_id: int) -> Letter:
        """Return the letter. Raises LetterNotFound, or Unreadable where it is damaged."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return how many letters each subscriber has, by name; none: not named."""
        ...

    def drop(self, letter_id: int, event: Event) -> None:
        """Remove the letter and append the event. Raises LetterNotFound."""
        ...
