"""The door of STS, `/sts`: who the caller is.

A token is told as a role that was assumed, under the token's name: SDKs that look for the role
they run as (SageMaker's does, for the role of its models) take the ARN of a session apart, and
refuse that of a user.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from parkade.apps.signing import callers
from parkade.apps.signing.refusals import Refused
from parkade.apps.storage import xml
from parkade.apps.storage.operations import ACCOUNT
from parkade.domain.errors import Forbidden, ParkadeError, TooLarge

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from parkade.apps.assembly import Services
    from parkade.domain.token import Token

logger = logging.getLogger(__name__)

PATH = "/sts"
#: bytes. What is asked for here is a line.
_BODY_LIMIT = 65_536
_ACTION = "GetCallerIdentity"


class STS:
    """An ASGI callable."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        request_id = str(uuid.uuid4())
        try:
            response = await self._answer(request, request_id)
        except Refused as error:
            response = _failure(error.status("sts"), error.code("sts"), error.text, request_id)
        except Forbidden as error:
            response = _failure(403, "AccessDenied", error.message, request_id)
        except TooLarge as error:
            response = _failure(413, "RequestEntityTooLarge", error.message, request_id)
        except ParkadeError as error:
            logger.error("%s: %s", PATH, error.message)  # noqa: TRY400  no bug of ours
            response = _failure(500, "InternalFailure", error.message, request_id)
        response.headers["x-amzn-RequestId"] = request_id
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str) -> Response:
        body = await _body(request)
        query: bytes = request.scope["query_string"]
        path: bytes = request.scope["raw_path"]
        caller = callers.authenticate(
            self._services,
            service="sts",
            method=request.method,
            target=path + (b"?" + query if query else b""),
            headers=request.scope["headers"],
            payload_hash=hashlib.sha256(body).hexdigest(),
        )
        asked = dict(
            parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            + parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        )
        action = asked.get("Action", "")
        if action != _ACTION:
            missing = f"{action[:80]} is not spoken here" if action else "no Action is given"
            return _failure(
                400,
                "InvalidAction",
                f"{missing}: this STS knows {_ACTION} alone. It gives no temporary credentials; "
                "use the access key of a token, which can expire: parkade token create --expires.",
                request_id,
            )
        return _told(_identity(caller.token), request_id)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_LIMIT:
            raise TooLarge(f"the body is larger than {_BODY_LIMIT} bytes")
    return bytes(body)


def _identity(token: Token) -> xml.Element:
    role = f"parkade-{token.role}"
    return (
        f"{_ACTION}Result",
        (
            ("Arn", f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{token.name}"),
            ("UserId", f"AROA{role.upper().replace('-', '')}:{token.name}"),
            ("Account", ACCOUNT),
        ),
    )


def _told(result: xml.Element, request_id: str) -> Response:
    root = (f"{_ACTION}Response", (result, ("ResponseMetadata", (("RequestId", request_id),))))
    return Response(xml.document(root, xml.STS), media_type="text/xml")


def _failure(status: int, code: str, message: str, request_id: str) -> Response:
    kind = "Sender" if status < 500 else "Receiver"
    error = ("Error", (("Type", kind), ("Code", code), ("Message", message)))
    root = ("ErrorResponse", (error, ("RequestId", request_id)))
    return Response(xml.document(root, xml.STS), status, media_type="text/xml")
