"""Whether the server lives and is ready: `/v1/health`."""

from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.server import HealthView
from parkade.domain.errors import Unavailable

routes = router("Server", "/v1/health")


@routes.get("/live")
async def live() -> HealthView:
    """Tell that the control process answers; always 200."""
    return HealthView(status="live")


@routes.get("/ready", responses={503: {"description": "Not ready yet; says why."}})
async def ready(services: Both) -> HealthView:
    """Tell whether invocations are served; 503 with the reason until they are."""
    if why := services.ready():
        raise Unavailable(f"not ready: {why}", hint="ask again")
    return HealthView(status="ready")
