"""What is settled about leased endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.terms import Terms
    from parkade.ports.catalog import Listing


class TermsStore(Protocol):
    """Stores terms with compare-and-set; each write appends its event in the same transaction.

    Terms belong to the lease of their endpoint: they stay while it stays, ended or not, and go when
    it is removed.
    """

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms; None where none were set. Raises Unreadable where they are damaged."""
        ...

    def all(self) -> Listing[Terms]:
        """Return all terms in the order of endpoint names, and why others cannot be read."""
        ...

    def put(self, terms: Terms, event: Event) -> Terms:
        """Store the terms where `terms.version` of them (0: none) is still held.

        Returns them with their new version. Raises VersionConflict where another write came first,
        and LeaseNotFound where the endpoint has no lease, with nothing stored. Terms that are
        damaged are written over by version 0: whoever sets terms anew mends them.
        """
        ...
