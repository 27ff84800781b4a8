"""What is wrong with a request, under Application Auto Scaling's names; and ours told under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.signing.refusals import Refused
from parkade.apps.wire import description
from parkade.apps.wire.faults import Fault, invalid
from parkade.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.signing.refusals import Service

SERVICE: Service = "application-autoscaling"
NOT_FOUND = "ObjectNotFoundException"
CONCURRENT = "ConcurrentUpdateException"
LIMIT = "LimitExceededException"
#: What an operation that has no name of its own for a fault calls it.
INVALID = "ValidationException"

#: Code and status of our errors, looked up along an error's ancestors.
_CODES: Mapping[type[errors.ParkadeError], tuple[str, int]] = {
    errors.InvalidInput: (INVALID, 400),
    errors.NotFound: (NOT_FOUND, 400),
    errors.Conflict: (CONCURRENT, 400),
    errors.Unauthenticated: ("UnrecognizedClientException", 403),
    errors.Forbidden: ("AccessDeniedException", 400),
    errors.Throttled: ("ThrottlingException", 400),
    errors.ResourceLimitExceeded: (LIMIT, 400),
    errors.BudgetExceeded: (LIMIT, 400),
    errors.TooLarge: ("RequestEntityTooLargeException", 413),
    errors.Unavailable: ("ServiceUnavailable", 503),
    errors.ParkadeError: ("InternalServiceException", 500),
}


def refused(member: str, why: str) -> Fault:
    """Return the fault of a member that would mean something that is not built here."""
    return invalid(f"{member} is not supported by Parkade: {why}")


def missing(member: str) -> Fault:
    """Return the fault of a member that has to be there."""
    return invalid(f"{member} must be given")


def bad_token() -> Fault:
    """Return the fault of a NextToken that no list has given."""
    return Fault(
        "InvalidNextTokenException",
        "The NextToken is not one that this list gave: repeat the request that gave it, with the "
        "same filters.",
    )


def unregistered(given: Mapping[str, Any]) -> Fault:
    """Return the fault of what is no scalable target; clients look for these words."""
    return Fault(
        NOT_FOUND,
        f"No scalable target registered for service namespace: {given['ServiceNamespace']}, "
        f"resource ID: {given['ResourceId']}, scalable dimension: {given['ScalableDimension']}",
    )


def missing_resource(arn: str) -> Fault:
    """Return the fault of an ARN that no scalable target has."""
    return Fault("ResourceNotFoundException", f"ResourceARN {arn} is that of no scalable target.")


def too_many_tags(why: str) -> Fault:
    """Return the fault of more tags than are allowed."""
    return Fault("TooManyTagsException", f"{why[:1].upper()}{why[1:]}.")


def translated(error: errors.ParkadeError, operation: str = "") -> Fault:
    """Return the fault that tells an error of ours, by a name that the operation knows."""
    if isinstance(error, Refused):
        return Fault(error.code(SERVICE), error.text, status=error.status(SERVICE))
    code, status = next(_CODES[each] for each in type(error).__mro__ if each in _CODES)
    if code in {NOT_FOUND, LIMIT} and code not in _known(operation):
        code = INVALID
    message = f"{error.message[:1].upper()}{error.message[1:]}."
    hint = f" To do: {error.hint}." if error.hint else ""
    return Fault(code, message + hint, status=status)


def _known(operation: str) -> frozenset[str]:
    """Return the faults that an operation is described to have."""
    if operation not in description.names(SERVICE):
        return frozenset()
    shapes = description.model(SERVICE).operation_model(operation).error_shapes
    return frozenset(shape.name for shape in shapes)
