"""The operations that are built here, and what it takes to call each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker import components, configs, endpoints, models, tags
from parkade.domain.token import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.sagemaker.call import Call


@dataclass(frozen=True, slots=True)
class Operation:
    """What answers an operation, and the role it needs."""

    handle: Callable[[Call], Mapping[str, Any]]
    role: Role


def _operator(handle: Callable[[Call], Mapping[str, Any]]) -> Operation:
    return Operation(handle, Role.OPERATOR)


def _admin(handle: Callable[[Call], Mapping[str, Any]]) -> Operation:
    return Operation(handle, Role.ADMIN)


OPERATIONS: Mapping[str, Operation] = {
    "CreateModel": _admin(models.create),
    "DescribeModel": _operator(models.describe),
    "ListModels": _operator(models.list_all),
    "DeleteModel": _admin(models.delete),
    "CreateEndpointConfig": _admin(configs.create),
    "DescribeEndpointConfig": _operator(configs.describe),
    "ListEndpointConfigs": _operator(configs.list_all),
    "DeleteEndpointConfig": _admin(configs.delete),
    "CreateEndpoint": _operator(endpoints.create),
    "DescribeEndpoint": _operator(endpoints.describe),
    "ListEndpoints": _operator(endpoints.list_all),
    "UpdateEndpoint": _operator(endpoints.update),
    "UpdateEndpointWeightsAndCapacities": _operator(endpoints.reweigh),
    "DeleteEndpoint": _operator(endpoints.delete),
    "CreateInferenceComponent": _operator(components.create),
    "DescribeInferenceComponent": _operator(components.describe),
    "ListInferenceComponents": _operator(components.list_all),
    "UpdateInferenceComponent": _operator(components.update),
    "UpdateInferenceComponentRuntimeConfig": _operator(components.scale),
    "DeleteInferenceComponent": _operator(components.delete),
    # Of models and endpoint configs, tags are an admin's to change.
    "AddTags": _operator(tags.add),
    "ListTags": _operator(tags.list_all),
    "DeleteTags": _operator(tags.delete),
}
