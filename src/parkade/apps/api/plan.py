"""What a sweep would do: `/v1/plan`."""

from parkade.apps.api.auth import Operator
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.plan import PlanView

routes = router("The meter")


@routes.get("/v1/plan")
async def plan(services: Both, _caller: Operator) -> PlanView:
    """Tell what a sweep would do now, and why. Changes nothing."""
    return PlanView.of(services.sweep.plan())
