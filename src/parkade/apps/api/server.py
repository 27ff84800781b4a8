"""Word to the server itself: `/v1/reload`, `/v1/nudge`."""

from parkade.apps.api.auth import Admin
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.server import ReloadView

routes = router("Server")


@routes.post("/v1/reload")
async def reload(services: Served, _caller: Admin) -> ReloadView:
    """Read the settings file again and take it up, without a lost request.

    400 where the file cannot be used: the settings stay as they were.
    """
    return ReloadView(changed=services.reload())


@routes.post("/v1/nudge", status_code=204)
async def nudge(services: Served, _caller: Admin) -> None:
    """Look at the state anew, after a program other than the server has written to it."""
    services.changed()
