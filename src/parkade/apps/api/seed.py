"""The API that the first clients speak: `/endpoint-expiry` and the two of executions.

Its names are the seed's, its answers have the form of the query in every case.
"""

from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, Operator, may_see, require_sight
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.executions import (
    DescribeForm,
    ExecutionForm,
    ExecutionView,
    StartedView,
)
from parkade.apps.api.schemas.expiry import ExpiryForm, ExpiryView
from parkade.domain import names

routes = router("The meter")


@routes.get("/endpoint-expiry")
async def time_left(
    services: Served,
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
    services: Served, caller: Operator, form: ExpiryForm, key: IdempotencyKey = None
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


@routes.post("/startexecution")
async def start_execution(services: Served, caller: Invoker, form: ExecutionForm) -> StartedView:
    """Invoke an endpoint in the background, for answers that take longer than a gateway waits.

    Executions are stored and survive a restart.
    """
    endpoint_name = names.endpoint_name(form.endpointname, field="endpointname")
    caller.require_endpoint(endpoint_name)
    execution = services.executions.start(endpoint_name, form.text(), token_name=caller.name)
    services.spawn(services.executions.run(execution.arn))
    return StartedView.of(execution)


@routes.post("/describeexecution", response_model_exclude_none=True)
async def describe_execution(
    services: Served, caller: Invoker, form: DescribeForm
) -> ExecutionView:
    """Tell how an execution went.

    It is visible to the token that started it, and to operators.
    """
    return ExecutionView.of(services.executions.describe(form.execution_arn, token=caller))
