"""What is wrong with a request, under SageMaker's names; and ours told under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.signing.refusals import Refused
from parkade.apps.wire.faults import Fault, invalid
from parkade.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


def missing(noun: str, arn: str) -> Fault:
    """Return the fault of what is not there; clients look for these words."""
    return invalid(f'Could not find {noun} "{arn}".')


def taken(noun: str, arn: str) -> Fault:
    """Return the fault of a name that is taken; clients look for these words."""
    return invalid(f'Cannot create already existing {noun} "{arn}".')


def refused(member: str, why: str) -> Fault:
    """Return the fault of a member that would mean something that is not built here."""
    return invalid(f"{member} is not supported by Parkade: {why}")


#: Code and status of our errors, looked up along an error's ancestors.
_CODES: Mapping[type[errors.ParkadeError], tuple[str, int]] = {
    errors.InvalidInput: ("ValidationException", 400),
    errors.NotFound: ("ValidationException", 400),
    errors.Conflict: ("ValidationException", 400),
    errors.Unauthenticated: ("UnrecognizedClientException", 403),
    errors.Forbidden: ("AccessDeniedException", 400),
    errors.Throttled: ("ThrottlingException", 400),
    errors.ResourceLimitExceeded: ("ResourceLimitExceeded", 400),
    errors.BudgetExceeded: ("ResourceLimitExceeded", 400),
    errors.TooLarge: ("RequestEntityTooLargeException", 413),
    errors.Unavailable: ("ServiceUnavailable", 503),
    errors.ParkadeError: ("InternalFailure", 500),
}


def translated(error: errors.ParkadeError) -> Fault:
    """Return the fault that tells an error of ours."""
    if isinstance(error, Refused):
        return Fault(error.code("sagemaker"), error.text, status=error.status("sagemaker"))
    code, status = next(_CODES[each] for each in type(error).__mro__ if each in _CODES)
    message = f"{error.message[:1].upper()}{error.message[1:]}."
    hint = f" To do: {error.hint}." if error.hint else ""
    return Fault(code, message + hint, status=status)
