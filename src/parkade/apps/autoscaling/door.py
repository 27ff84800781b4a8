"""Where the API is: `POST /`, with the operation named by the header X-Amz-Target.

A request is read up to its limit, its caller is known by signature or token, its input is checked
by the operation's shape, then answered at once: nothing here waits.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from parkade.apps.autoscaling.call import Call
from parkade.apps.autoscaling.faults import SERVICE, translated, unregistered
from parkade.apps.autoscaling.known import KNOWN
from parkade.apps.autoscaling.operations import OPERATIONS
from parkade.apps.wire import description, requests, validation
from parkade.apps.wire.faults import Fault, bug
from parkade.apps.wire.jsonrpc import JsonRpc
from parkade.apps.wire.unknown import Missed
from parkade.domain.errors import ParkadeError, ScalableTargetNotFound, TooLarge
from parkade.domain.token import Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from parkade.apps.assembly import Services

logger = logging.getLogger(__name__)

#: The target of a request names the service and the operation.
TARGET_PREFIX = "AnyScaleFrontendService."
#: bytes. No input of these operations is near it.
BODY_LIMIT = 1024**2
PROTOCOL = JsonRpc("1.1")


class Door:
    """Answers requests of Application Auto Scaling's clients."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._missed = Missed(services, SERVICE, called="Application Auto Scaling")

    def knows(self, request: Request) -> bool:
        """Know a request by its target."""
        return request.headers.get("x-amz-target", "").startswith(TARGET_PREFIX)

    async def answer(self, request: Request) -> Response:
        """Answer one request, or tell what is wrong with it in the API's own form."""
        request_id = str(uuid.uuid4())
        name = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        try:
            body = await _body(request)
            return self._carry_out(request, name, body, request_id)
        except Fault as error:
            fault = error
        except ParkadeError as error:
            fault = translated(error, name)
        except Exception:
            logger.exception("bug %s while answering %s", request_id, name[:100])
            fault = bug(request_id)
        return PROTOCOL.fault(fault, fault.code, request_id)

    def _carry_out(self, request: Request, name: str, body: bytes, request_id: str) -> Response:
        caller = requests.caller(self._services, SERVICE, request, body)
        if name not in OPERATIONS:
            self._missed.count(name, name, caller)
            raise Fault(
                "UnknownOperationException",
                f"Parkade has no operation {name[:100]!r} of Application Auto Scaling. There are: "
                f"{', '.join(sorted(OPERATIONS))}.",
            )
        call = Call(
            services=self._services,
            caller=caller,
            operation=name,
            region=self._services.file().region,
        )
        call.require(Role.OPERATOR)
        described = description.operation(SERVICE, name)
        assert described.input_shape is not None  # noqa: S101  all of these have one
        given = PROTOCOL.read(described.input_shape, body)
        call = call.asking(validation.read(described.input_shape, given, known=KNOWN))
        try:
            values = OPERATIONS[name](call)
        except ScalableTargetNotFound as error:
            raise unregistered(call.given) from error
        return PROTOCOL.answer(name, described, values, request_id)


async def _body(request: Request) -> bytes:
    body = await requests.read(request, BODY_LIMIT)
    if body is None:
        raise TooLarge(
            f"the body is larger than {BODY_LIMIT} bytes",
            hint="no operation of Application Auto Scaling takes as much",
        )
    return body
