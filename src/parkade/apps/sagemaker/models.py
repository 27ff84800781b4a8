"""Models: CreateModel, DescribeModel, ListModels, DeleteModel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import models as forms
from parkade.apps.sagemaker import tags
from parkade.apps.sagemaker.arns import MODEL, NOUNS
from parkade.apps.sagemaker.faults import missing, refused, taken
from parkade.apps.sagemaker.listing import Listed, page
from parkade.apps.sagemaker.members import kept, refuse
from parkade.apps.wire.faults import invalid
from parkade.domain.catalog import Model
from parkade.domain.errors import AlreadyExists, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.sagemaker.call import Call
    from parkade.domain.catalog import Container

_LISTED: Listed[Model] = Listed(
    name=lambda each: each.name, created_at=lambda each: each.created_at
)
_NOUN = NOUNS[MODEL]
_MULTI = "MultiModel"
#: An extra of a model that was given as a list, be it of one container.
_AS_LIST = "Containers"

_KEPT = ("ExecutionRoleArn", "VpcConfig", "InferenceExecutionConfig")
_KEPT_OF_CONTAINER = (
    "ImageConfig",
    "ModelDataSource",
    "ContainerMetricsConfig",
    "MultiModelConfig",
)
_REFUSED = {
    "EnableNetworkIsolation": "workers are processes of this machine and have its network",
}
_REFUSED_OF_CONTAINER = {
    "ModelPackageName": "there is no model registry here; give Image and ModelDataUrl",
    "InferenceSpecificationName": "there is no model registry here; give Image and ModelDataUrl",
    "AdditionalModelDataSources": "a container has one source of model data; pack all into one "
    "model.tar.gz",
}
_REFUSED_OF_SOURCE = {
    "HubAccessConfig": "there is no hub here; give the s3:// address of a model.tar.gz",
    "ManifestS3Uri": "manifests are not read; give the s3:// address of a model.tar.gz",
    "ManifestEtag": "manifests are not read; give the s3:// address of a model.tar.gz",
    "ETag": "versions of objects are not kept; leave it out",
}


def create(call: Call) -> Mapping[str, Any]:
    """Store a new model."""
    given = call.given
    refuse(given, _REFUSED)
    name = given["ModelName"]
    arn = call.arns.of(MODEL, name)
    new_tags = tags.given(call)
    extras = kept(given, _KEPT)
    if "Containers" in given:
        extras[_AS_LIST] = True
    model = Model(
        name=name,
        containers=_containers(given),
        created_at=call.now,
        direct=forms.direct(given),
        extras=extras,
    )
    try:
        call.services.host.create_model(model, call.actor)
    except AlreadyExists as error:
        raise taken(_NOUN, arn) from error
    tags.begin(call, MODEL, name, new_tags)
    call.services.changed()
    return {"ModelArn": arn}


def describe(call: Call) -> Mapping[str, Any]:
    """Describe a model as it was given."""
    model = found(call, call.given["ModelName"])
    return {
        **forms.described(model),
        "ModelName": model.name,
        "ModelArn": call.arns.of(MODEL, model.name),
        "CreationTime": model.created_at,
        "EnableNetworkIsolation": False,
    }


def list_all(call: Call) -> Mapping[str, Any]:
    """List models."""
    models, following = page(call.services.host.models().records, _LISTED, call.given)
    return {
        "Models": [
            {
                "ModelName": each.name,
                "ModelArn": call.arns.of(MODEL, each.name),
                "CreationTime": each.created_at,
            }
            for each in models
        ],
        "NextToken": following,
    }


def delete(call: Call) -> Mapping[str, Any]:
    """Delete a model; endpoints that run it go on with what they have of it."""
    name = call.given["ModelName"]
    found(call, name)
    call.services.host.delete_model(name, call.actor)
    tags.forget(call, MODEL, name)
    call.services.changed()
    return {}


def found(call: Call, name: str) -> Model:
    """Return the model. Raises ValidationException where there is none."""
    try:
        return call.services.host.model(name)
    except ModelNotFound as error:
        raise missing(_NOUN, call.arns.of(MODEL, name)) from error


def _containers(given: Mapping[str, Any]) -> tuple[Container, ...]:
    primary, several = given.get("PrimaryContainer"), given.get("Containers")
    if primary is not None and several is not None:
        raise invalid("PrimaryContainer and Containers cannot both be given: give one of them")
    if primary is not None:
        return (_container(primary, "PrimaryContainer"),)
    if not several:
        raise invalid("A model needs a PrimaryContainer, or Containers with 1 to 15 entries")
    return tuple(_container(each, f"Containers.{number}") for number, each in enumerate(several, 1))


def _container(given: Mapping[str, Any], place: str) -> Container:
    refuse(given, _REFUSED_OF_CONTAINER, within=place)
    multi_model = given.get("Mode") == _MULTI
    if "Image" not in given:
        raise invalid(f"{place}.Image must be given")
    if "MultiModelConfig" in given and not multi_model:
        raise invalid(f"{place}.MultiModelConfig goes with Mode {_MULTI} only")
    if multi_model and "ModelDataUrl" not in given:
        raise invalid(
            f"{place}.ModelDataUrl must be given: Mode {_MULTI} needs the prefix of the models"
        )
    _require_source(given, place)
    return forms.container(given, extras=kept(given, _KEPT_OF_CONTAINER))


def _require_source(given: Mapping[str, Any], place: str) -> None:
    """Raise ValidationException for model data that is not one archive."""
    source = given.get("ModelDataSource")
    if source is None:
        return
    place = f"{place}.ModelDataSource"
    if given.get("ModelDataUrl"):
        raise invalid(f"ModelDataUrl and {place} cannot both be given: give one of them")
    if "S3DataSource" not in source:
        raise invalid(f"{place}.S3DataSource must be given")
    origin = source["S3DataSource"]
    refuse(origin, _REFUSED_OF_SOURCE, within=f"{place}.S3DataSource")
    for member, wanted in (("S3DataType", "S3Object"), ("CompressionType", "Gzip")):
        if origin[member] != wanted:
            raise refused(
                f"{place}.S3DataSource.{member} {origin[member]}",
                f"model data is one model.tar.gz, which is S3Object and Gzip, not {origin[member]}",
            )
