"""Endpoint configs: CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, Delete..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import configs as forms
from parkade.adapters.aws.sagemaker.forms.variants import described
from parkade.apps.sagemaker import tags, variants
from parkade.apps.sagemaker.arns import CONFIG, NOUNS
from parkade.apps.sagemaker.faults import missing, taken
from parkade.apps.sagemaker.listing import Listed, page
from parkade.apps.sagemaker.members import kept, refuse
from parkade.apps.sagemaker.models import found as found_model
from parkade.apps.wire.faults import invalid
from parkade.domain.catalog import EndpointConfig
from parkade.domain.errors import AlreadyExists, ConfigNotFound, InUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.sagemaker.call import Call
    from parkade.domain.catalog import Asynchronous, Capture

_LISTED: Listed[EndpointConfig] = Listed(
    name=lambda each: each.name, created_at=lambda each: each.created_at
)
_NOUN = NOUNS[CONFIG]

#: A capture mode that SageMaker's description has.
_BOTH = "InputAndOutput"
_KEPT = ("KmsKeyId", "ExecutionRoleArn", "VpcConfig", "MetricsConfig")
_REFUSED = {
    "EnableNetworkIsolation": "workers are processes of this machine and have its network",
    "ExplainerConfig": "there is no explainer here",
    "CrossRegionTrafficConfig": "there is one region here",
}


def create(call: Call) -> Mapping[str, Any]:
    """Store a new endpoint config."""
    given = call.given
    refuse(given, _REFUSED)
    name = given["EndpointConfigName"]
    arn = call.arns.of(CONFIG, name)
    new_tags = tags.given(call)
    config = EndpointConfig(
        name=name,
        variants=variants.read(given["ProductionVariants"], "ProductionVariants"),
        created_at=call.now,
        shadows=variants.read(
            given.get("ShadowProductionVariants", ()), "ShadowProductionVariants"
        ),
        capture=_capture(given.get("DataCaptureConfig")),
        asynchronous=_asynchronous(given.get("AsyncInferenceConfig")),
        extras=kept(given, _KEPT),
    )
    _require_models(call, config)
    try:
        call.services.host.create_config(config, call.actor)
    except AlreadyExists as error:
        raise taken(_NOUN, arn) from error
    tags.begin(call, CONFIG, name, new_tags)
    call.services.changed()
    return {"EndpointConfigArn": arn}


def describe(call: Call) -> Mapping[str, Any]:
    """Describe an endpoint config as it was given."""
    config = found(call, call.given["EndpointConfigName"])
    return {
        **config.extras,
        "EndpointConfigName": config.name,
        "EndpointConfigArn": call.arns.of(CONFIG, config.name),
        "CreationTime": config.created_at,
        "EnableNetworkIsolation": False,
        "ProductionVariants": [described(each) for each in config.variants],
        "ShadowProductionVariants": [described(each) for each in config.shadows] or None,
        "DataCaptureConfig": forms.described_capture(config.capture),
        "AsyncInferenceConfig": forms.described_asynchronous(config.asynchronous),
    }


def list_all(call: Call) -> Mapping[str, Any]:
    """List endpoint configs."""
    configs, following = page(call.services.host.configs().records, _LISTED, call.given)
    return {
        "EndpointConfigs": [
            {
                "EndpointConfigName": each.name,
                "EndpointConfigArn": call.arns.of(CONFIG, each.name),
                "CreationTime": each.created_at,
            }
            for each in configs
        ],
        "NextToken": following,
    }


def delete(call: Call) -> Mapping[str, Any]:
    """Delete an endpoint config that no endpoint has."""
    name = call.given["EndpointConfigName"]
    arn = call.arns.of(CONFIG, name)
    try:
        call.services.host.delete_config(name, call.actor)
    except ConfigNotFound as error:
        raise missing(_NOUN, arn) from error
    except InUse as error:
        raise invalid(f'Cannot delete {_NOUN} "{arn}": {error.message}.') from error
    tags.forget(call, CONFIG, name)
    call.services.changed()
    return {}


def found(call: Call, name: str) -> EndpointConfig:
    """Return the endpoint config. Raises ValidationException where there is none."""
    try:
        return call.services.host.config(name)
    except ConfigNotFound as error:
        raise missing(_NOUN, call.arns.of(CONFIG, name)) from error


def require_whole(call: Call, name: str) -> None:
    """Raise ValidationException unless the endpoint config and all its models are there."""
    _require_models(call, found(call, name))


def _require_models(call: Call, config: EndpointConfig) -> None:
    for variant in config.every:
        if variant.model_name:
            found_model(call, variant.model_name)


def _capture(given: Mapping[str, Any] | None) -> Capture | None:
    if given is not None and _BOTH in {each["CaptureMode"] for each in given["CaptureOptions"]}:
        raise invalid(
            f"DataCaptureConfig.CaptureOptions has the CaptureMode {_BOTH}, which SageMaker "
            "refuses: give two options, Input and Output"
        )
    return forms.capture(given)


def _asynchronous(given: Mapping[str, Any] | None) -> Asynchronous | None:
    if given is not None and "S3OutputPath" not in given["OutputConfig"]:
        raise invalid(
            "AsyncInferenceConfig.OutputConfig.S3OutputPath must be given: answers are put there"
        )
    return forms.asynchronous(given)
