"""The API that the first clients speak: `/endpoint-expiry`; executions are in a module of their own.

Its names are the seed's, its answers have the form of the query in every case.
"""

from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, Operator, may_see, require_sight
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.expiry import ExpiryForm, ExpiryView
from parkade.domain import names

routes = router("The meter")


@routes.get("/endpoint-expiry")
async def time_left(
    services: Both,
    caller: Invoker,
    name: Annotated[
        str | None, Query(alias="EndpointName", description="Left out: all endpoints.")
    ] = None,
) -> ExpiryView | list[ExpiryView]:
    """Tell until when one endpoint is paid for, or all.

    An invoker sees the endpoints it may invoke.
    """
    now = services.clock.now()
    if name is not None:
        require_sight(caller, names.endpoint_name(name))
        return ExpiryView.of(services.meter.get(name), now)
    leases = services.meter.all().leases
    return [ExpiryView.of(each, now) for each in leases if may_see(caller, each.endpoint_name)]


@routes.post("/endpoint-expiry")
async def pay(
    services: Both, caller: Operator, form: ExpiryForm, key: IdempotencyKey = None
) -> ExpiryView:
    """Extend a lease, or create one.

    Minutes are added to the expiry, or to now where that is past, which starts the endpoint
    again. `EndpointConfigName` creates the lease of an endpoint that has none; `minutes` may
    then be left out.
    """
    lease = services.meter.buy(
        names.endpoint_name(form.EndpointName),
        config_name=form.EndpointConfigName,
        amount=form.minutes,
        owner=caller.name,
        actor=caller.name,
        key=key,
    )
    return ExpiryView.of(lease, services.clock.now())
