"""What botocore says of SageMaker and of its runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.wire import description

if TYPE_CHECKING:
    from parkade.apps.wire.description import Operation

#: The target of a request names the service and the operation: `SageMaker.CreateModel`.
TARGET_PREFIX = "SageMaker."


def operation(name: str) -> Operation:
    """Return what is said of an operation that exists."""
    return description.operation("sagemaker", name)


def runtime_operation(name: str) -> Operation:
    """Return what is said of an operation of the runtime."""
    return description.operation("sagemaker-runtime", name)


def names() -> frozenset[str]:
    """Return the names of all operations of the service, built here or not."""
    return description.names("sagemaker")
