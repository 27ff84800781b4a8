"""The management API: what CLI, console and clients talk to; invocations are the gateway's."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from parkade.apps.api import (
    ab,
    alarms,
    audit,
    aws_keys,
    bookings,
    budgets,
    configs,
    cost,
    dashboards,
    deployments,
    docs,
    endpoints,
    errors,
    events,
    executions,
    health,
    leases,
    letters,
    linkpage,
    metrics,
    models,
    objects,
    plan,
    prices,
    projects,
    prometheus,
    routes,
    scaling,
    seed,
    server,
    sleep,
    subscribers,
    targets,
    terms,
    testers,
    tokens,
    upkeep,
)
from parkade.apps.api.route import include
from parkade.apps.api.settling import Settled
from parkade.apps.autoscaling import door as autoscaling
from parkade.apps.cloudwatch import door as cloudwatch
from parkade.apps.sagemaker import asynchronous
from parkade.apps.sagemaker import door as sagemaker
from parkade.apps.storage import doors
from parkade.apps.wire import root

if TYPE_CHECKING:
    from parkade.apps.assembly import Services

DESCRIPTION = """
Model endpoints on a parking meter: an endpoint runs while its lease lasts.

Send a token in the header `Authorization`, as it is or after `Bearer`. An **invoker** may invoke
and look at what it may invoke; an **operator** may also run leases, deploy and set routes; an **admin** may
also manage tokens, models, configs and objects. Each operation says which role it needs.

Errors have one shape: `{"error": {"code", "message", "hint"}}`, with `field` where one is to
blame. Times are ISO 8601 in UTC; only `/endpoint-expiry` has the form of its first version.
Invoking an endpoint is not described here: `POST /endpoints/{name}/invocations`, and routes such
as `POST /falcon`, take and give whatever the model takes and gives.
"""
TAGS = [
    {"name": "The meter", "description": "Time left, more time, and what the meter would do."},
    {"name": "Leases", "description": "The right of an endpoint to run."},
    {"name": "Bookings", "description": "Time that is bought to begin later."},
    {"name": "Deployments", "description": "Endpoints that are created or updated step by step."},
    {
        "name": "Projects",
        "description": "What one file describes: compared with what is there, applied, destroyed.",
    },
    {"name": "Endpoints", "description": "What runs, and what it writes."},
    {"name": "Sleep", "description": "No workers until somebody asks, and what wakes them."},
    {"name": "Scaling", "description": "How many instances and copies there are, and why."},
    {
        "name": "Maintenance",
        "description": "What becomes of endpoints that nobody uses, why, and how to bring them back.",
    },
    {"name": "Models", "description": "An image with its packed data."},
    {"name": "Configs", "description": "What an endpoint is created from."},
    {"name": "Routes", "description": "Short paths that invoke."},
    {"name": "Tokens", "description": "Who may do what."},
    {"name": "Objects", "description": "The folder that plays S3."},
    {"name": "Events", "description": "Who did what, when and why."},
    {"name": "Subscribers", "description": "Who is told of events, and what could not be told."},
    {"name": "Metrics", "description": "What was measured, and what Prometheus scrapes."},
    {"name": "Alarms", "description": "Rules over what is measured, and their states."},
    {"name": "Testers", "description": "Cases that are asked by schedule or on request."},
    {"name": "Audit", "description": "What is left over, missing, or paid for by nobody."},
    {"name": "Money", "description": "Prices, what endpoints cost, budgets."},
    {"name": "Server", "description": "The server itself."},
]
_ROUTERS = (
    seed, executions, plan, leases, terms, bookings, deployments, projects, dashboards, endpoints, ab, sleep, scaling, upkeep, targets, models, configs, routes, tokens, aws_keys, objects, events, subscribers, letters,
    metrics, prometheus, alarms, testers, audit, cost, prices, budgets, server, health,
)  # fmt: skip


def create_app(services: "Services") -> FastAPI:
    """Return the management API over the services, as an ASGI callable."""
    app = FastAPI(
        title="Parkade",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        # Behind the gateway a redirect would name this side's host.
        redirect_slashes=False,
    )
    app.state.services = services
    include(app, (module.routes for module in _ROUTERS))
    doors.serve(app, services)
    measured = cloudwatch.Door(services)
    cloudwatch.serve(app, measured)
    root.serve(app, autoscaling.Door(services), measured, sagemaker.Door(services))
    asynchronous.serve(app, services)
    linkpage.serve(app, services)
    docs.serve(app)
    errors.handle(app)
    app.add_middleware(Settled, services=services)
    app.add_middleware(errors.Bugs)
    return app
