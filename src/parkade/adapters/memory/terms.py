"""Terms in a dictionary, beside the lease book that they belong to."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import LeaseNotFound, Unreadable, VersionConflict
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.event import Event
    from parkade.domain.terms import Terms
    from parkade.ports.events import History
    from parkade.ports.leases import LeaseBook


class MemoryTermsStore:
    """The terms store port. `damage` makes terms unreadable, as a broken disk would."""

    def __init__(self, history: History, book: LeaseBook) -> None:
        self._history = history
        self._book = book
        #: With the instant at which their lease was made: one made again is another lease.
        self._terms: dict[str, tuple[datetime, Terms]] = {}
        self._damaged: dict[str, str] = {}
        self._lock = threading.Lock()

    def damage(self, endpoint_name: str, why: str) -> None:
        """Make the terms of this endpoint unreadable until they are set anew."""
        with self._lock:
            self._damaged[endpoint_name] = why

    def get(self, endpoint_name: str) -> Terms | None:
        """Return the terms, if there are any."""
        with self._lock:
            if endpoint_name in self._damaged:
                raise Unreadable(self._why(endpoint_name))
            return self._held().get(endpoint_name)

    def all(self) -> Listing[Terms]:
        """Return all terms in the order of endpoint names."""
        with self._lock:
            held = self._held()
            readable = tuple(held[name] for name in sorted(held) if name not in self._damaged)
            return Listing(readable, {name: self._why(name) for name in sorted(self._damaged)})

    def put(self, terms: Terms, event: Event) -> Terms:
        """Store the terms unless another write came first."""
        name = terms.endpoint_name
        stored = replace(terms, version=terms.version + 1)
        with self._lock:
            made_at = self._leases().get(name)
            if made_at is None:
                raise LeaseNotFound(
                    f"there is no lease for {name!r}, so nothing can be settled about it"
                )
            found = None if name in self._damaged else self._held().get(name)
            if (found.version if found else 0) != terms.version:
                raise VersionConflict(f"the terms of {name!r} were changed by somebody else")
            self._history.append(event)
            self._damaged.pop(name, None)
            self._terms[name] = (made_at, stored)
        return stored

    def _held(self) -> dict[str, Terms]:
        leases = self._leases()
        return {name: terms for name, (at, terms) in self._terms.items() if leases.get(name) == at}

    def _leases(self) -> dict[str, datetime]:
        return {lease.endpoint_name: lease.created_at for lease in self._book.all().leases}

    def _why(self, endpoint_name: str) -> str:
        return f"the terms of {endpoint_name!r} cannot be read: {self._damaged[endpoint_name]}"
