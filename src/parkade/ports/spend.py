"""What was spent, stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.cost import Presence, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery:
    """What to read: periods that begin at `start` or later, and before `end`."""

    start: datetime
    end: datetime
    endpoint_name: str | None = None
    owner: str | None = None
    #: Whether periods are put together to days of UTC; otherwise all of them are one, at `start`.
    by_day: bool = False


class SpendStore(Protocol):
    """Adds up tallies. Safe to use from several threads.

    What is damaged raises Unreadable, what cannot be used Unavailable, a full disk
    ResourceLimitExceeded; a sum that lacks something is never returned.
    """

    def add(self, tallies: Iterable[Tally], presences: Iterable[Presence], until: datetime) -> None:
        """Add to what is stored of the same keys, and note until when it is known: all or nothing.

        An endpoint and owner that were not there before are first seen where their presence begins,
        or at `until` less its span if that is later.
        """
        ...

    def until(self) -> datetime | None:
        """Return until when all is added; None: nothing ever was."""
        ...

    def tallies(self, query: SpendQuery) -> Sequence[Tally]:
        """Return the tallies, those that differ in nothing but their period put together."""
        ...

    def presences(self, query: SpendQuery) -> Sequence[Presence]:
        """Return the presences, put together in the same way."""
        ...

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each endpoint was first seen with each owner, by (endpoint, owner)."""
        ...

    def forget(self, before: datetime) -> None:
        """Remove periods that began earlier."""
        ...


def day_of(at: datetime) -> datetime:
    """Return the beginning of the day of UTC that an instant lies in."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
