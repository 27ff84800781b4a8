"""What AWS refuses with, in the words of Parkade's own errors: one table for all services.

What a code means for one call alone (`ValidationException` of an endpoint that is not there) is
told by the adapter that makes the call, before it comes to this.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidRegionError,
    LoginError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from parkade.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    ParkadeError,
    ResourceLimitExceeded,
    Throttled,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: How long to leave a service alone that throttles even adaptive clients.
_LATER = timedelta(seconds=5)

_THROTTLING = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
    "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
    "BandwidthLimitExceeded", "SlowDown", "ProvisionedThroughputExceededException",
    "LimitExceededFault", "PriorRequestNotComplete", "EC2ThrottledException",
    "TransactionInProgressException", "ConcurrentUpdateException",
})  # fmt: skip
_CREDENTIALS = frozenset({
    "UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch",
    "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "AuthFailure",
    "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
})  # fmt: skip
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation",
                     "AuthorizationError", "AuthorizationErrorException", "Forbidden"})  # fmt: skip
_LIMITS = frozenset({
    "ResourceLimitExceeded", "LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
    "ItemCollectionSizeLimitExceededException",
})  # fmt: skip
_CONFLICTS = frozenset({"ConflictException", "ResourceInUse", "ResourceInUseException"})
_INVALID = frozenset({
    "ValidationException", "ValidationError", "InvalidParameter", "InvalidParameterValue",
    "InvalidParameterException", "InvalidParameterCombination", "InvalidRequestException",
})  # fmt: skip
#: What botocore raises before AWS is asked: there is nobody to ask as, or not any more ...
_NOBODY = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_SIGNED_OUT = (SSOError, TokenRetrievalError, LoginError)
#: ... or what AWS's own settings say cannot be followed.
_SETTINGS = (ConfigParseError, ConfigNotFound, InvalidConfigError, InvalidRegionError)
#: The action in the text of a refusal: "... is not authorized to perform: sagemaker:CreateEndpoint ...".
_ACTION = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")
_ELSEWHERE = "try again, and look whether AWS_ENDPOINT_URL leads elsewhere"


@contextmanager
def calling(
    what: str, meaning: Callable[[str, str], ParkadeError | None] | None = None
) -> Iterator[None]:
    """Translate what botocore raises inside; `what` begins the message ("X cannot be created").

    `meaning` is asked first about AWS's refusals. Raises Throttled, Unauthenticated, Forbidden
    (which names the permission that lacks), ResourceLimitExceeded, Conflict, InvalidInput, and
    Unavailable for all else: time-outs, faults of AWS, answers that are not understood.
    """
    try:
        yield
    except ClientError as error:
        code, text = code_of(error), text_of(error)
        told = meaning(code, text) if meaning else None
        raise (told or _refusal(what, code, text, _status(error))) from error
    except _NOBODY as error:
        raise Unauthenticated(
            f"{what}: {error}",
            hint="aws configure; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        ) from error
    except ProfileNotFound as error:
        raise Unauthenticated(
            f"{what}: {error}", hint="aws configure list-profiles shows which there are"
        ) from error
    except _SIGNED_OUT as error:
        verb = "aws login" if isinstance(error, LoginError) else "aws sso login"
        raise Unauthenticated(
            f"{what}: {error}", hint=f"sign in again, with the same profile: {verb}"
        ) from error
    except _SETTINGS as error:
        raise InvalidInput(
            f"{what}: {error}",
            field="region" if isinstance(error, InvalidRegionError) else "AWS_CONFIG_FILE",
            hint="correct AWS's settings: aws configure list shows where each comes from",
        ) from error
    except ParamValidationError as error:
        raise InvalidInput(f"{what}: {error}", field="request") from error
    except BotoCoreError as error:
        raise Unavailable(f"{what}: {error}", retry_after=_LATER, hint=_ELSEWHERE) from error


def code_of(error: ClientError) -> str:
    """Return AWS's code of a refusal, such as `ValidationException`."""
    return str(_told(error).get("Code", ""))


def text_of(error: ClientError) -> str:
    """Return AWS's text of a refusal."""
    return str(_told(error).get("Message") or error)


def _told(error: ClientError) -> Mapping[str, Any]:
    told: Mapping[str, Any] = error.response.get("Error", {})
    return told


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal(what: str, code: str, text: str, status: int) -> ParkadeError:
    message = f"{what}: {code}: {text}"
    if code in _THROTTLING or status == 429:
        return Throttled(
            message, retry_after=_LATER, hint="AWS throttles this account; it is tried again later"
        )
    if code in _CREDENTIALS:
        return Unauthenticated(message, hint="check the AWS credentials")
    if code in _DENIED or status == 403:
        action = _ACTION.search(text)
        lacking = action[1] if action else "it"
        return Forbidden(message, hint=f"allow {lacking} to these credentials")
    if code in _LIMITS:
        return ResourceLimitExceeded(message, hint="ask AWS for a higher quota, or use less")
    if code in _CONFLICTS:
        return Conflict(message)
    if code in _INVALID:
        return InvalidInput(message, field="request")
    return Unavailable(message, retry_after=_LATER, hint=_ELSEWHERE)
