"""Price lists: one item a region, beside the lists that come with Parkade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.kind import Kind
from parkade.adapters.folder import prices as folder
from parkade.domain.price import PriceList

if TYPE_CHECKING:
    from parkade.adapters.aws.dynamodb.events import DynamoHistory


class DynamoPriceLists:
    """The price lists port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "prices", PriceList, "the price list of")

    def packaged(self, region: str) -> PriceList | None:
        """Return the list that comes with Parkade."""
        return folder.packaged(region)

    def fetched(self, region: str) -> PriceList | None:
        """Return the newest list that was put."""
        return self._kind.find(region)

    def put(self, prices: PriceList) -> None:
        """Store the list over the one of its region, damaged or not."""
        self._kind.store([self._kind.put(prices.region, prices)], None)
