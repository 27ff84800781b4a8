"""Testers, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.tester.tester import Tester
    from parkade.ports.catalog import Listing


class TesterStore(Protocol):
    """Stores testers with compare-and-set; each write appends its event, if it has one, with it."""

    def get(self, name: str) -> Tester:
        """Return the tester. Raises TesterNotFound, or Unreadable where it is damaged."""
        ...

    def all(self) -> Listing[Tester]:
        """Return every tester in the order of names; apart those that cannot be read."""
        ...

    def put(self, tester: Tester, event: Event | None = None) -> Tester:
        """Store the tester where `tester.version` of it (0: none) is still held.

        Returns it with its new version. Raises VersionConflict where another write came first, and
        Unreadable where the one that is held is damaged, with nothing stored.
        """
        ...

    def remove(self, name: str, event: Event) -> None:
        """Remove a tester, damaged or not. Raises TesterNotFound, with nothing written."""
        ...
