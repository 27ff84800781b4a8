"""Routes, the short public paths of endpoints: `/v1/routes`."""

from parkade.apps.api.auth import Operator
from parkade.apps.api.errors import respelt
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.routes import RouteForm, RouteList, RouteView
from parkade.domain import names

routes = router("Routes", "/v1/routes")

_SPELLINGS = {"EndpointName": "endpoint_name"}


@routes.get("")
async def list_routes(
    services: Served, _caller: Operator, limit: Limit = 100, after: After = ""
) -> RouteList:
    """List routes in the order of paths."""
    found, following = page(
        services.routes.all(), lambda route: route.path, limit=limit, after=after
    )
    return RouteList(routes=[RouteView.of(each) for each in found], next=following)


@routes.put("/{path:path}")
async def put_route(services: Served, caller: Operator, path: str, form: RouteForm) -> RouteView:
    """Let `POST /{path}` invoke an endpoint under these conditions, instead of any before.

    What is left out is as it is by default, whatever it was before.
    """
    with respelt(_SPELLINGS):
        route = services.routes.put(
            path,
            form.endpoint_name,
            public=form.public,
            actor=caller.name,
            rate=form.rate.read() if form.rate is not None else None,
            timeout_seconds=form.timeout_seconds,
            sticky=form.sticky.read() if form.sticky is not None else None,
        )
    services.changed()
    return RouteView.of(route)


@routes.delete("/{path:path}", status_code=204)
async def remove_route(services: Served, caller: Operator, path: str) -> None:
    """Remove a route; its endpoint stays."""
    services.routes.remove(names.route_path(path), actor=caller.name)
    services.changed()
