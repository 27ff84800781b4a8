"""Price lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from parkade.domain.price import PriceList


class PriceLists(Protocol):
    """Holds the price list that comes with Parkade, and those that were fetched since."""

    def packaged(self, region: str) -> PriceList | None:
        """Return the list that comes with Parkade; None: it has none of this region."""
        ...

    def fetched(self, region: str) -> PriceList | None:
        """Return the newest list that was put; None: none was. Raises Unreadable."""
        ...

    def put(self, prices: PriceList) -> None:
        """Store the list in place of the one of its region, as a whole or not at all.

        Raises Unavailable.
        """
        ...


class PriceOffice(Protocol):
    """Whoever sets the prices."""

    #: Its name, for people.
    name: str

    def hosting(self, region: str) -> Mapping[str, Decimal]:
        """Return USD an hour on demand by the type of hosting instances, of all types there are.

        Raises Unauthenticated (no credentials), Forbidden, InvalidInput (it knows no such region)
        or Unavailable; an answer that is not understood, or is empty, is Unavailable as well.
        """
        ...
