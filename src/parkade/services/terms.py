"""What owners settle about their leased endpoints: who watches, use, office hours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.event import Event
from parkade.domain.terms import Terms
from parkade.services.contention import contended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.ports.catalog import Listing
    from parkade.ports.clock import Clock
    from parkade.ports.terms import TermsStore


class TermsBook:
    """Reads and writes terms. `changed` is called after every write."""

    def __init__(
        self, store: TermsStore, *, clock: Clock, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms; None where nothing is settled. Raises Unreadable."""
        found = self._store.get(endpoint_name)
        return None if found is None or found.says_nothing else found

    def all(self) -> Listing[Terms]:
        """Return all terms, and why others cannot be read."""
        return self._store.all()

    def by_endpoint(self) -> Mapping[str, Terms]:
        """Return the terms that can be read and say anything, by endpoint name."""
        return {each.endpoint_name: each for each in self.all().records if not each.says_nothing}

    def put(self, terms: Terms, actor: str) -> Terms:
        """Store the terms over those of the version that they were made from.

        Returns them as stored. Raises VersionConflict where another write came first, and
        LeaseNotFound where the endpoint has no lease.
        """
        event = Event(
            at=self._clock.now(),
            kind="terms.set",
            actor=actor,
            reason=terms.words(),
            endpoint_name=terms.endpoint_name,
            data=terms.written(),
        )
        stored = self._store.put(terms, event)
        self._changed()
        return stored

    @contended
    def change(self, endpoint_name: str, actor: str, decide: Callable[[Terms], Terms]) -> Terms:
        """Set what `decide` makes of the present terms, again where another write came first.

        Where nothing is changed nothing is written. Raises what `put` and `get` raise.
        """
        held = self._store.get(endpoint_name) or Terms(endpoint_name=endpoint_name)
        wanted = replace(decide(held), endpoint_name=endpoint_name, version=held.version)
        return held if wanted == held else self.put(wanted, actor)

    def clear(self, endpoint_name: str, actor: str) -> None:
        """Settle nothing any more; where nothing is, nothing is written."""
        self.change(endpoint_name, actor, lambda _: Terms(endpoint_name=endpoint_name))
