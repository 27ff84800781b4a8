"""Endpoint configs, with their data capture and their rules for asynchronous calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import variants
from parkade.adapters.aws.sagemaker.forms.members import beside, present
from parkade.domain.catalog import Asynchronous, Capture, EndpointConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIANTS, _SHADOWS = "ProductionVariants", "ShadowProductionVariants"
_CAPTURE, _ASYNCHRONOUS = "DataCaptureConfig", "AsyncInferenceConfig"
#: What a config says by itself, and what an answer has beside it.
_UNDERSTOOD = frozenset({
    "EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata",
    _VARIANTS, _SHADOWS, _CAPTURE, _ASYNCHRONOUS,
})  # fmt: skip


def told(given: Mapping[str, Any]) -> EndpointConfig:
    """Return a config that AWS describes; members that are not understood are its extras."""
    return EndpointConfig(
        name=given["EndpointConfigName"],
        variants=tuple(map(variants.told, given[_VARIANTS])),
        created_at=given["CreationTime"],
        shadows=tuple(map(variants.told, given.get(_SHADOWS, ()))),
        capture=capture(given.get(_CAPTURE)),
        asynchronous=asynchronous(given.get(_ASYNCHRONOUS)),
        extras=beside(given, _UNDERSTOOD),
    )


def asked(config: EndpointConfig) -> dict[str, Any]:
    """Describe a config that is to be made."""
    return present(
        **config.extras,
        EndpointConfigName=config.name,
        **{
            _VARIANTS: [variants.asked(each) for each in config.variants],
            _SHADOWS: [variants.asked(each) for each in config.shadows],
            _CAPTURE: described_capture(config.capture),
            _ASYNCHRONOUS: described_asynchronous(config.asynchronous),
        },
    )


def capture(given: Mapping[str, Any] | None) -> Capture | None:
    """Return a DataCaptureConfig."""
    if not given:
        return None
    modes = {option["CaptureMode"] for option in given["CaptureOptions"]}
    types = given.get("CaptureContentTypeHeader", {})
    return Capture(
        destination=given["DestinationS3Uri"],
        percentage=given["InitialSamplingPercentage"],
        enabled=given.get("EnableCapture", True),
        inputs=bool(modes & {"Input", "InputAndOutput"}),
        outputs=bool(modes & {"Output", "InputAndOutput"}),
        csv_types=tuple(types.get("CsvContentTypes", ())),
        json_types=tuple(types.get("JsonContentTypes", ())),
        extras=_key(given),
    )


def described_capture(capture: Capture | None) -> dict[str, Any] | None:
    """Describe a DataCaptureConfig."""
    if capture is None:
        return None
    modes = (("Input", capture.inputs), ("Output", capture.outputs))
    return present(
        **capture.extras,
        EnableCapture=capture.enabled,
        InitialSamplingPercentage=capture.percentage,
        DestinationS3Uri=capture.destination,
        CaptureOptions=[{"CaptureMode": mode} for mode, wanted in modes if wanted],
        CaptureContentTypeHeader=present(
            CsvContentTypes=list(capture.csv_types), JsonContentTypes=list(capture.json_types)
        ),
    )


def asynchronous(given: Mapping[str, Any] | None) -> Asynchronous | None:
    """Return an AsyncInferenceConfig."""
    if not given:
        return None
    output = given["OutputConfig"]
    notification = output.get("NotificationConfig", {})
    return Asynchronous(
        output=output["S3OutputPath"],
        failure=output.get("S3FailurePath", ""),
        success_topic=notification.get("SuccessTopic", ""),
        error_topic=notification.get("ErrorTopic", ""),
        include_response_in=tuple(notification.get("IncludeInferenceResponseIn", ())),
        concurrency=given.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance"),
        extras=_key(output),
    )


def described_asynchronous(config: Asynchronous | None) -> dict[str, Any] | None:
    """Describe an AsyncInferenceConfig."""
    if config is None:
        return None
    return present(
        ClientConfig=present(MaxConcurrentInvocationsPerInstance=config.concurrency),
        OutputConfig=present(
            **config.extras,
            S3OutputPath=config.output,
            S3FailurePath=config.failure,
            NotificationConfig=present(
                SuccessTopic=config.success_topic,
                ErrorTopic=config.error_topic,
                IncludeInferenceResponseIn=list(config.include_response_in),
            ),
        ),
    )


def _key(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"KmsKeyId": given["KmsKeyId"]} if given.get("KmsKeyId") else {}
