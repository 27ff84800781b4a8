"""One endpoint and its lease, for who has to decide about them alone.

A list of all endpoints takes a call for each hundred, which a look at one need not wait for. What is
asked about others is answered by the whole book: budgets are everybody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.ports.leases import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import Coin, LeaseBook


class OneEndpoint:
    """The hosting port that sees one endpoint, and acts as the whole does."""

    def __init__(
        self, hosting: Hosting, look: Callable[[str], ObservedEndpoint | None], name: str
    ) -> None:
        """`look` returns how one endpoint is now."""
        self._hosting = hosting
        self._look = look
        self._name = name

    def endpoints(self) -> Mapping[str, ObservedEndpoint]:
        """Return the one, if it is there."""
        seen = self._look(self._name)
        return {} if seen is None else {self._name: seen}

    def require_config(self, config_name: str) -> None:
        """Raise ConfigNotFound unless an endpoint config has this name."""
        self._hosting.require_config(config_name)

    def create(self, endpoint_name: str, config_name: str) -> None:
        """Begin to create the endpoint."""
        self._hosting.create(endpoint_name, config_name)

    def delete(self, endpoint_name: str) -> None:
        """Begin to delete the endpoint."""
        self._hosting.delete(endpoint_name)

    def sleep(self, endpoint_name: str) -> None:
        """Begin to put the endpoint to sleep."""
        self._hosting.sleep(endpoint_name)

    def wake(self, endpoint_name: str) -> None:
        """Begin to wake the endpoint."""
        self._hosting.wake(endpoint_name)


class OneLease:
    """The lease book port that lists one lease, and reads and writes as the whole does."""

    def __init__(self, book: LeaseBook, name: str) -> None:
        self._book = book
        self._name = name

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease."""
        return self._book.get(endpoint_name)

    def all(self) -> Shelf:
        """Return the one, if it is there."""
        return self._book.of([self._name])

    def due(self, names: Collection[str]) -> Shelf:  # noqa: ARG002  the one is all there is
        """Return the one, if it is there."""
        return self.all()

    def of(self, names: Collection[str]) -> Shelf:
        """Return the one, where it is among these."""
        return self.all() if self._name in names else Shelf((), {})

    def put(
        self, lease: Lease, event: Event, *, coin: Coin | None = None, purse: Purse | None = None
    ) -> Lease:
        """Store the lease."""
        return self._book.put(lease, event, coin=coin, purse=purse)

    def remove(self, lease: Lease, event: Event) -> None:
        """Remove the lease."""
        self._book.remove(lease, event)

    def spent(self, coin: Coin) -> Lease | None:
        """Return the lease as this coin left it."""
        return self._book.spent(coin)
