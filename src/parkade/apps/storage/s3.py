"""The door of S3: `/s3/BUCKET/KEY`, path style, signed as AWS signs or with a token."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from parkade.apps.signing import callers
from parkade.apps.storage import operations, xml
from parkade.apps.storage.call import MEDIA, Call, exists, failure
from parkade.apps.storage.faults import Fault, fault, invalid, no_bucket
from parkade.domain.errors import InvalidInput, ObjectNotFound, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive, Scope, Send

    from parkade.apps.assembly import Services
    from parkade.apps.storage.operations import Level

logger = logging.getLogger(__name__)

PREFIX = "/s3"
#: Parameters of a query that stand for headers. Those of signatures are written X-Amz-.
_HEADER = "x-amz-"
_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~]*")
_SUMS = ("x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-content-sha256")


class S3:
    """An ASGI callable."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what goes wrong is told in S3's own words."""
        request = Request(scope, receive)
        request_id = uuid.uuid4().hex[:16].upper()
        begun = False

        async def marked(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"].append((b"x-amz-request-id", request_id.encode()))
            await send(message)

        try:
            response = await self._answer(request)
            await response(scope, receive, marked)
        except ParkadeError as error:
            if begun:
                raise
            await _failed(request, _as_fault(error, request), request_id)(scope, receive, marked)
        except ClientDisconnect:
            raise
        except Exception:
            logger.exception(
                "bug %s while answering %s %s", request_id, request.method, request.url.path
            )
            if begun:
                raise
            bug = Fault(
                "InternalError",
                500,
                f"A fault in Parkade itself: search the control process's log for {request_id}.",
            )
            await _failed(request, bug, request_id)(scope, receive, marked)

    async def _answer(self, request: Request) -> Response:
        bucket, key = _address(request)
        level: Level = "object" if key else "bucket" if bucket else "service"
        query = dict(parse_qsl(_text(request.scope["query_string"]), keep_blank_values=True))
        caller = callers.authenticate(
            self._services,
            service="s3",
            method=request.method,
            target=_target(request),
            headers=request.scope["headers"],
        )
        request = _with_headers(request, query)
        operation = operations.find(request.method, level, query, request.headers)
        caller.token.require(operation.role)
        call = Call(
            services=self._services,
            request=request,
            caller=caller,
            bucket=bucket,
            key=key,
            query=query,
            alone=lambda name: self._locks.setdefault(name, asyncio.Lock()),
        )
        try:
            return await operation.run(call)
        except (ObjectNotFound, InvalidInput) as error:
            raise await _explained(call, error) from error


async def _explained(call: Call, error: ObjectNotFound | InvalidInput) -> ParkadeError:
    """Tell a bucket that is not there from a key; what can be no key is not there either."""
    reads = call.request.method in {"GET", "HEAD"}
    wrong = fault(error, call.key)
    if isinstance(error, InvalidInput) and not (reads and wrong.code == "InvalidArgument"):
        return wrong
    if not await asyncio.to_thread(exists, call.objects, call.bucket):
        return no_bucket(call.bucket)
    return Fault("NoSuchKey", 404, wrong.message, Key=call.key)


def _with_headers(request: Request, query: Mapping[str, str]) -> Request:
    """Return the request with the headers that a presigned address brings in its query.

    Sums are left out: whoever signed had no body, and SDKs put the sum of nothing.
    """
    brought = [
        (name.encode(), value.encode())
        for name, value in query.items()
        if name.startswith(_HEADER) and not name.startswith(_SUMS) and name not in request.headers
    ]
    if not brought:
        return request
    if not all(_LINE.fullmatch(name + b":" + value) for name, value in brought):
        raise invalid("The address holds x-amz- parameters that do not fit in a header.")
    headers = [*request.scope["headers"], *brought]
    return Request({**request.scope, "headers": headers}, request.receive)


def _target(request: Request) -> bytes:
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + (b"?" + query if query else b"")


def _address(request: Request) -> tuple[str, str]:
    """Return bucket and key; either may be empty."""
    raw: bytes = request.scope["raw_path"]
    bucket, _, key = raw.removeprefix(PREFIX.encode()).removeprefix(b"/").partition(b"/")
    return _text(unquote_to_bytes(bucket)), _text(unquote_to_bytes(key))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Fault(
            "InvalidURI", 400, "Couldn't parse the specified URI: it is not UTF-8."
        ) from error


def _as_fault(error: ParkadeError, request: Request) -> Fault:
    wrong = fault(error)
    if wrong.status == 500:
        logger.error("%s %s: %s", request.method, request.url.path, wrong.message)
    return wrong


def _failed(request: Request, error: Fault, request_id: str) -> Response:
    if request.method == "HEAD":
        return Response(status_code=error.status, media_type=MEDIA)
    resource = request.scope["raw_path"].decode("latin-1")
    root = failure(error, resource, request_id)
    return Response(xml.document(root), error.status, media_type=MEDIA)
