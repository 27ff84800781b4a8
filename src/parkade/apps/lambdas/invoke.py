"""`invoke`: the model routes, passed through to SageMaker's runtime.

What a caller steers by goes with the request, and what the runtime answers comes back as it is, its
errors included: a model that failed is a 424 with the model's own status and text. An endpoint that
is not there is looked up in the lease book: what a request wakes is asked for, and the caller is told
when to come again, 503 with `Retry-After`, or 202 where it prefers `respond-async`.

A function cannot hold callers: API Gateway waits for 29 s, and SageMaker starts in minutes.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from parkade.apps.gateway.preferences import preferences
from parkade.apps.lambdas.authorizer import SEPARATOR
from parkade.apps.lambdas.start import Function
from parkade.domain.errors import LeaseNotFound, Throttled, Unavailable, Unreadable
from parkade.domain.standing import State, standing, told_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.standing import Expected, Standing
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.ports.terms import TermsStore
    from parkade.services.waking import Waking

logger = logging.getLogger(__name__)

#: bytes. SageMaker's own limit of a body. API Gateway takes 10 MB, and Lambda 6 MB of text, of which a
#: binary body fills four thirds.
BODY_LIMIT = 6_291_456
#: bytes. What Lambda takes of an answer, all of it together.
ANSWER_LIMIT = 6_291_456 - 16_384
#: seconds. API Gateway waits for 29; what the function does beside is within the rest.
PATIENCE = 26.0
#: SageMaker's words for an endpoint that there is none of: "Endpoint X of account Y not found."
_NOT_FOUND = "not found"
_VALIDATION = frozenset({"ValidationError", "ValidationException"})
#: Types whose bytes are texts, which API Gateway takes as they are.
_TEXTS = ("text/", "application/json", "application/jsonlines", "application/xml")


class Reply(Protocol):
    """What the runtime answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that are passed on."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...

    @property
    def error(self) -> str:
        """The name of its error; empty: it is none."""
        ...

    @property
    def message(self) -> str:
        """The text of its error."""
        ...


class Passage(Protocol):
    """Carries invocations."""

    def invoke(self, endpoint_name: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the runtime's answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a call of a model works with."""

    passage: Passage
    book: LeaseBook
    terms: TermsStore
    waking: Waking
    #: How hosting sees one endpoint. Raises what keeps it from being seen.
    look: Callable[[str], ObservedEndpoint | None]
    #: What knows how long starts of an endpoint take.
    expected: Callable[[str], Expected]
    clock: Clock
    routes: Mapping[str, Mapping[str, object]]


class Invoke:
    """Answers one request of API Gateway's proxy integration."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Invoke the endpoint that the path leads to."""
        # The method that API Gateway has let the caller through to. What was asked for may be spelt
        # otherwise: behind a domain of one's own it begins with what that has before the API.
        path = str(event.get("resource") or event.get("path", ""))
        route = self._means.routes.get(path.rstrip("/"))
        if route is None:
            return _error(404, "ResourceNotFound", f"No model is served at {path}.")
        endpoint = str(route["endpoint"])
        if not _may(event, endpoint, public=bool(route.get("public"))):
            return _error(
                403, "AccessDeniedException", f"This token may not invoke endpoint {endpoint!r}."
            )
        try:
            body = _body(event)
        except binascii.Error:
            return _error(
                400, "ValidationError", "The body is not the base64 that it is said to be."
            )
        if len(body) > BODY_LIMIT:
            return _error(
                413,
                "RequestEntityTooLargeException",
                f"HTTP content length exceeded {BODY_LIMIT} bytes.",
            )
        headers = _headers(event)
        try:
            reply = self._means.passage.invoke(endpoint, body, headers)
            if reply.error in _VALIDATION and _NOT_FOUND in reply.message:
                absent = self._absent(endpoint, headers)
                return _passed(reply) if absent is None else absent
        except (Throttled, Unavailable) as error:
            return _error(
                503,
                "ServiceUnavailable",
                f"{error.message}. {error.hint}".strip(),
                **_after(error.retry_after.total_seconds()),
            )
        return _passed(reply)

    def _absent(self, endpoint: str, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """Say how an endpoint stands that is not there; None: nobody has a lease for it."""
        means = self._means
        try:
            lease = means.book.get(endpoint)
        except LeaseNotFound:
            return None
        except Unreadable as error:
            return _error(503, "ServiceUnavailable", error.message)
        try:
            terms = means.terms.get(endpoint)
        except Unreadable:
            terms = None  # nothing is bought by what cannot be read
        now = means.clock.now()
        stands = standing(
            lease, means.look(endpoint), now, expected=means.expected(endpoint), terms=terms
        )
        if stands.wakes:
            means.waking.ask(endpoint, "a request came for it")
        asked = preferences([headers["prefer"]] if "prefer" in headers else [])
        passes = stands.wakes or stands.state in {State.STARTING, State.RUNNING}
        return _down(endpoint, stands, later=passes and asked.get("respond_async", False))


def _may(event: Mapping[str, Any], endpoint: str, *, public: bool) -> bool:
    """Tell whether the caller may invoke it, as the authorizer has told API Gateway."""
    told = (event.get("requestContext") or {}).get("authorizer")
    if not told:
        return public
    limited = str(told.get("endpoints") or "")
    return not limited or endpoint in limited.split(SEPARATOR)


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return base64.b64decode(text, validate=True)
    return str(text).encode()


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers in small letters; of one that came twice, as HTTP joins them."""
    several = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    joined = {name.lower(): ", ".join(values) for name, values in several.items()}
    return {**{name.lower(): str(value) for name, value in single.items()}, **joined}


def _passed(reply: Reply) -> dict[str, Any]:
    content_type = reply.headers.get("Content-Type", "")
    if content_type.startswith(_TEXTS):
        try:
            return _answer(reply.status, reply.headers, reply.body.decode())
        except UnicodeDecodeError:
            logger.info("the model says %s and answers bytes that are no text", content_type)
    encoded = base64.b64encode(reply.body).decode()
    return _answer(reply.status, reply.headers, encoded, encoded=True)


def _answer(
    status: int, headers: Mapping[str, str], body: str, *, encoded: bool = False
) -> dict[str, Any]:
    if len(body.encode()) > ANSWER_LIMIT:
        return _error(
            413,
            "ResponseTooLargeException",
            f"The answer has {len(body.encode())} bytes, and this API carries {ANSWER_LIMIT}. Ask "
            "SageMaker's runtime itself, or an asynchronous endpoint.",
        )
    return {
        "statusCode": status,
        "headers": dict(headers),
        "body": body,
        "isBase64Encoded": encoded,
    }


def _down(endpoint: str, stands: Standing, *, later: bool) -> dict[str, Any]:
    when = {}
    if stands.expected_at is not None:
        when = {"expected_at": f"{told_at(stands.expected_at):%Y-%m-%dT%H:%M:%SZ}"}
    after = _after(stands.retry_after.total_seconds())
    if later:
        place = f"/v1/endpoints/{endpoint}"
        text = (
            f"Endpoint {endpoint} is not running yet: {stands.reason}. This request was not kept: "
            f"send it again once the state at {place} is 'running'."
        )
        body = {"Message": text, "reason": stands.reason, "status_url": place, **when}
        headers = {"Location": place, "Preference-Applied": "respond-async", **after}
        return _json(202, body, headers)
    body = {
        "Message": f"Endpoint {endpoint} is not running: {stands.reason}.",
        "reason": stands.reason,
        "hint": stands.hint,
        **when,
    }
    return _json(503, body, {"x-amzn-ErrorType": "ServiceUnavailable", **after})


def _after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _error(status: int, kind: str, message: str, **headers: str) -> dict[str, Any]:
    return _json(status, {"Message": message}, {"x-amzn-ErrorType": kind, **headers})


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def _build(settings: FunctionSettings) -> Invoke:
    from parkade.apps.lambdas.invoking import Callers  # noqa: PLC0415  at the first call

    callers = Callers(settings)
    return Invoke(
        Means(
            passage=callers.passage(PATIENCE),
            book=callers.book,
            terms=callers.terms,
            waking=callers.waking,
            look=callers.look,
            expected=callers.expected,
            clock=callers.clock,
            routes=settings.routes,
        )
    )


handler = Function(_build)
