"""The lease book in a dictionary."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.memory.purses import MemoryPurses
from parkade.domain.errors import Conflict, LeaseNotFound, Unreadable, VersionConflict
from parkade.ports.leases import Shelf

if TYPE_CHECKING:
    from collections.abc import Collection

    from parkade.adapters.memory.events import MemoryHistory
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin


class MemoryLeaseBook:
    """The lease book port. `damage` makes a row unreadable, as a broken disk would."""

    def __init__(self, history: MemoryHistory, purses: MemoryPurses | None = None) -> None:
        self._history = history
        self._purses = purses or MemoryPurses()
        history.owner_of = self._owner
        self._leases: dict[str, Lease] = {}
        self._damaged: dict[str, str] = {}
        self._spent: dict[tuple[str, str, str], tuple[str, Lease]] = {}
        self._lock = threading.Lock()

    def damage(self, endpoint_name: str, why: str) -> None:
        """Make the lease of this name unreadable for ever."""
        with self._lock:
            self._leases.pop(endpoint_name, None)
            self._damaged[endpoint_name] = why

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease."""
        with self._lock:
            lease = self._current(endpoint_name)
        if lease is None:
            raise LeaseNotFound(f"no lease has the endpoint name {endpoint_name!r}")
        return lease

    def all(self) -> Shelf:
        """Return every lease in the order of names."""
        with self._lock:
            leases = tuple(self._leases[name] for name in sorted(self._leases))
            return Shelf(leases, dict(sorted(self._damaged.items())))

    def due(self, names: Collection[str]) -> Shelf:
        """Return the leases that are not closed, those of these names, and what is damaged."""
        shelf = self.all()
        wanted = frozenset(names)
        return Shelf(
            tuple(
                each for each in shelf.leases if each.ended is None or each.endpoint_name in wanted
            ),
            shelf.unreadable,
        )

    def of(self, names: Collection[str]) -> Shelf:
        """Return the leases of these endpoints."""
        shelf, wanted = self.all(), frozenset(names)
        return Shelf(
            tuple(each for each in shelf.leases if each.endpoint_name in wanted),
            {name: why for name, why in shelf.unreadable.items() if name in wanted},
        )

    def put(
        self, lease: Lease, event: Event, *, coin: Coin | None = None, purse: Purse | None = None
    ) -> Lease:
        """Store the lease unless another write came first."""
        stored = replace(lease, version=lease.version + 1)
        with self._lock:
            self._require_version(lease)
            if coin is not None and _place(coin) in self._spent:
                raise _lost(lease)
            if purse is not None:
                self._purses.spend(purse)
            self._history.append(replace(event, owner=event.owner or lease.owner))
            self._leases[lease.endpoint_name] = stored
            if coin is not None:
                self._spent[_place(coin)] = (coin.request, stored)
        return stored

    def remove(self, lease: Lease, event: Event) -> None:
        """Remove the lease and its coins unless another write came first."""
        with self._lock:
            self._require_version(lease)
            if lease.endpoint_name not in self._leases:
                raise _lost(lease)
            self._history.append(replace(event, owner=event.owner or lease.owner))
            del self._leases[lease.endpoint_name]
            for key in [key for key in self._spent if key[0] == lease.endpoint_name]:
                del self._spent[key]

    def spent(self, coin: Coin) -> Lease | None:
        """Return the lease as this coin's change left it."""
        with self._lock:
            found = self._spent.get(_place(coin))
        if found is None:
            return None
        request, lease = found
        if request != coin.request:
            raise Conflict(
                f"Idempotency-Key {coin.key!r} was used for another request on "
                f"{coin.endpoint_name!r}",
                hint="use a new key for a new request",
            )
        return lease

    def _owner(self, endpoint_name: str) -> str:
        lease = self._leases.get(endpoint_name)
        return lease.owner if lease is not None else ""

    def _current(self, endpoint_name: str) -> Lease | None:
        if endpoint_name in self._damaged:
            raise Unreadable(
                f"the lease of {endpoint_name!r} cannot be read: {self._damaged[endpoint_name]}"
            )
        return self._leases.get(endpoint_name)

    def _require_version(self, lease: Lease) -> None:
        current = self._current(lease.endpoint_name)
        if current is None:
            held = lease.version == 0
        else:
            # A lease that was removed and made again counts from 1 again: it is another one.
            held = current.version == lease.version and current.created_at == lease.created_at
        if not held:
            raise _lost(lease)


def _place(coin: Coin) -> tuple[str, str, str]:
    return coin.endpoint_name, coin.scope, coin.key


def _lost(lease: Lease) -> VersionConflict:
    return VersionConflict(
        f"the lease of {lease.endpoint_name!r} was changed by somebody else",
        hint="read it again, then decide again",
    )
