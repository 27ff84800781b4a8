"""Models and their containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms.members import beside, present
from parkade.domain.catalog import Container, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

_MULTI, _SINGLE = "MultiModel", "SingleModel"
_ONE, _SEVERAL = "PrimaryContainer", "Containers"
_CACHE = "MultiModelConfig"
_SOURCE = "ModelDataSource"
#: What a container is made of where it has no image of its own; here it stands for its image.
_PACKAGE = "ModelPackageName"
_ARN = "arn:"
#: What a model says by itself, and what an answer has beside it.
_UNDERSTOOD = frozenset({
    "ModelName", "ModelArn", "CreationTime", "ResponseMetadata", "DeploymentRecommendation",
    _ONE, _SEVERAL,
})  # fmt: skip
_OF_CONTAINER = frozenset({
    "Image", "ModelDataUrl", "Environment", "ContainerHostname", "Mode", _CACHE, _PACKAGE,
})  # fmt: skip


def told(given: Mapping[str, Any]) -> Model:
    """Return a model that AWS describes; members that are not understood are its extras."""
    several = given.get(_SEVERAL) or ()
    extras = beside(given, _UNDERSTOOD)
    if several:
        extras[_SEVERAL] = True
    return Model(
        name=given["ModelName"],
        containers=tuple(map(_told, several or (given[_ONE],))),
        created_at=given["CreationTime"],
        direct=direct(given),
        extras=extras,
    )


def asked(model: Model) -> dict[str, Any]:
    """Describe a model that is to be made."""
    return {"ModelName": model.name, **present(**described(model))}


def described(model: Model) -> dict[str, Any]:
    """Describe what a model was made of: containers, and what is kept beside them."""
    containers = [described_container(each) for each in model.containers]
    listed = _SEVERAL in model.extras or len(containers) > 1
    form: dict[str, Any] = {
        **model.extras,
        _ONE: None if listed else containers[0],
        _SEVERAL: containers if listed else None,
    }
    if model.direct:
        form.setdefault("InferenceExecutionConfig", {"Mode": "Direct"})
    return form


def direct(given: Mapping[str, Any]) -> bool:
    """Tell whether each request goes to the one container that it names."""
    return bool(given.get("InferenceExecutionConfig", {}).get("Mode") == "Direct")


def container(given: Mapping[str, Any], *, extras: Mapping[str, Any]) -> Container:
    """Return a container."""
    return Container(
        image=given["Image"],
        data_url=_data_url(given),
        environment=given.get("Environment", {}),
        hostname=given.get("ContainerHostname", ""),
        multi_model=given.get("Mode") == _MULTI,
        caches=given.get(_CACHE, {}).get("ModelCacheSetting") != "Disabled",
        extras=extras,
    )


def described_container(container: Container) -> dict[str, Any]:
    """Describe a container."""
    form = {_PACKAGE if container.image.startswith(_ARN) else "Image": container.image} | present(
        ContainerHostname=container.hostname,
        Environment=dict(container.environment),
        Mode=_MULTI if container.multi_model else _SINGLE,
    )
    if container.multi_model and not container.caches:
        form[_CACHE] = {"ModelCacheSetting": "Disabled"}
    if container.data_url and _SOURCE not in container.extras:
        form["ModelDataUrl"] = container.data_url
    return form | dict(container.extras)


def _told(given: Mapping[str, Any]) -> Container:
    image = given.get(_PACKAGE) or given["Image"]
    return container({**given, "Image": image}, extras=beside(given, _OF_CONTAINER))


def _data_url(given: Mapping[str, Any]) -> str:
    source = given.get(_SOURCE, {}).get("S3DataSource", {})
    return str(given.get("ModelDataUrl") or source.get("S3Uri", ""))
