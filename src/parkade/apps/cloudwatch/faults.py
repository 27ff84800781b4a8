"""What is wrong with a request, under CloudWatch's names; and ours told under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.signing.refusals import Refused
from parkade.apps.wire import description
from parkade.apps.wire.faults import Fault
from parkade.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID = "InvalidParameterValueException"
COMBINATION = "InvalidParameterCombinationException"
MISSING = "MissingRequiredParameterException"

#: Code and status of our errors, looked up along an error's ancestors.
_CODES: Mapping[type[errors.ParkadeError], tuple[str, int]] = {
    errors.InvalidInput: (INVALID, 400),
    errors.NotFound: ("ResourceNotFound", 404),
    errors.Conflict: ("ConflictException", 409),
    errors.Unauthenticated: ("InvalidClientTokenId", 403),
    errors.Forbidden: ("AccessDeniedException", 403),
    errors.Throttled: ("ThrottlingException", 400),
    errors.ResourceLimitExceeded: ("LimitExceededFault", 400),
    errors.TooLarge: ("RequestEntityTooLargeException", 413),
    errors.Unavailable: ("ServiceUnavailable", 503),
    errors.ParkadeError: ("InternalServiceFault", 500),
}


def unusable(member: str, why: str) -> Fault:
    """Return the fault of a member whose value cannot be used."""
    return Fault(INVALID, f"The value for parameter {member} is invalid: {why}")


def combination(message: str) -> Fault:
    """Return the fault of members that do not go together."""
    return Fault(COMBINATION, message)


def missing(member: str) -> Fault:
    """Return the fault of a member that has to be there."""
    return Fault(MISSING, f"The parameter {member} is required.")


def refused(member: str, why: str) -> Fault:
    """Return the fault of a member that would mean something that is not built here."""
    return Fault(COMBINATION, f"{member} is not supported by Parkade: {why}")


def not_found(what: str) -> Fault:
    """Return the fault of what is not there."""
    return Fault("ResourceNotFound", what, status=404)


def bad_token() -> Fault:
    """Return the fault of a NextToken that no list has given."""
    return Fault(
        "InvalidNextToken",
        "The NextToken is not one that this list gave: repeat the request that gave it.",
    )


def translated(error: errors.ParkadeError) -> Fault:
    """Return the fault that tells an error of ours."""
    if isinstance(error, Refused):
        return Fault(error.code("monitoring"), error.text, status=error.status("monitoring"))
    code, status = next(_CODES[each] for each in type(error).__mro__ if each in _CODES)
    message = f"{error.message[:1].upper()}{error.message[1:]}."
    hint = f" To do: {error.hint}." if error.hint else ""
    return Fault(code, message + hint, status=status)


def query_code(fault: Fault) -> str:
    """Return what a fault is called in the query protocol."""
    shapes = description.model("cloudwatch")
    if fault.code not in shapes.shape_names:
        return fault.code
    return str(shapes.shape_for(fault.code).metadata.get("error", {}).get("code", fault.code))
