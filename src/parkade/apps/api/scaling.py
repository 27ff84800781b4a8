"""How many there are of each variant and component, by which rules: `/v1/endpoints/.../scaling`."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, Operator, require_sight
from parkade.apps.api.errors import respelt
from parkade.apps.api.route import Served, router
from parkade.apps.api.scaleviews import Look
from parkade.apps.api.schemas.scaling import ScalingForm, ScalingView, ScheduledActionForm
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.domain.errors import EndpointNotFound, LeaseNotFound, ScalableTargetNotFound
from parkade.domain.scaling import arns
from parkade.services.scaletuning import ScaleTuning

if TYPE_CHECKING:
    from parkade.domain.scaling.target import Resource

routes = router("Scaling", "/v1/endpoints/{endpoint_name}/scaling")

#: How this API spells what Application Auto Scaling names.
_SPELLING = {
    "MinCapacity": "min",
    "MaxCapacity": "max",
    "TargetValue": "target",
    "ScaleOutCooldown": "scale_out_cooldown_seconds",
    "ScaleInCooldown": "scale_in_cooldown_seconds",
    "Schedule": "schedule",
    "Timezone": "timezone",
    "EndTime": "ends_at",
}

Variant = Annotated[
    str | None, Query(description="Left out: the only one, or all that are scaled.")
]
Component = Annotated[str | None, Query(description="An inference component instead.")]


@routes.get("")
async def get_scaling(services: Served, caller: Invoker, endpoint_name: str) -> ScalingView:
    """Tell how many instances or copies there are and are to be, and how that is decided.

    Of what is scaled that is: its bounds, what is suspended, its policies with their alarms, its
    scheduled actions, the last decision with its reason, and when it may be another one.
    """
    require_sight(caller, endpoint_name)
    found = Look(services).view(endpoint_name)
    if not found.capacities:
        _require_known(services, endpoint_name)
    return found


@routes.put("")
async def put_scaling(
    services: Served, caller: Operator, endpoint_name: str, form: ScalingForm
) -> ScalingView:
    """Have a variant, or an inference component, scaled between bounds, by one metric.

    What is left out stays as it is. The first time `min` and `max` are needed, and with `target` a
    policy is made. The number is brought within the bounds at once. Where there are several target
    tracking policies it is 409: Application Auto Scaling's own calls change one of them.
    """
    resource = _meant(services, endpoint_name, form.variant, form.component)
    with respelt(_SPELLING):
        _tuning(services).tune(resource, form.tuning(), caller.name)
    return Look(services).view(endpoint_name)


@routes.delete("")
async def delete_scaling(
    services: Served,
    caller: Operator,
    endpoint_name: str,
    variant: Variant = None,
    component: Component = None,
) -> ScalingView:
    """Scale no longer: one of them, or all of the endpoint. How many there are stays as it is.

    Policies, their alarms and scheduled actions go with it. 404 where nothing is scaled.
    """
    if variant is None and component is None:
        found = Look(services).scaled(endpoint_name)
        if not found:
            raise ScalableTargetNotFound(
                f"nothing of endpoint {endpoint_name!r} is scaled",
                hint="it has to be scaled first, between min and max",
            )
    else:
        found = [_meant(services, endpoint_name, variant, component)]
    for resource in found:
        _tuning(services).end(resource, caller.name)
    return Look(services).view(endpoint_name)


@routes.put("/scheduled/{action_name}")
async def put_scheduled_action(
    services: Served,
    caller: Operator,
    endpoint_name: str,
    action_name: str,
    form: ScheduledActionForm,
) -> ScalingView:
    """Have the bounds set at a time, once or again and again: `at`, `rate` or `cron`.

    What is left out of an action that is there stays as it is.
    """
    resource = _meant(services, endpoint_name, form.variant, form.component)
    with respelt(_SPELLING):
        services.scaling.timetables.put(resource, action_name, form.timing(), caller.name)
    return Look(services).view(endpoint_name)


@routes.delete("/scheduled/{action_name}")
async def delete_scheduled_action(
    services: Served,
    caller: Operator,
    endpoint_name: str,
    action_name: str,
    variant: Variant = None,
    component: Component = None,
) -> ScalingView:
    """Set bounds at that time no more; they stay as they are now."""
    resource = _meant(services, endpoint_name, variant, component)
    services.scaling.timetables.delete(resource, action_name, caller.name)
    return Look(services).view(endpoint_name)


def _tuning(services: Served) -> ScaleTuning:
    return ScaleTuning(
        services.scaling.book,
        services.alarms.book,
        services.clock,
        arn=lambda policy: arns.of_policy(policy, services.file().region, ACCOUNT),
    )


def _meant(
    services: Served, endpoint_name: str, variant: str | None, component: str | None
) -> "Resource":
    """Return what is meant. Raises EndpointNotFound, InvalidInput that names the others."""
    look = Look(services)
    if not look.known(endpoint_name):
        _require_known(services, endpoint_name)
    return look.resource(endpoint_name, variant, component)


def _require_known(services: Served, endpoint_name: str) -> None:
    """Raise EndpointNotFound for a name that neither runs nor is leased."""
    if endpoint_name in services.hosting.endpoints():
        return
    try:
        services.meter.get(endpoint_name)
    except LeaseNotFound as error:
        raise EndpointNotFound(
            f"there is no endpoint {endpoint_name!r}", hint="GET /v1/endpoints lists all"
        ) from error
