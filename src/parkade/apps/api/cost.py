"""What endpoints cost: `/v1/cost`."""

import asyncio
import csv
import io
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Query, Request
from starlette.responses import PlainTextResponse

from parkade.apps.api.auth import Invoker, may_see, require_sight
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.money import BillView
from parkade.apps.api.times import since as instant
from parkade.services.costs import By

if TYPE_CHECKING:
    from parkade.apps.api.schemas.money import SumView

routes = router("Money")

_COLUMNS = (
    "endpoint", "owner", "day", "instance_types", "instance_hours", "cost_usd", "used_usd",
    "idle_usd", "always_on_usd", "saved_usd", "unpriced",
)  # fmt: skip
_CSV = "text/csv"


@routes.get(
    "/v1/cost",
    response_model=BillView,
    responses={200: {"content": {_CSV: {}}, "description": "As JSON, or as CSV."}},
)
async def get_cost(
    *,
    services: Both,
    caller: Invoker,
    request: Request,
    endpoint: Annotated[str | None, Query(description="Only this endpoint.")] = None,
    owner: Annotated[str | None, Query(description="Only this owner.")] = None,
    since: Annotated[
        str, Query(description="`7d`, `12h`, `90m` ago, or an instant; whole hours are counted.")
    ] = "7d",
    by: Annotated[By, Query(description="What is added up.")] = By.ENDPOINT,
    format: Annotated[  # noqa: A002  the name that callers write
        Literal["json", "csv"] | None, Query(description="Left out: as Accept says.")
    ] = None,
) -> BillView | PlainTextResponse:
    """Tell what endpoints cost, used and idle apart, and what always-on would have cost.

    An invoker sees the endpoints it may invoke.
    """
    if endpoint is not None:
        require_sight(caller, endpoint)
    # A week of a thousand endpoints takes a second to add up: not on the loop that serves all.
    bill = await asyncio.to_thread(
        services.money.costs.bill,
        since=instant(since, services.clock.now()),
        by=by,
        endpoint_name=endpoint,
        owner=owner,
        sees=lambda name: may_see(caller, name),
    )
    view = BillView.of(bill, by, services.money.bookkeeper.trouble)
    wanted = format or ("csv" if _CSV in request.headers.get("accept", "") else "json")
    return PlainTextResponse(_csv(view), media_type=_CSV) if wanted == "csv" else view


def _csv(view: BillView) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for each in view.lines:
        writer.writerow([
            each.endpoint_name or "",
            each.owner or "",
            each.day or "",
            " ".join(each.instance_types),
            each.instance_hours,
            *map(_amount, (each.cost, each.used, each.idle, each.always_on)),
            each.saved,
            " ".join(each.cost.unpriced),
        ])  # fmt: skip
    return text.getvalue()


def _amount(amount: "SumView") -> str:
    """Write an amount; nothing where all of it is unpriced."""
    return "" if amount.unpriced and amount.usd == "0.00" else amount.usd
