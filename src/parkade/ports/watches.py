"""What the maintainer remembers of the endpoints it watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.ladder import Watch
    from parkade.ports.catalog import Listing


class WatchStore(Protocol):
    """Stores watches with compare-and-set; a write's event is stored in its transaction.

    Every write names what it was decided on, so that a snooze and a sweep never undo each other.
    A damaged row never hides the others, and is never written over.
    """

    def all(self) -> Listing[Watch]:
        """Return every watch in the order of endpoint names, and why others cannot be read."""
        ...

    def get(self, endpoint_name: str) -> Watch | None:
        """Return the watch; None where there is none. Raises Unreadable where it is damaged."""
        ...

    def put(self, watch: Watch, event: Event | None, *, before: Watch | None) -> None:
        """Store the watch where the store still holds `before` (None: holds none).

        Raises VersionConflict where it holds another, and Unreadable where that is damaged, with
        nothing stored.
        """
        ...

    def remove(self, before: Watch, event: Event | None) -> None:
        """Remove the watch where the store still holds it. Raises what `put` raises."""
        ...
