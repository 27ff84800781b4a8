"""Terms: an item a lease, which goes in the transaction that removes the lease."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.events import LEASE
from parkade.adapters.aws.dynamodb.kind import THERE, Kind, unchanged
from parkade.adapters.aws.dynamodb.leases import TERMS
from parkade.domain.errors import LeaseNotFound, Unreadable, VersionConflict
from parkade.domain.terms import Terms

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing


class DynamoTermsStore:
    """The terms store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, TERMS, Terms, "the terms of")

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms, if there are any."""
        return self._kind.find(endpoint_name)

    def all(self) -> Listing[Terms]:
        """Return all terms in the order of endpoint names, those apart that cannot be read."""
        return self._kind.listing()

    def put(self, terms: Terms, event: Event) -> Terms:
        """Store terms and event while there is a lease, unless another write came first."""
        name = terms.endpoint_name
        item = self._kind.item(name)
        if self._version(item) != terms.version:
            raise _lost(name)
        stored = replace(terms, version=terms.version + 1)
        lease = self._kind.table.change.check((LEASE, name), THERE, lost=lambda _: _unleased(name))
        written = self._kind.put(name, stored, where=unchanged(item), lost=lambda _: _lost(name))
        self._kind.store([lease, written], event)
        return stored

    def _version(self, item: Item | None) -> int:
        try:
            return 0 if item is None else self._kind.read(item).version
        except Unreadable:
            return 0  # what is set anew takes the place of what nobody can read


def _lost(name: str) -> ParkadeError:
    return VersionConflict(
        f"the terms of {name!r} were changed by somebody else",
        hint="read them again, then decide again",
    )


def _unleased(name: str) -> ParkadeError:
    return LeaseNotFound(
        f"there is no lease for {name!r}, so nothing can be settled about it",
        hint=f"make one: parkade add {name} --config CONFIG --minutes 30",
    )
