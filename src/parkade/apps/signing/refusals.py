"""Why a signed request is refused, and how each of the services that we speak calls that."""

from __future__ import annotations

from enum import Enum
from time import gmtime, strftime
from typing import Literal, TypeAlias

from parkade.domain.errors import Unauthenticated

#: Who signs how: `sagemaker-runtime` signs as `sagemaker`, CloudWatch as `monitoring`.
Service: TypeAlias = Literal["sagemaker", "s3", "sts", "monitoring", "application-autoscaling"]
SERVICES: tuple[Service, ...] = (
    "sagemaker",
    "s3",
    "sts",
    "monitoring",
    "application-autoscaling",
)
#: Where a reason has a service's code: what speaks JSON 1.1 has SageMaker's, CloudWatch has STS's.
_COLUMNS: dict[Service, int] = {
    "sagemaker": 0,
    "s3": 1,
    "sts": 2,
    "monitoring": 2,
    "application-autoscaling": 0,
}

#: What to do about most of these.
GET_KEYS = 'get the access key of a token of this server: eval "$(parkade env --aws)"'


class Reason(Enum):
    """What is wrong; each with its code and HTTP status at SageMaker, S3 and STS (and CloudWatch)."""

    MISSING = (
        ("MissingAuthenticationTokenException", 403),
        ("AccessDenied", 403),
        ("MissingAuthenticationToken", 403),
    )
    #: Something that belongs to a signature is not there, or has not its form.
    INCOMPLETE = (
        ("IncompleteSignatureException", 400),
        ("AuthorizationHeaderMalformed", 400),
        ("IncompleteSignature", 400),
    )
    INCOMPLETE_QUERY = (
        ("IncompleteSignatureException", 400),
        ("AuthorizationQueryParametersError", 400),
        ("IncompleteSignature", 400),
    )
    UNKNOWN_KEY = (
        ("UnrecognizedClientException", 403),
        ("InvalidAccessKeyId", 403),
        ("InvalidClientTokenId", 403),
    )
    MISMATCH = (
        ("InvalidSignatureException", 403),
        ("SignatureDoesNotMatch", 403),
        ("SignatureDoesNotMatch", 403),
    )
    #: The clocks of client and server differ by more than is allowed.
    SKEWED = (
        ("InvalidSignatureException", 403),
        ("RequestTimeTooSkewed", 403),
        ("SignatureDoesNotMatch", 403),
    )
    #: A presigned address is used after its time, or headers that matter came along unsigned.
    DENIED = (
        ("InvalidSignatureException", 403),
        ("AccessDenied", 403),
        ("SignatureDoesNotMatch", 403),
    )
    EXPIRED_TOKEN = (
        ("ExpiredTokenException", 403),
        ("ExpiredToken", 400),
        ("ExpiredToken", 403),
    )
    #: The body is another one than its hash says.
    BODY_MISMATCH = (
        ("InvalidSignatureException", 403),
        ("XAmzContentSHA256Mismatch", 400),
        ("SignatureDoesNotMatch", 403),
    )
    #: The body is not framed, or not as long, as its headers say.
    BODY_INCOMPLETE = (
        ("IncompleteSignatureException", 400),
        ("IncompleteBody", 400),
        ("IncompleteSignature", 400),
    )


class Refused(Unauthenticated):
    """A request that is not known to be a caller's own; `hint` says what to do."""

    def __init__(self, reason: Reason, message: str, *, hint: str = GET_KEYS) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    def code(self, service: Service) -> str:
        """Return the service's name for it, which clients raise as an error's code."""
        return self.reason.value[_COLUMNS[service]][0]

    def status(self, service: Service) -> int:
        """Return the HTTP status that the service has for it."""
        return self.reason.value[_COLUMNS[service]][1]

    @property
    def text(self) -> str:
        """What is wrong and what to do, for answers that have one text."""
        return f"{self.message} {self.hint[:1].upper()}{self.hint[1:]}."


def mismatch() -> Refused:
    """Return the refusal of a signature that the key's secret did not make for this request."""
    return Refused(
        Reason.MISMATCH,
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method.",
    )


def over(until: float) -> Refused:
    """Return the refusal of a presigned address after its time."""
    return Refused(
        Reason.DENIED,
        f"Request has expired: this address was good until {written(until)}.",
        hint="have it signed anew",
    )


def written(instant: float) -> str:
    """Return an instant as signatures write it."""
    return strftime("%Y%m%dT%H%M%SZ", gmtime(instant))


def unknown_key(key_id: str) -> Refused:
    """Return the refusal of a key that belongs to no token."""
    return Refused(
        Reason.UNKNOWN_KEY,
        "The security token included in the request is invalid: no token of this server has the "
        f"access key {key_id[:40]!r}.",
    )


def expired_token(name: str, what: str) -> Refused:
    """Return the refusal of a key whose token is over; `what` became of it."""
    return Refused(
        Reason.EXPIRED_TOKEN,
        f"The security token included in the request is expired: token {name!r} {what}.",
    )
