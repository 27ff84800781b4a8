"""The door for asynchronous invocations: `POST /endpoints/NAME/async-invocations`.

Of SageMaker's runtime, the one operation that control answers itself: what it accepts has to be
stored before it is accepted. Headers and body are checked by botocore's description.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from parkade.apps.sagemaker import description, validation
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.sagemaker.faults import translated
from parkade.apps.wire import requests
from parkade.apps.wire.faults import Fault
from parkade.domain import names
from parkade.domain.errors import Forbidden, ParkadeError, Unavailable
from parkade.domain.standing import State, standing
from parkade.domain.traces import trace_context
from parkade.ports.backlog import AsyncRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fastapi import FastAPI
    from starlette.requests import Request

    from parkade.apps.assembly import Services
    from parkade.domain.catalog import Asynchronous

OPERATION = "InvokeEndpointAsync"
#: bytes. SageMaker's own limit of a body that comes with the request.
INLINE_LIMIT = 128_000
#: Seconds. SageMaker's own defaults.
TTL = 21_600
TIMEOUT = 900


def serve(app: FastAPI, services: Services) -> None:
    """Open the door in the app."""
    door = AsyncDoor(services)
    app.add_route(
        "/endpoints/{name}/async-invocations",
        door.answer,
        methods=["POST"],
        include_in_schema=False,
    )


class AsyncDoor:
    """Accepts requests into the backlog."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, request: Request) -> Response:
        """Accept one request, or tell what is wrong with it."""
        try:
            body = await _body(request)
            accepted = self._accept(request, body)
        except Fault as fault:
            return _fault(fault)
        except ParkadeError as error:
            return _fault(translated(error))
        headers = {"X-Amzn-SageMaker-OutputLocation": accepted.output_location}
        if accepted.failure_location:
            headers["X-Amzn-SageMaker-FailureLocation"] = accepted.failure_location
        return _response(202, {"InferenceId": accepted.inference_id}, headers)

    def _accept(self, request: Request, body: bytes) -> AsyncRequest:
        services, name = self._services, request.path_params["name"]
        self._admit(request, body, name)
        given = _given(request, name, body)
        parent, state = trace_context(
            request.headers.getlist("traceparent"), request.headers.getlist("tracestate")
        )
        accepted = replace(
            _request(given, self._rules(name), services.wall.now()),
            trace_parent=parent,
            trace_state=state,
        )
        services.backlog.add(accepted, body)
        return accepted

    def _admit(self, request: Request, body: bytes, name: str) -> None:
        token = requests.caller(self._services, "sagemaker", request, body)
        if token.endpoints and name not in token.endpoints:
            raise Forbidden(f"token {token.name!r} may not invoke endpoint {name!r}")

    def _rules(self, name: str) -> Asynchronous:
        """Return the rules of an endpoint that runs, is about to, or is woken by what comes.

        Raises Fault, Unavailable.
        """
        services = self._services
        lease = {each.endpoint_name: each for each in services.meter.all().leases}.get(name)
        seen = services.host.observed().get(name)
        stands = standing(
            lease,
            seen,
            services.clock.now(),
            expected=services.upkeep.starts.expected,
            terms=services.upkeep.terms.by_endpoint().get(name),
            refusal=services.upkeep.affording.refusal,
        )
        if stands is None:
            raise _refused(f"Endpoint {name} of account {ACCOUNT} not found.")
        if stands.state not in {State.RUNNING, State.STARTING} and not stands.wakes:
            raise Unavailable(
                f"endpoint {name} is not running: {stands.reason}",
                retry_after=stands.retry_after,
                hint=stands.hint,
            )
        if seen is not None:
            config = services.host.description(name).recorded.blueprint.config
        else:
            assert lease is not None  # noqa: S101  else it would stand nowhere
            config = services.host.config(lease.config_name)
        if config.asynchronous is None:
            raise _refused(
                f"Endpoint {name} takes no asynchronous calls: its endpoint config has no "
                "AsyncInferenceConfig. Use InvokeEndpoint."
            )
        return config.asynchronous


async def _body(request: Request) -> bytes:
    body = await requests.read(request, INLINE_LIMIT)
    if body is None:
        raise _refused(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {INLINE_LIMIT}. Put larger input "
            "into an object and name it as InputLocation."
        )
    return body


def _given(request: Request, name: str, body: bytes) -> Mapping[str, Any]:
    """Return the members that came as headers, checked by the operation's shape."""
    shape = description.runtime_operation(OPERATION).input_shape
    assert shape is not None  # noqa: S101  it has one
    given: dict[str, Any] = {"EndpointName": name}
    for member, described in shape.members.items():
        header = described.serialization.get("name")
        text = request.headers.get(header) if header and member != "EndpointName" else None
        if text is not None:
            given[member] = _number(text) if described.type_name == "integer" else text
    try:
        checked = validation.read(shape, given)
    except Fault as fault:
        raise _refused(fault.message) from fault
    located = "InputLocation" in checked
    if located == bool(body):
        which = "both were" if located else "neither was"
        raise _refused(f"Give either a body or an InputLocation; {which} given.")
    if located:
        names.s3_address(checked["InputLocation"], field="InputLocation")
    return checked


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _request(given: Mapping[str, Any], rules: Asynchronous, now: datetime) -> AsyncRequest:
    request_id = str(uuid.uuid4())
    return AsyncRequest(
        id=request_id,
        endpoint_name=given["EndpointName"],
        received_at=now,
        expires_at=now + timedelta(seconds=given.get("RequestTTLSeconds", TTL)),
        timeout=given.get("InvocationTimeoutSeconds", TIMEOUT),
        output_location=_output(given, rules, request_id),
        failure_location=_address(rules.failure, f"{request_id}-error.out")
        if rules.failure
        else "",
        inference_id=given.get("InferenceId", request_id),
        input_location=given.get("InputLocation", ""),
        success_topic=rules.success_topic,
        error_topic=rules.error_topic,
        include_response_in=rules.include_response_in,
        content_type=given.get("ContentType", ""),
        accept=given.get("Accept", ""),
        custom_attributes=given.get("CustomAttributes", ""),
    )


def _output(given: Mapping[str, Any], rules: Asynchronous, request_id: str) -> str:
    """Return where the answer goes: a folder of its own where the caller names the file.

    How SageMaker puts extension and file name together is not documented (unverified).
    """
    extension = str(given.get("S3OutputPathExtension", "")).strip("/")
    filename = given.get("Filename")
    last = f"{request_id}/{filename}" if filename else f"{request_id}.out"
    return _address(rules.output, f"{extension}/{last}" if extension else last)


def _address(prefix: str, rest: str) -> str:
    bucket, folder = names.s3_prefix(prefix)
    return names.object_address(bucket, folder + rest, field="S3OutputPathExtension")


def _refused(message: str) -> Fault:
    return Fault("ValidationError", message)


def _fault(fault: Fault) -> Response:
    code = "ValidationError" if fault.code == "ValidationException" else fault.code
    return _response(fault.status, {"Message": fault.message}, {"x-amzn-ErrorType": code})


def _response(status: int, content: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    return Response(
        json.dumps(content),
        status,
        headers={"x-amzn-RequestId": str(uuid.uuid4()), **headers},
        media_type="application/json",
    )
