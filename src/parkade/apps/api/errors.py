"""From errors to answers: the one table of statuses, and the one shape of every error.

    {"error": {"code": "lease_not_found", "message": "...", "hint": "...", "field": "..."}}

`code` is the error's class in snake case, `field` is there where one is to blame. A bug is
logged with its traceback under an id; the answer carries the id and nothing of the inside.
"""

from __future__ import annotations

import json
import logging
import math
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from parkade.domain import errors
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

#: Looked up along an error's ancestors, so that a new leaf of the tree has its status already.
STATUSES: Mapping[type[errors.ParkadeError], int] = {
    errors.InvalidInput: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Throttled: 429,
    errors.ResourceLimitExceeded: 400,
    errors.BudgetExceeded: 402,
    errors.TooLarge: 413,
    errors.Undelivered: 502,
    errors.Unreadable: 500,
    errors.StartFailed: 500,
    errors.Unavailable: 503,
    errors.ParkadeError: 500,
}


def status(error: errors.ParkadeError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUSES[each] for each in type(error).__mro__ if each in STATUSES)


def code(error: errors.ParkadeError) -> str:
    """Return an error's name in the answer: `LeaseNotFound` is `lease_not_found`.

    What others tell apart for themselves is to callers what it is a kind of.
    """
    of_the_tree = (each for each in type(error).__mro__ if each.__module__ == errors.__name__)
    name = next(of_the_tree).__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def handle(app: FastAPI) -> None:
    """Give the app the answers of this module; a bug is caught by `Bugs` around it."""
    app.add_exception_handler(errors.ParkadeError, _on_purpose)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_the_framework)


@contextmanager
def respelt(fields: Mapping[str, str]) -> Iterator[None]:
    """Name fields in errors as this API spells them: the domain uses SageMaker's spelling."""
    try:
        yield
    except errors.InvalidInput as error:
        if error.field not in fields:
            raise
        spelt = fields[error.field]
        raise errors.InvalidInput(
            re.sub(rf"\b{re.escape(error.field)}\b", spelt, error.message, count=1),
            field=spelt,
            hint=re.sub(rf"\b{re.escape(error.field)}\b", spelt, error.hint),
        ) from error


def answer(
    status_code: int,
    error_code: str,
    message: str,
    *,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Response:
    """Return an error in the one shape."""
    content = {"code": error_code, "message": message, "hint": hint, **more}
    # Escaped, for a message may quote what no encoding can hold.
    return Response(
        json.dumps({"error": content}),
        status_code,
        headers=headers,
        media_type="application/json",
    )


async def _on_purpose(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.ParkadeError):
        raise error
    if status(error) == 500:
        logger.error("%s %s: %s", request.method, request.url.path, error.message)
    headers = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.Throttled | errors.Unavailable):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    blamed = {"field": error.field} if isinstance(error, errors.InvalidInput) else {}
    return answer(
        status(error), code(error), error.message, hint=error.hint, headers=headers, **blamed
    )


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [_explain(each) for each in error.errors()]
    field, _, hint = found[0]
    message = "; ".join(dict.fromkeys(message for _, message, _ in found))
    return answer(400, "invalid_input", message, hint=hint, field=field)


def _explain(error: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the field, what is wrong with it, and what to do, of one finding of pydantic."""
    place = [str(part) for part in error["loc"][1:]]
    if error["type"] == "unknown_field":
        place.append(error["ctx"]["name"])
        field = ".".join(place)
        return field, f"{field} is not known here", error["ctx"]["hint"]
    field = ".".join(place) or "body"
    if error["type"] == "missing":
        missing = "the body is missing" if field == "body" else f"{field} is missing"
        hint = "send a JSON object" if field == "body" else f"give {field}"
        return field, missing, hint
    if field == "body":
        return field, "the body is not a JSON object", 'send one such as {"minutes": 10}'
    # What stood in a body is not told back: it may be a secret.
    quoted = "" if error["loc"][0] == "body" else f" {_short(error['input'])}"
    return field, f"{field}{quoted} cannot be used: {error['msg']}", ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


async def _of_the_framework(request: Request, error: Exception) -> Response:
    """Answer a path or method that is not there."""
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    known = _documented(request)
    if error.status_code == 404:
        return answer(404, "not_found", f"there is nothing at {path}", hint=_way(request, known))
    if error.status_code == 405:
        allowed = ", ".join(_methods(path, known))
        return answer(
            405,
            "method_not_allowed",
            f"{request.method} is not possible at {path}",
            hint=f"possible here: {allowed}",
            headers={"Allow": allowed},
        )
    return answer(error.status_code, "http_error", str(error.detail), headers=error.headers)


def _way(request: Request, known: Iterable[str]) -> str:
    path = request.url.path
    if request.method == "POST" and path.count("/") == 1 and len(path) > 1:
        # What calls a single segment means to invoke; the gateway has no such route.
        return f"no route has this path; set one with: parkade route set {path} --endpoint NAME"
    return f"{suggestion(path, known)} /docs lists all there is".strip()


def _documented(request: Request) -> Mapping[str, set[str]]:
    """Return each path that is documented with its methods.

    The OpenAPI document says the same, and takes more than half a second to be made.
    """
    known: dict[str, set[str]] = {}
    for route in request.app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            known.setdefault(route.path_format, set()).update(route.methods or ())
    return known


def _methods(path: str, known: Mapping[str, set[str]]) -> list[str]:
    """Return the methods of all documented paths that `path` fits."""
    methods = {
        method
        for template, possible in known.items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(template)), path)
        for method in possible
    }
    return sorted(methods or {"GET"})


class Bugs:
    """Answers what nobody raised on purpose, and logs it: the outermost layer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; on a bug answer 500, or cut an answer that has begun."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            logger.info("%s %s: the client went away", scope["method"], scope["path"])
        except Exception:
            bug = uuid.uuid4().hex[:12]
            asked = f"{scope.get('method', '')} {scope.get('path', '')}".strip()
            logger.exception("bug %s while answering %s", bug, asked, extra={"bug": bug})
            if begun:
                raise
            refusal = answer(
                500,
                "bug",
                f"{asked} could not be answered because of a fault in Parkade itself",
                hint=f"search the control process's log for {bug}, and report what it says",
                id=bug,
            )
            await refusal(scope, receive, send)
