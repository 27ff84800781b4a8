"""From errors to S3's: the one table of its codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.signing.refusals import Refused
from parkade.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Looked up along an error's ancestors.
_CODES: Mapping[type[errors.ParkadeError], tuple[str, int]] = {
    errors.InvalidInput: ("InvalidArgument", 400),
    errors.BucketNotFound: ("NoSuchBucket", 404),
    errors.ObjectNotFound: ("NoSuchKey", 404),
    errors.InUse: ("BucketNotEmpty", 409),
    errors.Conflict: ("OperationAborted", 409),
    errors.Unauthenticated: ("AccessDenied", 403),
    errors.Forbidden: ("AccessDenied", 403),
    errors.Throttled: ("SlowDown", 503),
    errors.TooLarge: ("EntityTooLarge", 400),
    errors.ResourceLimitExceeded: ("InsufficientStorage", 507),
    errors.Unavailable: ("ServiceUnavailable", 503),
    errors.ParkadeError: ("InternalError", 500),
}
_LONGEST_KEY = 1024


class Fault(errors.ParkadeError):
    """An error of S3 itself, by its code.

    `facts` are what S3 tells of such an error beside its message, by the names it has for them.
    """

    def __init__(self, code: str, status: int, message: str, **facts: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.facts = facts


def fault(error: errors.ParkadeError, key: str = "") -> Fault:
    """Return an error as S3 calls it; `key` is the one that was asked for."""
    if isinstance(error, Fault):
        return error
    text = f"{error.message[:1].upper()}{error.message[1:].rstrip('.')}."
    if error.hint:
        text += f" To do: {error.hint}."
    if isinstance(error, Refused):
        return Fault(error.code("s3"), error.status("s3"), text)
    if isinstance(error, errors.InvalidInput) and error.field == "Bucket":
        return Fault("InvalidBucketName", 400, text)
    if isinstance(error, errors.InvalidInput) and len(key.encode()) > _LONGEST_KEY:
        return Fault("KeyTooLongError", 400, "Your key is too long: 1024 bytes at most.")
    code, status = next(_CODES[each] for each in type(error).__mro__ if each in _CODES)
    return Fault(code, status, text)


def no_bucket(bucket: str) -> Fault:
    """Say that there is no such bucket."""
    return Fault(
        "NoSuchBucket", 404, f"The specified bucket does not exist: {bucket}.", BucketName=bucket
    )


def invalid(message: str, code: str = "InvalidArgument", **facts: str) -> Fault:
    """Say that something in a request cannot be used."""
    return Fault(code, 400, message, **facts)


def not_there(what: str, spoken: str) -> Fault:
    """Say that something of S3 is not here, and what is."""
    return Fault("NotImplemented", 501, f"{what} is not implemented here. {spoken}")
