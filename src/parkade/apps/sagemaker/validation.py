"""Reads the input of an operation of SageMaker; members that nobody has looked at are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.known import KNOWN
from parkade.apps.wire import validation

if TYPE_CHECKING:
    from parkade.apps.wire.description import Shape


def read(shape: Shape, given: object) -> dict[str, Any]:
    """Return the input as `wire.validation.read` does, by the table of known members."""
    return validation.read(shape, given, known=KNOWN)
