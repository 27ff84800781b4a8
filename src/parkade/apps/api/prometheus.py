"""What Prometheus scrapes: `/metrics`."""

import asyncio

from fastapi import Request
from starlette.responses import Response

from parkade.apps.api.auth import SCHEME, admit
from parkade.apps.api.route import Served, router
from parkade.apps.exposition import page, picture
from parkade.domain.errors import Forbidden
from parkade.domain.token import Role, Token

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
        _require_unlimited(admit(services, request.headers, Role.INVOKER))
    seen = await picture.take(services)
    body, content_type = await asyncio.to_thread(
        page.write, seen, request.headers.get("accept", "")
    )
    return Response(body, headers={"Content-Type": content_type})


def _require_unlimited(caller: Token) -> None:
    """Refuse an invoker of some endpoints: the page tells of all, and of what they cost."""
    if caller.endpoints and not caller.role.includes(Role.OPERATOR):
        raise Forbidden(
            f"token {caller.name!r} is limited to {', '.join(sorted(caller.endpoints))}, and "
            "/metrics tells of every endpoint",
            hint="scrape it with a token for all endpoints: parkade token create prometheus "
            "--role invoker",
        )
