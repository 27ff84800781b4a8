"""What SageMaker's refusals mean: told apart by code and text, for one code has most of them.

`ValidationException` alone says nothing: it is what SageMaker answers for what is not there, for
what is there already, for what is on its way, and for input that cannot be used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    Forbidden,
    InvalidInput,
    ModelNotFound,
)

if TYPE_CHECKING:
    from parkade.domain.errors import ParkadeError

_VALIDATION = frozenset({"ValidationException", "ValidationError"})
_MISSING = re.compile(r"could not find", re.IGNORECASE)
_TAKEN = re.compile(r"already exist", re.IGNORECASE)
_BUSY = re.compile(r"in[- ]progress", re.IGNORECASE)
_FAILED = re.compile(r"cannot update failed", re.IGNORECASE)
#: The permission that lacks for what belongs to what was asked for.
_LACKING = re.compile(r"does not have ([a-z0-9-]+:[A-Za-z0-9]+) permission")
#: The kind of what a text names by its ARN; the text itself calls some kinds by more than one name.
_KIND = re.compile(r"arn:aws[a-z-]*:sagemaker:[^:]*:[0-9]*:([a-z-]+)/")
_ABSENT: dict[str, type[ParkadeError]] = {
    "endpoint": EndpointNotFound,
    "endpoint-config": ConfigNotFound,
    "model": ModelNotFound,
    "inference-component": ComponentNotFound,
}
#: The same, where a text has no ARN: the longer names first.
_NOUNS = {
    "endpoint configuration": "endpoint-config",
    "inference component": "inference-component",
    "endpoint": "endpoint",
    "model": "model",
}


def meaning(code: str, text: str) -> ParkadeError | None:
    """Return the error that a refusal of SageMaker is; None: it means no more than its code."""
    if code == "ResourceInUse" or (code in _VALIDATION and _TAKEN.search(text)):
        return AlreadyExists(text)
    if code == "ResourceNotFound" or (code in _VALIDATION and _MISSING.search(text)):
        kind = _kind(text)
        return _ABSENT[kind](text, hint="see: parkade ls") if kind else None
    if code in _VALIDATION and _BUSY.search(text):
        return EndpointBusy(text, hint="wait until it is at rest")
    if code in _VALIDATION and _FAILED.search(text):
        return Conflict(text, hint="delete it: SageMaker does nothing else with it")
    if code in _VALIDATION and (lacking := _LACKING.search(text)):
        return Forbidden(text, hint=f"allow {lacking[1]} to these credentials")
    if code in _VALIDATION:
        return InvalidInput(f"SageMaker refuses this: {text}", field="request")
    return None


def _kind(text: str) -> str:
    named = _KIND.search(text)
    if named is not None:
        return named[1] if named[1] in _ABSENT else ""
    lowered = text.lower()
    return next((kind for noun, kind in _NOUNS.items() if noun in lowered), "")
