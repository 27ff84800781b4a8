"""The lease book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that the book holds: the leases, and why others cannot be read, by endpoint name."""

    leases: tuple[Lease, ...]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """A caller's Idempotency-Key on one endpoint: the change it paid for counts once.

    `scope` is the token's name, so that callers cannot collide; `request` is what was asked, so
    that a key used again for something else is told from a repetition.
    """

    scope: str
    endpoint_name: str
    key: str
    request: str


class LeaseBook(Protocol):
    """Stores leases with compare-and-set; each write appends its event in the same transaction.

    Safe to use from several threads and processes at once. A lease that was removed and made
    again, at another instant, is another lease, though its version be the same.
    """

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease. Raises LeaseNotFound, or Unreadable where the row is damaged."""
        ...

    def all(self) -> Shelf:
        """Return every lease in the order of names; a damaged row never hides the others."""
        ...

    def due(self, names: Collection[str]) -> Shelf:
        """Return the leases that the meter may have to act for, in the order of names.

        These are all that are not closed, and those of `names`, closed or not: the endpoints that
        something else is known of. It reads no others, so that what was closed long ago costs
        nothing. A damaged one is told where it is of these, or may be. What is not of `names` may
        be as it was a moment ago.
        """
        ...

    def of(self, names: Collection[str]) -> Shelf:
        """Return the leases of these endpoints, in the order of names; some may have none."""
        ...

    def put(
        self, lease: Lease, event: Event, *, coin: Coin | None = None, purse: Purse | None = None
    ) -> Lease:
        """Store the lease where the book still holds `lease.version` (0: holds none) of it.

        Returns it with its new version. Raises VersionConflict where another write came first,
        with nothing stored. A `coin` is recorded with the new lease in the same transaction; one
        that was spent before raises VersionConflict as well: ask `spent` again; and so does a
        `purse` that something was paid from since it was read. A lease that was
        removed and made again (another `created_at`) is another one, whatever its version.
        """
        ...

    def remove(self, lease: Lease, event: Event) -> None:
        """Remove the lease where the book still holds `lease.version` of it.

        Raises VersionConflict where another write came first, Unreadable where the row there is
        damaged. Its coins go with it.
        """
        ...

    def spent(self, coin: Coin) -> Lease | None:
        """Return the lease as the change that this coin paid for left it; None: not spent yet.

        Raises Conflict where the key was spent on another request. A book remembers coins for as
        long as their lease is there, or for ninety days.
        """
        ...
