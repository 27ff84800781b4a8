"""Price lists in dictionaries, and an office that knows what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, ParkadeError, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from parkade.domain.price import PriceList


class MemoryPriceLists:
    """The price lists port. `torn` makes what was fetched unreadable, as a broken disk would."""

    def __init__(self, packaged: Iterable[PriceList] = ()) -> None:
        self._packaged = {each.region: each for each in packaged}
        self._fetched: dict[str, PriceList] = {}
        self._torn = False

    def tear(self) -> None:
        """Make what was fetched unreadable until something is put."""
        self._torn = True
        self._fetched.clear()

    def packaged(self, region: str) -> PriceList | None:
        """Return the list that comes with Parkade."""
        return self._packaged.get(region)

    def fetched(self, region: str) -> PriceList | None:
        """Return the newest list that was put."""
        if self._torn:
            raise Unreadable("the price list cannot be read: it is torn")
        return self._fetched.get(region)

    def put(self, prices: PriceList) -> None:
        """Store the list."""
        self._torn = False
        self._fetched[prices.region] = prices


class MemoryPriceOffice:
    """The price office port. `refusal` is raised instead of an answer."""

    name = "a price office in memory"

    def __init__(self, prices: Mapping[str, Mapping[str, Decimal]]) -> None:
        self._prices = prices
        self.refusal: ParkadeError | None = None

    def hosting(self, region: str) -> Mapping[str, Decimal]:
        """Return the prices of a region."""
        if self.refusal is not None:
            raise self.refusal
        if region not in self._prices:
            raise InvalidInput(f"there are no prices for {region!r}", field="region")
        return self._prices[region]
