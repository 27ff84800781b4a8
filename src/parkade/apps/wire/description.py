"""botocore's descriptions of services: operations, shapes, limits. They are the specification."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Shape(Protocol):
    """What botocore says of a value. Which properties are there depends on `type_name`."""

    name: str
    #: One of structure, list, map, string, integer, long, float, double, boolean, timestamp.
    type_name: str
    #: Limits: `min`, `max`, `pattern`, `enum`.
    metadata: Mapping[str, Any]
    members: Mapping[str, Shape]
    #: Where a member is in the request: `location` and `name`.
    serialization: Mapping[str, str]
    required_members: Sequence[str]
    member: Shape
    key: Shape
    value: Shape


class Operation(Protocol):
    """What botocore says of an operation; a shape is None where it takes or gives nothing."""

    input_shape: Shape | None
    output_shape: Shape | None


@cache
def operation(service: str, name: str) -> Operation:
    """Return what is said of an operation that exists."""
    return cast("Operation", model(service).operation_model(name))


@cache
def names(service: str) -> frozenset[str]:
    """Return the names of all operations of a service, built here or not."""
    return frozenset(model(service).operation_names)


@cache
def model(service: str) -> ServiceModel:
    """Return the whole description of a service."""
    # What botocore brings along, and nothing that lies in somebody's ~/.aws/models.
    loader = Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )
    return ServiceModel(loader.load_service_model(service, "service-2"))
