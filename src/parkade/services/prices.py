"""What instances cost: the settings' prices, then AWS's own as fetched, then the packaged list."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.cost import SERVERLESS
from parkade.domain.errors import Unreadable
from parkade.domain.price import EMPTY, Machine, Price, PriceList, PriceSource, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from parkade.ports.prices import PriceLists

logger = logging.getLogger(__name__)

_WHY = {
    SERVERLESS: "serverless variants are priced by requests and memory, which is not done here",
    "": "its instance type is not known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The prices that are in force in the server's region."""

    region: str
    prices: Mapping[str, Price]
    #: Where the newest list is from, for people.
    origin: str
    #: What is wrong with the list that was fetched; empty: nothing.
    problem: str = ""

    def hourly(self, instance_type: str) -> Decimal | None:
        """Return USD an hour; None: unpriced."""
        known = self.prices.get(instance_type)
        return known.hourly if known else None


class Prices:
    """Knows the tariff; `own` are the prices of the settings, in USD an hour by instance type.

    Safe to use from several threads.
    """

    def __init__(
        self,
        lists: PriceLists,
        *,
        region: Callable[[], str],
        own: Callable[[], Mapping[str, Decimal]],
    ) -> None:
        self._lists = lists
        self._region = region
        self._own = own
        self._read: dict[str, tuple[Mapping[str, Price], str, str]] = {}
        #: Held while lists are read or put, lest one that was read before is kept after that.
        self._lock = threading.Lock()

    def tariff(self) -> Tariff:
        """Return the prices that are in force now.

        A list that was fetched and cannot be read is passed over, and told of.
        """
        region = self._region()
        with self._lock:
            if region not in self._read:
                self._read[region] = self._lists_of(region)
            listed, origin, problem = self._read[region]
        own = {
            name: Price(
                instance_type=name, region=region, hourly=hourly, source=PriceSource.SETTINGS
            )
            for name, hourly in self._own().items()
        }
        return Tariff(region=region, prices={**listed, **own}, origin=origin, problem=problem)

    def put(self, prices: PriceList) -> None:
        """Take a list that was fetched; it goes before the packaged one from now on."""
        with self._lock:
            self._lists.put(prices)
            self._read.pop(prices.region, None)

    def hourly(self, machines: Iterable[Machine]) -> Sum:
        """Return what the machines cost an hour; what has no price is named in it."""
        tariff = self.tariff()
        whole = EMPTY
        for each in machines:
            known = None if each.serverless else tariff.hourly(each.instance_type)
            if known is None:
                whole = whole.plus(Sum(unpriced=frozenset({kind(each)})))
            else:
                whole = whole.plus(Sum(usd=known * each.count))
        return whole

    def _lists_of(self, region: str) -> tuple[Mapping[str, Price], str, str]:
        packaged = self._lists.packaged(region)
        prices = packaged.prices(PriceSource.PACKAGED) if packaged else {}
        origin = packaged.origin if packaged else f"there is no price list of {region}"
        try:
            fetched = self._lists.fetched(region)
        except Unreadable as error:
            logger.error("the price list of %s is passed over: %s", region, error.message)  # noqa: TRY400  no bug of ours
            return prices, origin, error.message
        if fetched is not None:
            prices = {**prices, **fetched.prices(PriceSource.AWS)}
            origin = fetched.origin
        return prices, origin, ""


def kind(machine: Machine) -> str:
    """Name what a machine has its price by."""
    return SERVERLESS if machine.serverless else machine.instance_type


def why_unpriced(instance_type: str, region: str) -> str:
    """Tell why something has no price."""
    return _WHY.get(instance_type, f"no price of {instance_type} in {region} is known")
