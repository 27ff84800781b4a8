"""Deployments: endpoints that are created or updated step by step: `/v1/deployments`."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query, Response

from parkade.apps.api import fleetviews
from parkade.apps.api.auth import Invoker, Operator, may_see, require_sight
from parkade.apps.api.errors import respelt
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.paging import After, Limit, newest
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.deployments import (
    DeploymentForm,
    DeploymentList,
    DeploymentView,
    Facts,
    RehearsalView,
)
from parkade.domain.deploy.deployment import Deployment, Status
from parkade.domain.deploy.steps import StepKind
from parkade.domain.token import Role

routes = router("Deployments", "/v1/deployments")

_SPELLINGS = {
    "EndpointName": "endpointName",
    "ProductionVariants": "productionVariants",
    "WaitIntervalInSeconds": "strategy.waitSeconds",
    "TerminationWaitInSeconds": "strategy.terminationWaitSeconds",
    "MaximumExecutionTimeoutInSeconds": "strategy.limitSeconds",
}

DryRun = Annotated[
    bool,
    Query(description="Change nothing: answer with what would be done, its price, what is wrong."),
]


@routes.get("")
async def list_deployments(
    services: Both,
    caller: Invoker,
    limit: Limit = 100,
    after: After = "",
    endpoint: Annotated[str | None, Query(description="Only those of this endpoint.")] = None,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
) -> DeploymentList:
    """List deployments, the newest first.

    An invoker sees those of the endpoints it may invoke.
    """
    listing = services.deploying.deployer.all(endpoint)
    seen = [
        each
        for each in listing.records
        if may_see(caller, each.endpoint_name) and status in {None, each.status}
    ]
    found, following = newest(
        seen, lambda each: f"{each.begun_at:%Y%m%dT%H%M%S.%f}/{each.id}", limit=limit, after=after
    )
    now = services.clock.now()
    return DeploymentList(
        deployments=[
            DeploymentView.of(
                Facts(deployment=each, expected_at=_expected(services, each, now)), now
            )
            for each in found
        ],
        next=following,
        unreadable=dict(listing.unreadable) if caller.role.includes(Role.OPERATOR) else {},
    )


@routes.post("", status_code=202)
async def deploy(
    *,
    services: Both,
    caller: Operator,
    response: Response,
    form: DeploymentForm,
    key: IdempotencyKey = None,
    dry_run: DryRun = False,
) -> DeploymentView | RehearsalView:
    """Begin to create or to update an endpoint, with its scaling and its lease.

    It goes on in the background: GET tells how far it has come. 409 while another deployment of the
    endpoint is running, and where it does not go together with the endpoint's lease.
    """
    deployer = services.deploying.deployer
    with respelt(_SPELLINGS):
        order = form.order()
        if dry_run:
            response.status_code = 200
            return RehearsalView.of(deployer.rehearse(order, caller.name))
        return _view(services, deployer.begin(order, caller.name, key=key))


@routes.get("/{deployment_id}")
async def get_deployment(services: Both, caller: Invoker, deployment_id: str) -> DeploymentView:
    """Describe a deployment: its steps with their times and outcomes, and those that follow."""
    found = services.deploying.deployer.get(deployment_id)
    require_sight(caller, found.endpoint_name)
    return _view(services, found)


@routes.post("/{deployment_id}/cancel")
async def cancel_deployment(
    services: Both, caller: Operator, deployment_id: str
) -> DeploymentView | None:
    """Call a deployment off, which undoes what it has begun; what served before serves on.

    409 once it is over, or undone already. One that cannot be read is forgotten, which answers
    null; what it had begun stays as it is.
    """
    called_off = services.deploying.deployer.cancel(deployment_id, caller.name)
    return _view(services, called_off) if called_off else None


@routes.post("/{deployment_id}/resume")
async def resume_deployment(services: Both, caller: Operator, deployment_id: str) -> DeploymentView:
    """Go on with a deployment now, without its pause after a temporary error.

    409 once it is over.
    """
    return _view(services, services.deploying.deployer.resume(deployment_id, caller.name))


@routes.post("/{deployment_id}/promote")
async def promote_deployment(
    services: Both, caller: Operator, deployment_id: str
) -> DeploymentView:
    """Give the new fleet all requests now, whatever its strategy still waits for.

    409 unless an update is under way.
    """
    return _view(services, services.deploying.deployer.promote(deployment_id, caller.name))


@routes.post("/{deployment_id}/rollback")
async def roll_back_deployment(
    services: Both, caller: Operator, deployment_id: str
) -> DeploymentView:
    """Give all requests back to the old fleet, so that the deployment fails.

    409 unless an update is under way.
    """
    return _view(services, services.deploying.deployer.roll_back(deployment_id, caller.name))


def _view(services: Both, deployment: Deployment) -> DeploymentView:
    now = services.clock.now()
    facts = Facts(
        deployment=deployment,
        expected_at=_expected(services, deployment, now),
        fleets=None if deployment.over else fleetviews.look(services, deployment.endpoint_name),
    )
    return DeploymentView.of(facts, now)


def _expected(services: Both, deployment: Deployment, now: datetime) -> datetime | None:
    """Return when what is waited for will be over, as far as that is known.

    That is by how long fleets of its endpoint config took to answer, or of the one that it
    replaces, and by what the strategy of an update waits for besides.
    """
    step = deployment.step
    if step is None or step.kind is not StepKind.WAIT:
        return None
    starts = services.upkeep.starts
    span = starts.expected(deployment.config_name)
    if span is None and deployment.found is not None:
        span = starts.expected(deployment.found.config_name)
    if span is None:
        return None
    at = step.started_at + span + _waits(deployment)
    return None if at <= now else at


def _waits(deployment: Deployment) -> timedelta:
    """Return how long an update stays in its stages, where nothing goes wrong."""
    if deployment.creates or deployment.config is None:
        return timedelta(0)
    strategy = deployment.order.strategy
    shares = strategy.course([each.instance_count for each in deployment.config.variants])
    return strategy.wait * len(shares) + strategy.termination_wait
