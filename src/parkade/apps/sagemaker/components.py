"""Inference components: copies of a model on the instances of a variant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms.members import present
from parkade.apps.sagemaker import models, tags
from parkade.apps.sagemaker.arns import COMPONENT, ENDPOINT, NOUNS
from parkade.apps.sagemaker.faults import missing, taken
from parkade.apps.sagemaker.listing import Listed, page
from parkade.apps.sagemaker.members import refuse
from parkade.apps.wire.faults import invalid
from parkade.domain.blueprint import Component
from parkade.domain.catalog import Container, Model
from parkade.domain.errors import AlreadyExists, ComponentNotFound, EndpointNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.sagemaker.call import Call
    from parkade.runtime.views import ComponentDescription

_NOUN = NOUNS[COMPONENT]
_SPECIFICATION = "Specification"
_REFUSED = {
    "Specifications": "give one Specification, which serves every instance type here",
    "DeploymentConfig": "copies of the new model take over when all of them are healthy",
}
_REFUSED_OF_SPECIFICATION = {
    "BaseInferenceComponentName": "adapters are not loaded into the copies of another component",
}
_LISTED: Listed[ComponentDescription] = Listed(
    name=lambda each: each.recorded.name,
    created_at=lambda each: each.recorded.component.created_at,
    changed_at=lambda each: each.recorded.changed_at,
    status=lambda each: each.recorded.status,
)


def create(call: Call) -> Mapping[str, Any]:
    """Begin to create an inference component."""
    given = call.given
    refuse(given, _REFUSED)
    name, endpoint_name = given["InferenceComponentName"], given["EndpointName"]
    for member in ("Specification", "RuntimeConfig", "VariantName"):
        if member not in given:
            raise invalid(f"{member} must be given")
    copies = given["RuntimeConfig"]["CopyCount"]
    if copies < 1:
        raise invalid(
            f"RuntimeConfig.CopyCount {copies} is less than 1; give 1 or more, and set it to 0 "
            "with UpdateInferenceComponentRuntimeConfig afterwards"
        )
    new_tags = tags.given(call)
    component = Component(
        name=name,
        endpoint_name=endpoint_name,
        variant_name=given["VariantName"],
        copies=copies,
        created_at=call.now,
        **_specified(call, name, given[_SPECIFICATION]),
    )
    try:
        call.services.host.create_component(component, call.actor)
    except AlreadyExists as error:
        raise taken(_NOUN, _arn(call, name)) from error
    except EndpointNotFound as error:
        raise missing(NOUNS[ENDPOINT], call.arns.of(ENDPOINT, endpoint_name)) from error
    tags.begin(call, COMPONENT, name, new_tags)
    return {"InferenceComponentArn": _arn(call, name)}


def describe(call: Call) -> Mapping[str, Any]:
    """Describe an inference component: what it is, how many copies of it answer."""
    described = _found(call)
    recorded = described.recorded
    component = recorded.component
    wanted = recorded.target or component
    return present(
        InferenceComponentName=component.name,
        InferenceComponentArn=_arn(call, component.name),
        EndpointName=component.endpoint_name,
        EndpointArn=call.arns.of(ENDPOINT, component.endpoint_name),
        VariantName=component.variant_name,
        InferenceComponentStatus=recorded.status.value,
        FailureReason=recorded.failure_reason,
        Specification=_described(component),
        RuntimeConfig={
            "DesiredCopyCount": wanted.copies,
            "CurrentCopyCount": described.current_copies,
        },
        CreationTime=component.created_at,
        LastModifiedTime=recorded.changed_at,
    )


def list_all(call: Call) -> Mapping[str, Any]:
    """List the inference components of endpoints that the caller may touch."""
    endpoint = call.given.get("EndpointNameEquals")
    variant = call.given.get("VariantNameEquals")
    seen = [
        each
        for each in call.services.host.components().values()
        if call.sees(each.recorded.component.endpoint_name)
        and endpoint in {None, each.recorded.component.endpoint_name}
        and variant in {None, each.recorded.component.variant_name}
    ]
    found, following = page(seen, _LISTED, call.given)
    return {"InferenceComponents": [_summary(call, each) for each in found], "NextToken": following}


def update(call: Call) -> Mapping[str, Any]:
    """Begin to change what an inference component runs, or how many copies of it."""
    given = call.given
    refuse(given, _REFUSED)
    if _SPECIFICATION not in given and "RuntimeConfig" not in given:
        raise invalid("Specification or RuntimeConfig must be given")
    component = _found(call).recorded.component
    wanted = component
    if specification := given.get(_SPECIFICATION):
        wanted = replace(wanted, **_specified(call, component.name, specification))
    if "RuntimeConfig" in given:
        wanted = replace(wanted, copies=given["RuntimeConfig"]["CopyCount"])
    call.services.host.update_component(wanted, call.actor)
    return {"InferenceComponentArn": _arn(call, component.name)}


def scale(call: Call) -> Mapping[str, Any]:
    """Begin to change how many copies of an inference component run; none is possible."""
    component = _found(call).recorded.component
    copies = call.given["DesiredRuntimeConfig"]["CopyCount"]
    call.services.host.update_component(replace(component, copies=copies), call.actor)
    return {"InferenceComponentArn": _arn(call, component.name)}


def delete(call: Call) -> Mapping[str, Any]:
    """Begin to delete an inference component."""
    name = _found(call).recorded.name
    call.services.host.delete_component(name, call.actor)
    tags.forget(call, COMPONENT, name)
    return {}


def _found(call: Call) -> ComponentDescription:
    name = call.given["InferenceComponentName"]
    try:
        described = call.services.host.component(name)
    except ComponentNotFound as error:
        raise missing(_NOUN, _arn(call, name)) from error
    call.require_endpoint(described.recorded.component.endpoint_name)
    return described


def _specified(call: Call, name: str, specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a specification says of a component."""
    patience = specification.get("StartupParameters", {})
    return {
        "model": _model(call, name, specification),
        "download_timeout": patience.get("ModelDataDownloadTimeoutInSeconds"),
        "startup_timeout": patience.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        "extras": {_SPECIFICATION: specification},
    }


def _model(call: Call, name: str, specification: Mapping[str, Any]) -> Model:
    """Return the model that a specification names, or the one that it spells out."""
    refuse(specification, _REFUSED_OF_SPECIFICATION, within=_SPECIFICATION)
    container = specification.get("Container")
    if ("ModelName" in specification) == (container is not None):
        raise invalid("Specification needs either a ModelName or a Container")
    if container is None:
        return models.found(call, specification["ModelName"])
    if "Image" not in container:
        raise invalid("Specification.Container.Image must be given")
    return Model(
        name=name,
        containers=(
            Container(
                image=container["Image"],
                data_url=container.get("ArtifactUrl", ""),
                environment=container.get("Environment", {}),
            ),
        ),
        created_at=call.now,
    )


def _described(component: Component) -> dict[str, Any]:
    """Describe the specification as it was given, and the image it has become."""
    described = dict(component.extras.get(_SPECIFICATION, {}))
    if container := described.get("Container"):
        image = {
            "SpecifiedImage": container["Image"],
            "ResolvedImage": container["Image"],
            "ResolutionTime": component.created_at,
        }
        described["Container"] = {**container, "DeployedImage": image}
    return described


def _summary(call: Call, described: ComponentDescription) -> dict[str, Any]:
    component = described.recorded.component
    return {
        "InferenceComponentName": component.name,
        "InferenceComponentArn": _arn(call, component.name),
        "InferenceComponentStatus": described.recorded.status.value,
        "EndpointName": component.endpoint_name,
        "EndpointArn": call.arns.of(ENDPOINT, component.endpoint_name),
        "VariantName": component.variant_name,
        "CreationTime": component.created_at,
        "LastModifiedTime": described.recorded.changed_at,
    }


def _arn(call: Call, name: str) -> str:
    return call.arns.of(COMPONENT, name)
