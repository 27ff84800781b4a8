"""Invocations of a command line: SageMaker's runtime asked from the command's own process.

What the runtime answers comes back as it is, its errors included. Of an endpoint that it has not, the
lease says why; one that a request wakes is asked for, and a caller who waits (`Prefer: wait=60`) is
answered once it serves. What the runtime did not find it has not begun, so that it can be asked again.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

from fastapi import Request, Response

from parkade.apps.gateway.preferences import preferences
from parkade.domain.errors import LeaseNotFound
from parkade.domain.standing import State, standing

if TYPE_CHECKING:
    from fastapi import FastAPI

    from parkade.adapters.aws.sagemaker.passage import Passage, Reply
    from parkade.apps.assembly import Shared
    from parkade.domain.standing import Standing

#: Where a server has the invocations of its endpoints, as SageMaker's runtime has them.
PATH = "/endpoints/{endpoint_name}/invocations"
#: seconds. SageMaker gives a model 60; the runtime is to say so itself.
PATIENCE = 70.0
#: seconds between two questions of somebody who waits. Endpoints take minutes.
_PAUSE = 5.0
#: SageMaker's words for an endpoint that it has not: "Endpoint X of account Y not found."
_NOT_FOUND = "not found"
_VALIDATION = frozenset({"ValidationError", "ValidationException"})


def offer(app: FastAPI, services: Shared, passage: Passage) -> None:
    """Add invocations to the management API of an account."""
    invoking = Invoking(services, passage)

    async def invoke(request: Request, endpoint_name: str) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await invoking(endpoint_name, await request.body(), headers)

    app.add_api_route(PATH, invoke, methods=["POST"], response_model=None, include_in_schema=False)


class Invoking:
    """Answers invocations."""

    def __init__(self, services: Shared, passage: Passage) -> None:
        """Take what knows of leases, and what carries requests."""
        self._services = services
        self._passage = passage

    async def __call__(self, endpoint_name: str, body: bytes, headers: dict[str, str]) -> Response:
        """Return the runtime's answer, or why there is none. Raises what a passage raises."""
        wait = preferences([headers.get("prefer", "")]).get("wait", 0)
        until = asyncio.get_running_loop().time() + wait
        while True:
            reply = await asyncio.to_thread(self._passage.invoke, endpoint_name, body, headers)
            if reply.error not in _VALIDATION or _NOT_FOUND not in reply.message:
                return _passed(reply)
            stands = await asyncio.to_thread(self._standing, endpoint_name)
            if stands is None:
                return _passed(reply)
            if stands.wakes:
                self._services.waking.asks.ask(endpoint_name, "a request came for it")
            left = until - asyncio.get_running_loop().time()
            comes = stands.wakes or stands.state in {State.STARTING, State.RUNNING}
            if not comes or left <= 0:
                return _down(endpoint_name, stands)
            await asyncio.sleep(min(_PAUSE, left))

    def _standing(self, endpoint_name: str) -> Standing | None:
        """Return how an endpoint stands that does not serve; None: nobody has a lease for it."""
        services = self._services
        try:
            lease = services.meter.get(endpoint_name)
        except LeaseNotFound:
            return None
        return standing(
            lease,
            services.hosting.endpoints().get(endpoint_name),
            services.clock.now(),
            expected=services.upkeep.starts.expected,
            terms=services.upkeep.terms.by_endpoint().get(endpoint_name),
            refusal=services.upkeep.affording.refusal,
        )


def _passed(reply: Reply) -> Response:
    return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))


def _down(endpoint_name: str, stands: Standing) -> Response:
    body = {
        "Message": f"Endpoint {endpoint_name} is not running: {stands.reason}.",
        "reason": stands.reason,
        "hint": stands.hint,
    }
    headers = {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": "ServiceUnavailable",
        "Retry-After": str(max(1, math.ceil(stands.retry_after.total_seconds()))),
    }
    return Response(json.dumps(body), status_code=503, headers=headers)
