"""The history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from parkade.domain.event import is_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from parkade.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events to read. Kinds match exactly, or by prefix where they end with a dot."""

    endpoint_name: str | None = None
    kinds: tuple[str, ...] = ()
    #: Only events of these owners; empty: of all, and of none.
    owners: tuple[str, ...] = ()
    #: Only events with a higher number.
    after: int = 0
    since: datetime | None = None
    limit: int = 100

    def matches(self, event: Event) -> bool:
        """Tell whether an event is asked for, the limit aside."""
        return (
            event.number > self.after
            and self.endpoint_name in {None, event.endpoint_name}
            and (self.since is None or event.at >= self.since)
            and (not self.owners or event.owner in self.owners)
            and (not self.kinds or any(is_kind(event.kind, kind) for kind in self.kinds))
        )


class History(Protocol):
    """Append-only. Events that belong to a change are written by the store of that change.

    An event that names no owner gets that of its endpoint's lease, as the book holds it then.
    """

    def append(self, event: Event) -> Event:
        """Store the event for ever; return it with its number. Numbers only rise."""
        ...

    def read(self, query: EventQuery) -> Sequence[Event]:
        """Return the oldest `limit` matches above `after`, in the order of numbers."""
        ...

    def latest(self, query: EventQuery) -> Sequence[Event]:
        """Return the newest `limit` matches, in the order of numbers."""
        ...

    def watch(self, listener: Callable[[], None]) -> None:
        """Have `listener` called whenever this process may have stored events, by any store.

        It is called on the thread that stored them, after they can be read; it must be quick and
        must not raise.
        """
        ...
