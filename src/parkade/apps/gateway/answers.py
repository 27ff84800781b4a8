"""Answers of the gateway's own: SageMaker's runtime errors, and errors of the passage.

An answer is rendered once; what differs from request to request (its id, the date, whether the
connection stays) is added by the connection that sends it.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.domain.standing import START_ESTIMATE

if TYPE_CHECKING:
    from parkade.apps import link
    from parkade.apps.signing.refusals import Refused

REASONS = {
    100: b"Continue",
    200: b"OK",
    202: b"Accepted",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    413: b"Content Too Large",
    414: b"URI Too Long",
    424: b"Failed Dependency",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}

ACCOUNT = "000000000000"
#: What the container of a model that has one alone is called.
PRIMARY = "primary"
#: How much of a model's own error text is repeated to the caller, in characters.
MESSAGE_LIMIT = 1024
ORIGINAL_LIMIT = 65_536

#: What is added for callers who may be held.
HELD_HINT = (
    "; with the header 'Prefer: wait=SECONDS' (parkade invoke --wait SECONDS) you are held until it "
    "runs"
)

#: SageMaker's words for a model that took too long; seen in the wild with status 0.
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container {}. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class Answer:
    """A rendered response: status line with headers, without the blank line, and the body."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body


def render(status: int, body: dict[str, Any], **headers: str) -> Answer:
    """Return a JSON answer; underscores in header names stand for hyphens."""
    text = json.dumps(body).encode()
    lines = [
        b"HTTP/1.1 %d %b" % (status, REASONS[status]),
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(text),
        *(
            f"{name.replace('_', '-')}: {value}".encode("latin-1")
            for name, value in headers.items()
        ),
    ]
    return Answer(status, b"\r\n".join(lines) + b"\r\n", text)


def error(status: int, kind: str, message: str, **headers: str) -> Answer:
    """Return an error of the SageMaker runtime, which boto3 raises as its class `kind`."""
    return render(status, {"Message": message}, x_amzn_ErrorType=kind, **headers)


UNAUTHENTICATED = error(
    401,
    "UnauthorizedException",
    "No token was given, or it is unknown, expired or revoked. Send it as the header "
    "'Authorization: Bearer TOKEN'; an administrator makes one with: parkade token create.",
    WWW_Authenticate="Bearer",
)
#: Stands for the answer to a signed request that is not whole yet; it is never sent.
SIGNED = error(403, "IncompleteSignatureException", "The request is not whole.")
METHOD_NOT_ALLOWED = error(405, "MethodNotAllowed", "Invocations are made with POST.", Allow="POST")
BAD_REQUEST = error(400, "BadRequest", "This is not a valid HTTP/1.1 request.")
URI_TOO_LONG = error(414, "BadRequest", "The request's address is longer than 8192 bytes.")
HEAD_TOO_LARGE = error(
    431, "BadRequest", "The request's headers are larger than 65536 bytes, or more than 100."
)
TOO_MANY_WAITING = error(
    503,
    "ServiceUnavailable",
    "All workers of this endpoint are busy and too many requests wait already. Ask again, or "
    "give the endpoint more instances.",
    Retry_After="1",
)
NOT_YET = error(
    503,
    "ServiceUnavailable",
    "The gateway has not yet been told which endpoints there are. Ask again; if this lasts, see "
    "logs/control.log in the state folder.",
    Retry_After="1",
)
#: The text is unverified.
TARGET_MISSING = error(
    400,
    "ValidationError",
    "This endpoint hosts many models: name one with TargetModel (the header "
    "X-Amzn-SageMaker-Target-Model), as the key of its archive below the model's ModelDataUrl.",
)
#: SageMaker's error for a model that is still being loaded when the time is over.
TARGET_NOT_READY = error(
    429,
    "ModelNotReadyException",
    "The target model is still being loaded. Ask again.",
    Retry_After="1",
)
WORKER_GONE = error(
    500,
    "InternalFailure",
    "The container went away while it had this request, and so did the one that was tried next. "
    "A request may be what ends it; see: parkade logs.",
)
ENDS = error(
    503,
    "ServiceUnavailable",
    "The gateway is being stopped, and nobody is held any longer. Ask again.",
    Retry_After="1",
)
#: What a stream ends with that the gateway cannot see to its end.
GATEWAY_ENDS = "The gateway was stopped before the model had finished its answer. Ask again."


def too_large(limit: int) -> Answer:
    """Say that the body is over the limit, in SageMaker's words."""
    return error(
        413, "RequestEntityTooLargeException", f"HTTP content length exceeded {limit} bytes."
    )


def throttled(seconds: float) -> Answer:
    """Say that the token's rate is used up for `seconds`."""
    return error(
        429,
        "ThrottlingException",
        "This token's rate limit is reached (limits.rate and limits.burst of server.yaml).",
        Retry_After=str(max(1, math.ceil(seconds))),
    )


def route_throttled(path: str, seconds: float) -> Answer:
    """Say that the rate of a route, all its callers together, is used up for `seconds`."""
    return error(
        429,
        "ThrottlingException",
        f"The rate limit of {path} is reached, all its callers together (parkade route set {path} "
        "--rate). Ask again.",
        Retry_After=str(max(1, math.ceil(seconds))),
    )


def passage_throttled(seconds: float) -> Answer:
    """Say the same of a request for control, in the shape of its errors."""
    body = {
        "code": "throttled",
        "message": "this token's rate limit is reached",
        "hint": "ask again later, or raise limits.rate and limits.burst in server.yaml",
    }
    return render(429, {"error": body}, Retry_After=str(max(1, math.ceil(seconds))))


def refused(why: Refused) -> Answer:
    """Say that a signature is not good."""
    return error(why.status("sagemaker"), why.code("sagemaker"), why.text)


def forbidden(token: str, endpoint: str) -> Answer:
    """Say that the token is limited to other endpoints."""
    return error(
        403, "AccessDeniedException", f"Token {token!r} may not invoke endpoint {endpoint!r}."
    )


def unknown_endpoint(name: str) -> Answer:
    """Say that there is no such endpoint, in SageMaker's words."""
    return error(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")


def down(line: link.Down, endpoint: str, now: float, *, passes: bool = False) -> Answer:
    """Say that the endpoint is leased, or was, and does not run; `now` as `expected_at` is told.

    Where that passes by itself, or by this very request, callers are told what they may prefer.
    """
    wait, when = _expected(line, now)
    hint = f"{line.hint}{HELD_HINT}" if passes else line.hint
    return render(
        503,
        {
            "Message": f"Endpoint {endpoint} is not running: {line.reason}.",
            "reason": line.reason,
            "hint": hint,
            **when,
        },
        x_amzn_ErrorType="ServiceUnavailable",
        Retry_After=wait,
    )


def under_way(line: link.Down, endpoint: str, now: float) -> Answer:
    """Say where to look for when the endpoint serves; the request itself is not kept."""
    wait, when = _expected(line, now)
    place = f"/v1/endpoints/{endpoint}"
    return render(
        202,
        {
            "Message": f"Endpoint {endpoint} is not running yet: {line.reason}. This request was "
            f"not kept: send it again once the state at {place} is 'running'.",
            "reason": line.reason,
            "status_url": place,
            **when,
        },
        Location=place,
        Retry_After=wait,
        Preference_Applied="respond-async",
    )


def extended(answer: Answer, line: tuple[bytes, ...]) -> Answer:
    """Return the answer with one more header."""
    return Answer(answer.status, answer.head + b"".join(line), answer.body)


def waited(answer: Answer, seconds: float) -> Answer:
    """Say with the answer that its caller was held for as long as it preferred."""
    return extended(answer, applied(seconds))


def applied(seconds: float) -> tuple[bytes, bytes, bytes]:
    """Return the header that says for how long a caller was held at most."""
    return b"Preference-Applied: ", b"wait=%d" % seconds, b"\r\n"


def too_many_held(most: int) -> Answer:
    """Say that no more callers are held; what they wait for is started all the same."""
    return error(
        503,
        "ServiceUnavailable",
        f"{most} callers are held already until their endpoints have started, as many as may be "
        "(limits.hold_max of server.yaml). Ask again.",
        Retry_After="1",
    )


def too_much_held(most: int) -> Answer:
    """Say that the bodies of held requests take all the room that they may."""
    return error(
        503,
        "ServiceUnavailable",
        f"The bodies of callers who are held until their endpoints have started take the {most} "
        "bytes that they may already (limits.hold_bytes of server.yaml). Ask again.",
        Retry_After="1",
    )


def _expected(line: link.Down, now: float) -> tuple[str, dict[str, str]]:
    """Return when to ask again, for the header, and what the body says of it."""
    wait, when = line.retry_after, {}
    if line.expected_at is not None:
        # The line was told a while ago; what takes longer than it used to is asked for soon.
        wait = line.expected_at - now
        wait = wait if wait > 0 else START_ESTIMATE.total_seconds()
        at = datetime.fromtimestamp(line.expected_at, UTC)
        when = {"expected_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    return str(max(1, math.ceil(wait))), when


def model_error(endpoint: str, status: int, text: str, container: str = PRIMARY) -> Answer:
    """Say that a container answered with an error, or with nothing usable (status 0)."""
    side = "client" if 400 <= status < 500 else "server"
    return render(
        424,
        {
            "Message": f"Received {side} error ({status}) from {container} with message "
            f'"{text[:MESSAGE_LIMIT]}". See the log of the endpoint (parkade logs {endpoint}) '
            f"in account {ACCOUNT} for more information.",
            "OriginalStatusCode": status,
            "OriginalMessage": text[:ORIGINAL_LIMIT],
            "LogStreamArn": f"arn:aws:logs:local:{ACCOUNT}:log-group:"
            f"/aws/sagemaker/Endpoints/{endpoint}",
        },
        x_amzn_ErrorType="ModelError",
    )


def passage_error(message: str, hint: str) -> Answer:
    """Say that the control process cannot answer, in the shape of its own errors."""
    body = {"error": {"code": "unavailable", "message": message, "hint": hint}}
    return render(503, body, Retry_After="1")
