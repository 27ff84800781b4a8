"""A lease book that is read and never written, and machines of a config that is yet to be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.errors import ConfigNotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from parkade.domain.cost import Instance
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.domain.price import Machine
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin, LeaseBook, Shelf
    from parkade.ports.machines import Machines


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

    def due(self, names: Collection[str]) -> Shelf:
        """Return the leases that are due as the book has them."""
        return self._book.due(names)

    def of(self, names: Collection[str]) -> Shelf:
        """Return the leases of these endpoints as the book has them."""
        return self._book.of(names)

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


class RehearsedMachines:
    """The machines port over another one, with one endpoint config as if it had been made."""

    def __init__(self, inner: Machines, config_name: str, machines: Sequence[Machine]) -> None:
        self._inner = inner
        self._config_name = config_name
        self._machines = machines

    def wanted(self, endpoint_name: str, config_name: str) -> Sequence[Machine]:
        """Return what the endpoint runs on if it runs, else what it would with this config."""
        try:
            return self._inner.wanted(endpoint_name, config_name)
        except ConfigNotFound:
            if config_name != self._config_name:
                raise
            return self._machines

    def present(self) -> Sequence[Instance]:
        """Return every instance that exists."""
        return self._inner.present()

    def host_of(self, endpoint_name: str, name: str) -> str:
        """Return the variant that an inference component of this name runs on."""
        return self._inner.host_of(endpoint_name, name)
