"""The management API of an AWS account: the same application, without what one machine alone has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

from fastapi import FastAPI, Path

from parkade.apps.api import (
    alarms,
    audit,
    bookings,
    budgets,
    configs,
    cost,
    deployments,
    endpoints,
    errors,
    events,
    health,
    leases,
    metrics,
    models,
    objects,
    plan,
    prices,
    seed,
    sleep,
    terms,
    tokens,
    upkeep,
)
from parkade.apps.api.app import DESCRIPTION, TAGS
from parkade.domain.errors import Conflict, NotFound

if TYPE_CHECKING:
    from parkade.apps.assembly import Shared

ROUTERS = (
    seed, plan, leases, terms, bookings, deployments, endpoints, sleep, upkeep, models, configs,
    tokens, objects, events, metrics, alarms, audit, cost, prices, budgets, health,
)  # fmt: skip

#: What one machine alone has, and what an account has for it.
_ELSEWHERE = {
    "projects": "a project's stacks: parkade cloud deploy",
    "routes": "the routes of parkade.yaml, which the API's stack makes: parkade cloud deploy",
    "subscribers": "SNS: the subscribers of parkade.yaml, which the Monitor's stack makes",
    "letters": "SNS and its dead letter queues",
    "testers": "the Tester's stack: parkade cloud deploy",
    "targets": "SageMaker, which loads and unloads target models by itself",
    "reload": "the Meter's stack, which brings the settings: parkade cloud deploy",
}


def create_app(services: Shared, *, streams: bool = True) -> FastAPI:
    """Return the management API over the services, as an ASGI callable.

    `streams`: whether an answer can go on for as long as somebody reads it.
    """
    app = FastAPI(
        title="Parkade",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    if not streams:
        app.add_api_route(
            "/v1/events/stream", _no_stream, response_model=None, include_in_schema=False
        )
    for module in ROUTERS:
        app.include_router(module.routes)
    app.add_api_route(
        "/v1/{path:path}",
        _elsewhere,
        methods=["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"],
        response_model=None,
        include_in_schema=False,
    )
    errors.handle(app)
    app.add_middleware(errors.Bugs)
    return app


async def _no_stream() -> NoReturn:
    """Say what to do in place of following."""
    raise Conflict(
        "API Gateway gives no answer that goes on, so events cannot be followed here",
        hint="ask for GET /v1/events?after=NUMBER again and again, or take them from the event bus",
    )


async def _elsewhere(path: Annotated[str, Path()]) -> NoReturn:
    """Say what an account has in place of what was asked for."""
    noun = path.partition("/")[0]
    if noun in _ELSEWHERE:
        raise Conflict(
            f"/v1/{noun} is not there on AWS", hint=f"in its place there is {_ELSEWHERE[noun]}"
        )
    raise NotFound(f"there is no /v1/{path}", hint="parkade --help lists what there is")
