"""AWS's price API: on-demand prices of SageMaker's hosting instances.

The API tells products as JSON texts, a page at a time; each has the terms under which it is sold.
Where several products are sold for one instance type, the dearest counts: a price list must not
promise less than is paid.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput, Unavailable
from parkade.domain.price import CURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A region in which the API itself is; it tells the prices of all.
_HOME = "us-east-1"
_FAMILY, _COMPONENT = "ML Instance", "Hosting"
_CONFIG = Config(
    connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)


class AwsPriceOffice:
    """The price office port, with the credentials that botocore finds."""

    name = "AWS's price API"

    def __init__(
        self, session: botocore.session.Session | None = None, *, profile: str | None = None
    ) -> None:
        self._session = session or botocore.session.Session(profile=profile)

    def hosting(self, region: str) -> Mapping[str, Decimal]:
        """Return USD an hour by instance type."""
        prices: dict[str, Decimal] = {}
        for product in self._products(region):
            sold = _price(product)
            if sold is not None:
                instance_type, hourly = sold
                prices[instance_type] = max(hourly, prices.get(instance_type, hourly))
        if not prices:
            raise InvalidInput(
                f"{self.name} tells no prices of hosting instances in {region!r}",
                field="region",
                hint="give the name of an AWS region such as eu-central-1; the prices stay as they "
                "are",
            )
        return prices

    def _products(self, region: str) -> Iterator[dict[str, Any]]:
        asked = {"productFamily": _FAMILY, "component": _COMPONENT, "regionCode": region}
        with calling(f"{self.name} cannot be asked"):
            client = self._session.create_client("pricing", region_name=_HOME, config=_CONFIG)
        what = (
            f"{self.name} at {client.meta.endpoint_url}, which needs the permission "
            "pricing:GetProducts, tells no prices; they stay as they are"
        )
        try:
            with calling(what):
                pages = client.get_paginator("get_products").paginate(
                    ServiceCode="AmazonSageMaker",
                    Filters=[
                        {"Type": "TERM_MATCH", "Field": field, "Value": value}
                        for field, value in asked.items()
                    ],
                )
                for page in pages:
                    yield from map(_product, _listed(page))
        except ValueError as error:
            raise Unavailable(
                f"{what}: {error}",
                hint="try again, and look whether AWS_ENDPOINT_URL leads elsewhere",
            ) from error


def _listed(page: Mapping[str, Any]) -> list[object]:
    listed = page.get("PriceList")
    if not isinstance(listed, list):
        raise ValueError("it has no PriceList")  # noqa: TRY004  told with the others
    return listed


def _product(text: object) -> dict[str, Any]:
    product = json.loads(text) if isinstance(text, str) else text
    if not isinstance(product, dict):
        raise ValueError(f"a product is {str(text)[:80]!r}")  # noqa: TRY004  told with the others
    return product


def _price(product: dict[str, Any]) -> tuple[str, Decimal] | None:
    """Return type and hourly price of a hosting instance; None: it is none, or costs nothing."""
    try:
        attributes = product["product"]["attributes"]
        if (product["product"]["productFamily"], attributes.get("component")) != (
            _FAMILY,
            _COMPONENT,
        ):
            return None
        hourly = [
            Decimal(dimension["pricePerUnit"][CURRENCY])
            for term in product["terms"].get("OnDemand", {}).values()
            for dimension in term["priceDimensions"].values()
            if dimension["unit"].lower() in {"hrs", "hours", "hour"}
        ]
        priced = [each for each in hourly if each.is_finite() and each > 0]
        return (str(attributes["instanceName"]), max(priced)) if priced else None
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise Unavailable(
            f"AWS's price API tells a product in a form that is not known here: {error!r}",
            hint="the prices stay as they are; this may need a newer Parkade",
        ) from error
