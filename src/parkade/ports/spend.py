"""What was spent, stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from parkade.domain.cost import Presence, Tally
from parkade.domain.errors import VersionConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

_Entry = TypeVar("_Entry", Tally, Presence)


@dataclass(frozen=True, slots=True)
class Known:
    """Until when all was added when somebody looked, as `until` told it; None: nothing was.

    Whoever notes what passed since then adds it only where nobody has added anything meanwhile: of
    two that note the same minutes, one is told to look again.
    """

    until: datetime | None


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

    def add(
        self,
        tallies: Iterable[Tally],
        presences: Iterable[Presence],
        until: datetime,
        *,
        since: Known | None = None,
    ) -> None:
        """Add to what is stored of the same keys, and note until when it is known: all or nothing.

        Raises VersionConflict, with nothing added, where that is not known until `since` any more
        (None: until whenever it is). An endpoint and owner that were not there before are first
        seen where their presence begins, or at `until` less its span if that is later.
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


def put_together(entries: Iterable[_Entry], query: SpendQuery) -> list[_Entry]:
    """Return what a query asks for, put together, in the order of what it is put together by."""
    found: dict[tuple[object, ...], _Entry] = {}
    for each in entries:
        if (
            query.start <= each.at < query.end
            and query.endpoint_name in {None, each.endpoint_name}
            and query.owner in {None, each.owner}
        ):
            one = replace(each, at=day_of(each.at) if query.by_day else query.start)
            present = found.get(one.key)
            found[one.key] = one if present is None else present.plus(one)
    # Unpriced sorts before any price, as an empty text does.
    return [found[key] for key in sorted(found, key=lambda key: tuple(map(_sortable, key)))]


def require_known(since: Known | None, until: datetime | None) -> None:
    """Raise VersionConflict where all is added until another instant than the one that was seen."""
    if since is not None and since.until != until:
        raise VersionConflict(
            "what was spent was added to by somebody else meanwhile",
            hint="look until when it is known, then note what passed since",
        )


def _sortable(part: object) -> str:
    return "" if part is None else str(part)
