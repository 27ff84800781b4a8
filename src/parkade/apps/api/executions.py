"""Invocations that outlast a gateway: `/startexecution` and `/describeexecution`, of the first clients.

On AWS a Step Functions machine takes their place.
"""

from parkade.apps.api.auth import Invoker
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.executions import (
    DescribeForm,
    ExecutionForm,
    ExecutionView,
    StartedView,
)
from parkade.domain import names

routes = router("The meter")


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
