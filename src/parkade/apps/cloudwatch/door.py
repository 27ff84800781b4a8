"""Where the API is: Smithy's paths, and `POST /` for JSON and forms.

A request is read up to its limit, and its caller is known by signature or token. The rest is done
in a thread: reading many points takes its time, and nothing else shall wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.apps.cloudwatch.call import Call
from parkade.apps.cloudwatch.faults import query_code, translated
from parkade.apps.cloudwatch.known import KNOWN
from parkade.apps.cloudwatch.operations import OPERATIONS
from parkade.apps.wire import description, queryform, requests, rpccbor, validation
from parkade.apps.wire.faults import Fault, bug, malformed
from parkade.apps.wire.jsonrpc import JsonRpc
from parkade.apps.wire.unknown import Missed
from parkade.domain.errors import Forbidden, ParkadeError, TooLarge
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from parkade.apps.assembly import Services
    from parkade.apps.wire.protocol import WireProtocol
    from parkade.domain.token import Token

logger = logging.getLogger(__name__)

SERVICE = "GraniteServiceVersion20100801"
NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"
#: bytes. CloudWatch's own limit of a body, and what one may be unpacked from gzip.
BODY_LIMIT = 1024**2
UNPACKED_LIMIT = 8 * 1024**2
_TARGET_PREFIX = f"{SERVICE}."
_PATH = re.compile(rf"/service/{SERVICE}/operation/([A-Za-z]+)", re.ASCII)
_GZIP = 31

CBOR, FORM = rpccbor.RpcCbor(), queryform.QueryForm(NAMESPACE)
JSON = JsonRpc("1.0", query=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request on its way: what is asked for, in which protocol, by whom."""

    request_id: str
    protocol: WireProtocol
    operation: str
    body: bytes
    caller: Token
    components: Mapping[str, str]


def serve(app: FastAPI, door: Door) -> None:
    """Open the paths of CBOR in the app; `POST /` is shared with others."""
    app.add_route(
        f"/service/{SERVICE}/operation/{{operation}}",
        door.answer,
        methods=["POST"],
        include_in_schema=False,
    )


class Door:
    """Answers requests of CloudWatch's clients."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._missed = Missed(services, "cloudwatch", called="CloudWatch")

    def knows(self, request: Request) -> bool:
        """Know a request at `/` by its target, and a form, which no other service here sends."""
        target = request.headers.get("x-amz-target", "")
        return target.startswith(_TARGET_PREFIX) or (not target and _form(request))

    async def answer(self, request: Request) -> Response:
        """Answer one request, or tell what is wrong with it in its protocol."""
        request_id = str(uuid.uuid4())
        protocol = _protocol(request)
        try:
            asked = await self._admit(request, protocol, request_id)
            return await asyncio.to_thread(self._carry_out, asked)
        except Fault as error:
            fault = error
        except ParkadeError as error:
            fault = translated(error)
        except Exception:
            logger.exception("bug %s while answering %s", request_id, request.url.path[:100])
            fault = bug(request_id)
        return protocol.fault(fault, query_code(fault), request_id)

    async def _admit(self, request: Request, protocol: WireProtocol, request_id: str) -> _Asked:
        """Know the caller, and what is asked for. Raises Fault, ParkadeError."""
        body = await requests.read(request, BODY_LIMIT)
        if body is None:
            raise TooLarge(
                f"the body is larger than {BODY_LIMIT} bytes",
                hint="send it compressed by gzip, or in several requests",
            )
        caller = requests.caller(self._services, "monitoring", request, body)
        body = _unpacked(request, body)
        name = _operation(request, body)
        if name not in OPERATIONS:
            self._missed.count(name, name, caller)
            raise Fault(
                "UnknownOperationException",
                f"Parkade has no operation {name[:100]!r} of CloudWatch. There are: "
                f"{', '.join(sorted(OPERATIONS))}.",
            )
        if not caller.role.includes(Role.OPERATOR):
            raise Forbidden(
                f"token {caller.name!r} has the role {caller.role}; cloudwatch:{name} needs operator"
            )
        return _Asked(
            request_id=request_id,
            protocol=protocol,
            operation=name,
            body=body,
            caller=caller,
            components=self._components() if caller.endpoints else {},
        )

    def _carry_out(self, asked: _Asked) -> Response:
        described = description.operation("cloudwatch", asked.operation)
        assert described.input_shape is not None  # noqa: S101  all of these have one
        given = validation.read(
            described.input_shape,
            asked.protocol.read(described.input_shape, asked.body),
            known=KNOWN,
            any_double=True,
        )
        call = Call(
            alarming=self._services.alarms,
            caller=asked.caller,
            operation=asked.operation,
            region=self._services.file().region,
            now=self._services.clock.now(),
            given=given,
            components=asked.components,
        )
        values = OPERATIONS[asked.operation](call)
        return asked.protocol.answer(asked.operation, described, values, asked.request_id)

    def _components(self) -> Mapping[str, str]:
        """Return the endpoint of each inference component."""
        return {
            name: each.recorded.component.endpoint_name
            for name, each in self._services.host.components().items()
        }


def _form(request: Request) -> bool:
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    return kind.strip().lower() == queryform.MEDIA_TYPE


def _protocol(request: Request) -> WireProtocol:
    if request.url.path != "/":
        return CBOR
    return FORM if _form(request) else JSON


def _operation(request: Request, body: bytes) -> str:
    match = _PATH.fullmatch(request.url.path)
    if match is not None:
        return match[1]
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.removeprefix(_TARGET_PREFIX)
    return queryform.fields(body).get("Action", "")


def _unpacked(request: Request, body: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise malformed(f"The content encoding {encoding[:80]!r} is not known here, only gzip")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, UNPACKED_LIMIT + 1)
    except zlib.error as error:
        raise malformed(f"The body is not gzip: {error}") from error
    if len(unpacked) > UNPACKED_LIMIT:
        raise TooLarge(
            f"the body is larger than {UNPACKED_LIMIT} bytes once it is unpacked",
            hint="send it in several requests",
        )
    if not unpacking.eof:
        raise malformed("The body ends before its gzip does")
    return unpacked
