"""A lease book that is read and never written: what a change would leave behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin, LeaseBook, Shelf


class RehearsedBook:
    """The lease book port over another book, which it leaves as it is."""

    def __init__(self, book: LeaseBook) -> None:
        self._book = book

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease as the book has it."""
        return self._book.get(endpoint_name)

    def all(self) -> Shelf:
        """Return every lease as the book has it."""
        return self._book.all()

    def put(
        self,
        lease: Lease,
        event: Event,  # noqa: ARG002
        *,
        coin: Coin | None = None,  # noqa: ARG002
        purse: Purse | None = None,  # noqa: ARG002
    ) -> Lease:
        """Return the lease as it would be stored."""
        return replace(lease, version=lease.version + 1)

    def remove(self, lease: Lease, event: Event) -> None:
        """Leave the lease where it is."""

    def spent(self, coin: Coin) -> Lease | None:
        """Return what the coin paid for."""
        return self._book.spent(coin)
