"""Endpoints: created, described, updated, scaled, deleted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker import configs, deployments, metering, summaries, tags
from parkade.apps.sagemaker.arns import ENDPOINT, NOUNS
from parkade.apps.sagemaker.faults import missing, taken
from parkade.apps.sagemaker.listing import Listed, page
from parkade.apps.sagemaker.members import refuse
from parkade.apps.wire.faults import Fault, invalid
from parkade.domain.blueprint import Retained
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.errors import EndpointNotFound, ParkadeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.sagemaker.call import Call
    from parkade.runtime.views import EndpointDescription

_NOUN = NOUNS[ENDPOINT]
_LISTED: Listed[EndpointDescription] = Listed(
    name=lambda each: each.recorded.name,
    created_at=lambda each: each.recorded.created_at,
    changed_at=lambda each: each.recorded.changed_at,
    status=lambda each: each.recorded.status,
)


def create(call: Call) -> Mapping[str, Any]:
    """Begin to create an endpoint."""
    given = call.given
    name, config_name = given["EndpointName"], given["EndpointConfigName"]
    strategy = deployments.read(given.get("DeploymentConfig"))
    new_tags = tags.given(call)
    if name in call.services.host.observed():
        raise taken(_NOUN, _arn(call, name))
    configs.require_whole(call, config_name)
    metering.require_leave(call, name, config_name)
    # First the tags: the event of its creation tells them.
    tags.begin(call, ENDPOINT, name, new_tags)
    try:
        call.services.host.create_endpoint(name, config_name, call.actor, strategy=strategy)
    except ParkadeError:
        tags.forget(call, ENDPOINT, name)
        raise
    return {"EndpointArn": _arn(call, name)}


def describe(call: Call) -> Mapping[str, Any]:
    """Describe an endpoint: what it runs, what it is to run, how it stands."""
    name = call.given["EndpointName"]
    described = _found(call, name)
    return {
        **summaries.endpoint(described),
        "EndpointArn": _arn(call, name),
    }


def list_all(call: Call) -> Mapping[str, Any]:
    """List endpoints that the caller may touch."""
    known = call.services.host.descriptions()
    seen = [each for name, each in known.items() if call.sees(name)]
    found, following = page(seen, _LISTED, call.given)
    return {
        "Endpoints": [
            {
                "EndpointName": each.recorded.name,
                "EndpointArn": _arn(call, each.recorded.name),
                "CreationTime": each.recorded.created_at,
                "LastModifiedTime": each.recorded.changed_at,
                "EndpointStatus": each.recorded.status,
            }
            for each in found
        ],
        "NextToken": following,
    }


def update(call: Call) -> Mapping[str, Any]:
    """Begin to bring up a new fleet for an endpoint."""
    given = call.given
    name, config_name = given["EndpointName"], given["EndpointConfigName"]
    strategy = deployments.read(given.get("DeploymentConfig"))
    _require_rest(call, name)
    if strategy is None and given.get("RetainDeploymentConfig"):
        strategy = _found(call, name).recorded.strategy
    configs.require_whole(call, config_name)
    excluded = {
        Retained(each["VariantPropertyType"])
        for each in given.get("ExcludeRetainedVariantProperties", ())
    }
    retained = frozenset(Retained) if given.get("RetainAllVariantProperties") else frozenset()
    call.services.host.update_endpoint(
        name, config_name, call.actor, retained=retained - excluded, strategy=strategy
    )
    return {"EndpointArn": _arn(call, name)}


def reweigh(call: Call) -> Mapping[str, Any]:
    """Change weights and instance counts of variants while they serve."""
    name = call.given["EndpointName"]
    wanted = call.given["DesiredWeightsAndCapacities"]
    variants = Counter(each["VariantName"] for each in wanted)
    for variant, times in variants.items():
        if times > 1:
            raise invalid(f"DesiredWeightsAndCapacities has the variant {variant} twice")
    for number, each in enumerate(wanted, 1):
        refuse(
            each,
            {"ServerlessUpdateConfig": "update the endpoint to a config with another one"},
            within=f"DesiredWeightsAndCapacities.{number}",
        )
    _require_rest(call, name)
    call.services.host.reweigh(
        name,
        _by_variant(wanted, "DesiredInstanceCount"),
        _by_variant(wanted, "DesiredWeight"),
        call.actor,
    )
    return {"EndpointArn": _arn(call, name)}


def delete(call: Call) -> Mapping[str, Any]:
    """Begin to delete an endpoint, and end its lease."""
    name = call.given["EndpointName"]
    status = _found(call, name).recorded.status
    if status in TRANSIENT and status is not EndpointStatus.DELETING:
        raise _in_progress(call, name)
    metering.end(call, name)
    call.services.host.delete_endpoint(name, call.actor)
    tags.forget(call, ENDPOINT, name)
    return {}


def _found(call: Call, name: str) -> EndpointDescription:
    try:
        return call.services.host.description(name)
    except EndpointNotFound as error:
        raise missing(_NOUN, _arn(call, name)) from error


def _require_rest(call: Call, name: str) -> None:
    """Raise ValidationException unless the endpoint is there and can be changed now."""
    status = _found(call, name).recorded.status
    if status in TRANSIENT:
        raise _in_progress(call, name)
    if status is EndpointStatus.FAILED:
        raise invalid(
            f'Cannot update failed endpoint "{_arn(call, name)}": DeleteEndpoint is the only '
            "operation that can be performed on it."
        )


def _in_progress(call: Call, name: str) -> Fault:
    # The text for deleting while Creating is unverified.
    return invalid(f'Cannot update in-progress endpoint "{_arn(call, name)}".')


def _by_variant(wanted: list[Mapping[str, Any]], member: str) -> dict[str, Any]:
    return {each["VariantName"]: each[member] for each in wanted if member in each}


def _arn(call: Call, name: str) -> str:
    return call.arns.of(ENDPOINT, name)
