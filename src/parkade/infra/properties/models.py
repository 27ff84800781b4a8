"""Models of a project as AWS::SageMaker::Model has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.domain.deploy.reading import Section
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.project.part import Part

TYPE = "AWS::SageMaker::Model"
_CONTAINER_KEYS = frozenset({"image", "data_url", "environment", "hostname"})
_KEYS = _CONTAINER_KEYS | {
    "accept_eula", "caches", "containers", "direct", "isolated", "jumpstart", "multi_model", "package",
}  # fmt: skip


def properties(part: Part, role_arn: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of the model that a part wants. Raises InvalidInput.

    A package brings image, data and environment along; what the part has of its environment is
    added to that.
    """
    given = Section(part.content, "", _KEYS, noun="model")
    told: dict[str, Any] = {"ModelName": part.name, "ExecutionRoleArn": role_arn}
    if given.has("containers"):
        listed = given.sections("containers", _CONTAINER_KEYS)
        told["Containers"] = [_container(each) for each in listed]
        mode = "Direct" if given.flag("direct", default=False) else "Serial"
        told["InferenceExecutionConfig"] = {"Mode": mode}
    elif given.has("package"):
        told["PrimaryContainer"] = {
            "ModelPackageName": given.text("package"),
            **_environment(given),
        }
    elif not given.text("image", ""):
        raise InvalidInput(
            f"model {part.key!r} has no image",
            field=f"models.{part.key}.image",
            hint="give the address of a container image",
        )
    else:
        told["PrimaryContainer"] = _container(given) | _many(given)
        _unpacked(given, told["PrimaryContainer"])
    if given.flag("isolated", default=False):
        told["EnableNetworkIsolation"] = True
    return told | tagged(tags)


def tagged(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the property of tags, where there are some."""
    if not tags:
        return {}
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def _container(given: Section) -> dict[str, Any]:
    told: dict[str, Any] = {"Image": given.text("image")}
    if given.text("data_url", ""):
        told["ModelDataUrl"] = given.text("data_url")
    if given.text("hostname", ""):
        told["ContainerHostname"] = given.text("hostname")
    return told | _environment(given)


def _unpacked(given: Section, told: dict[str, Any]) -> None:
    """Say of data that they are no archive, or that their terms are accepted, in SageMaker's words."""
    url, accepted = given.text("data_url", ""), given.flag("accept_eula", default=False)
    many = given.flag("multi_model", default=False)
    if many or not url or not (accepted or url.endswith("/")):
        return
    del told["ModelDataUrl"]
    packed = not url.endswith("/")
    source: dict[str, Any] = {
        "S3Uri": url,
        "S3DataType": "S3Object" if packed else "S3Prefix",
        "CompressionType": "Gzip" if packed else "None",
    }
    if accepted:
        source["ModelAccessConfig"] = {"AcceptEula": True}
    told["ModelDataSource"] = {"S3DataSource": source}


def _environment(given: Section) -> dict[str, Any]:
    environment = given.texts_by_key("environment") if given.has("environment") else {}
    return {"Environment": dict(environment)} if environment else {}


def _many(given: Section) -> dict[str, Any]:
    if not given.flag("multi_model", default=False):
        return {}
    setting = "Enabled" if given.flag("caches", default=True) else "Disabled"
    return {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": setting}}
