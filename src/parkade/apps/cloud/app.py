"""The management API of an AWS account: the same application, without what one machine alone has."""

from __future__ import annotations

import re
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
from parkade.apps.api.route import include
from parkade.domain.errors import Conflict, NotFound

if TYPE_CHECKING:
    from parkade.apps.assembly import Shared

ROUTERS = (
    seed, plan, leases, terms, bookings, deployments, endpoints, sleep, upkeep, models, configs,
    tokens, objects, events, metrics, alarms, audit, cost, prices, budgets, health,
)  # fmt: skip

#: What one machine alone has, and what an account has for it.
_ELSEWHERE = {
    "projects": "a project is its stacks: parkade cloud deploy",
    "routes": "the API's stack makes those of parkade.yaml: parkade cloud deploy",
    "subscribers": "they are SNS's; the Monitor's stack makes those of parkade.yaml",
    "letters": "they are SNS's, in its dead letter queues",
    "testers": "the Tester's stack has the one of parkade.yaml: parkade cloud deploy",
    "targets": "SageMaker loads and unloads target models by itself",
    "reload": "the Meter's stack brings the settings: parkade cloud deploy",
}
#: The same of what one machine has of each endpoint.
_ELSEWHERE_OF_ENDPOINTS = {
    "scaling": "deployments and `scaling` of parkade.yaml set it; see it with: aws "
    "application-autoscaling describe-scalable-targets --service-namespace sagemaker",
    "models": _ELSEWHERE["targets"],
    "ab": "see what CloudWatch measures of each variant: parkade --cloud aws metrics ENDPOINT",
}
_OF_ENDPOINTS = re.compile(r"endpoints/[^/]+/(\w+)")


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
    include(app, (module.routes for module in ROUTERS))
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
    of_endpoint = _OF_ENDPOINTS.match(path)
    noun = of_endpoint[1] if of_endpoint else path.partition("/")[0]
    there = (_ELSEWHERE_OF_ENDPOINTS if of_endpoint else _ELSEWHERE).get(noun)
    if there is not None:
        raise Conflict(f"{noun!r} is nothing that Parkade itself has on AWS", hint=there)
    raise NotFound(f"there is no /v1/{path}", hint="parkade --help lists what there is")
