"""What Prometheus scrapes: `/metrics`."""

import asyncio

from fastapi import Request
from starlette.responses import Response

from parkade.apps.api.auth import SCHEME, admit
from parkade.apps.api.route import Served, router
from parkade.apps.exposition import page, picture
from parkade.domain.token import Role

routes = router("Metrics", "/metrics")


@routes.get(
    "",
    response_class=Response,
    openapi_extra={"x-role": Role.INVOKER.value, "security": [{SCHEME.scheme_name: []}]},
)
async def scrape(services: Served, request: Request) -> Response:
    """Tell what Prometheus scrapes, in its text form or as OpenMetrics.

    With the setting `monitor.public` it is shown to everyone.
    """
    if not services.file().monitor.public:
        admit(services, request.headers, Role.INVOKER)
    seen = await picture.take(services)
    body, content_type = await asyncio.to_thread(
        page.write, seen, request.headers.get("accept", "")
    )
    return Response(body, headers={"Content-Type": content_type})
