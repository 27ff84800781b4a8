"""Where the API is: `POST /`, with the operation named by the header X-Amz-Target.

A request is read up to its limit, its caller is known by signature or token, its input is checked
by the operation's shape, then answered at once: nothing here waits.
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, NoReturn

from parkade.apps.sagemaker import answers, description, validation
from parkade.apps.sagemaker.arns import Arns
from parkade.apps.sagemaker.call import Call
from parkade.apps.sagemaker.faults import translated
from parkade.apps.sagemaker.operations import OPERATIONS
from parkade.apps.wire import requests
from parkade.apps.wire.faults import Fault, bug, malformed
from parkade.apps.wire.unknown import Missed
from parkade.domain.errors import ParkadeError, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from parkade.apps.assembly import Services

logger = logging.getLogger(__name__)

#: bytes. No input of these operations is near it.
BODY_LIMIT = 1024**2


class Door:
    """Answers requests of SageMaker's clients."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._missed = Missed(services, "sagemaker", called="SageMaker")

    def knows(self, _request: Request) -> bool:
        """Take what is no other service's, and say what is missing."""
        return True

    async def answer(self, request: Request) -> Response:
        """Answer one request, or tell what is wrong with it in the API's own form."""
        request_id = str(uuid.uuid4())
        try:
            body = await _body(request)
            return self._carry_out(request, body, request_id)
        except Fault as fault:
            return answers.fault(fault, request_id)
        except ParkadeError as error:
            return answers.fault(translated(error), request_id)
        except Exception:
            asked = request.headers.get("x-amz-target", "")[:100]
            logger.exception("bug %s while answering %s", request_id, asked)
            return answers.fault(bug(request_id), request_id)

    def _carry_out(self, request: Request, body: bytes, request_id: str) -> Response:
        caller = requests.caller(self._services, "sagemaker", request, body)
        target = request.headers.get("x-amz-target", "")
        name = target.removeprefix(description.TARGET_PREFIX)
        if not target.startswith(description.TARGET_PREFIX) or name not in OPERATIONS:
            self._missed.count(name, target, caller)
            raise _unknown(target)
        operation = OPERATIONS[name]
        described = description.operation(name)
        arns = Arns(region=self._services.file().region)
        call = Call(services=self._services, caller=caller, operation=name, arns=arns)
        call.require(operation.role)
        if described.input_shape is not None:
            call = call.asking(validation.read(described.input_shape, _parsed(body)))
        if endpoint_name := call.given.get("EndpointName"):
            call.require_endpoint(endpoint_name)
        values = operation.handle(call)
        return answers.answer(described.output_shape, values, request_id)


async def _body(request: Request) -> bytes:
    body = await requests.read(request, BODY_LIMIT)
    if body is None:
        raise TooLarge(
            f"the body is larger than {BODY_LIMIT} bytes",
            hint="model data is put into the objects folder, and named by its s3:// address",
        )
    return body


def _parsed(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        return {}
    try:
        parsed: Mapping[str, Any] = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise malformed(f"The body is not valid JSON: {error}") from error
    return parsed


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")


def _unknown(target: str) -> Fault:
    asked = f"X-Amz-Target {target[:100]!r}" if target else "a request without X-Amz-Target"
    return Fault(
        "UnknownOperationException",
        f"Parkade has no operation for {asked}. There are: {', '.join(sorted(OPERATIONS))}.",
    )
