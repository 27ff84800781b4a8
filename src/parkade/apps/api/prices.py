"""What instances cost, and time before it is bought: `/v1/prices`, `/v1/price`."""

from typing import Annotated

from fastapi import Path, Query

from parkade.apps.api.auth import Admin, Invoker, Operator
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.money import PriceListForm, PriceListView, PriceView, QuoteView
from parkade.apps.serverfile import REGION
from parkade.domain import lease as leases
from parkade.services.prices import why_unpriced

routes = router("Money")


@routes.get("/v1/prices")
async def list_prices(
    services: Both,
    _caller: Invoker,
    type: Annotated[  # noqa: A002  the name that callers write
        list[str] | None,
        Query(description="Only these instance types; one without a price is told as unpriced."),
    ] = None,
) -> PriceListView:
    """List the prices that are in force, in the order of instance types."""
    tariff = services.money.prices.tariff()
    wanted = sorted(tariff.prices) if type is None else type
    prices = [
        PriceView.of(tariff.prices[name])
        if name in tariff.prices
        else PriceView.unpriced(name, why_unpriced(name, tariff.region))
        for name in wanted
    ]
    return PriceListView.of(tariff, prices)


@routes.put("/v1/prices/{region}", status_code=204)
async def put_prices(
    services: Both,
    _caller: Admin,
    region: Annotated[str, Path(pattern=REGION, description="An AWS region.")],
    form: PriceListForm,
) -> None:
    """Take a price list that was fetched; it goes before the packaged one.

    `parkade prices update` fetches AWS's.
    """
    services.money.prices.put(form.of(region))


@routes.get("/v1/price")
async def get_price(
    services: Both,
    caller: Operator,
    endpoint: Annotated[str, Query(description="The endpoint, leased or not.")],
    minutes: Annotated[
        float | None, Query(description="Left out: initial_provision_minutes of the server.")
    ] = None,
    config: Annotated[
        str | None, Query(description="The endpoint config, where there is no lease yet.")
    ] = None,
    owner: Annotated[
        str | None, Query(description="Who would pay, where there is no lease yet.")
    ] = None,
) -> QuoteView:
    """Tell what time costs before it is bought, and what it would leave of the budget."""
    quote = services.money.quotes.price(
        endpoint,
        config_name=config,
        amount=None if minutes is None else leases.minutes(minutes),
        owner=owner or caller.name,
    )
    return QuoteView.of(quote)
