"""How an endpoint stands: the members of DescribeEndpoint."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import deployments
from parkade.adapters.aws.sagemaker.forms.configs import described_asynchronous
from parkade.adapters.aws.sagemaker.forms.members import present
from parkade.adapters.aws.sagemaker.forms.variants import described_serverless
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.stages import VARIANT_STATUS, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Capture, Model, Variant
    from parkade.domain.stages import Rollout
    from parkade.ports.catalog import RecordedEndpoint
    from parkade.runtime.views import EndpointDescription

#: Statuses that variants have while the endpoint has these.
_OF_VARIANTS = {
    EndpointStatus.CREATING: "Creating",
    EndpointStatus.UPDATING: "Updating",
    EndpointStatus.ROLLING_BACK: "Updating",
    EndpointStatus.DELETING: "Deleting",
}


def endpoint(described: EndpointDescription) -> dict[str, Any]:
    """Describe an endpoint, but for its ARN."""
    recorded = described.recorded
    config = recorded.blueprint.config
    wanted = _wanted(recorded)
    return present(
        EndpointName=recorded.name,
        EndpointConfigName=config.name,
        EndpointStatus=recorded.status.value,
        FailureReason=recorded.failure_reason,
        CreationTime=recorded.created_at,
        LastModifiedTime=recorded.changed_at,
        ProductionVariants=_variants(recorded, config.variants, wanted, described.serving),
        ShadowProductionVariants=_variants(recorded, config.shadows, wanted, described.serving),
        DataCaptureConfig=_capture(config.capture),
        AsyncInferenceConfig=described_asynchronous(config.asynchronous),
        MetricsConfig=config.extras.get("MetricsConfig"),
        LastDeploymentConfig=deployments.described(recorded.strategy),
        PendingDeploymentSummary=_pending(described),
    )


def _wanted(recorded: RecordedEndpoint) -> Mapping[str, Variant]:
    """Return the variants of the fleet that serves, as they are to be."""
    changing = recorded.target if recorded.target_generation == recorded.generation else None
    config = (changing or recorded.blueprint).config
    # What is asleep is to have none until it is woken, and then as many as it had.
    return {
        variant.name: replace(variant, instance_count=0) if recorded.asleep else variant
        for variant in config.every
    }


def _pending(described: EndpointDescription) -> dict[str, Any] | None:
    """Describe the fleet that is being brought up, if another one is."""
    recorded = described.recorded
    target = recorded.target
    if target is None or recorded.target_generation == recorded.generation:
        return None
    return present(
        EndpointConfigName=target.config.name,
        StartTime=recorded.changed_at if recorded.rollout is None else recorded.rollout.began_at,
        ProductionVariants=[_rising(each, target, described) for each in target.config.variants],
        ShadowProductionVariants=[
            _rising(each, target, described) for each in target.config.shadows
        ],
    )


def _rising(variant: Variant, target: Blueprint, described: EndpointDescription) -> dict[str, Any]:
    since, rollout = described.recorded.changed_at, described.recorded.rollout
    return present(
        **_capacity(variant, variant, described.rising.get(variant.name, 0)),
        VariantName=variant.name,
        InstanceType=variant.instance_type,
        DeployedImages=_images(variant, target.models, since),
        CurrentWeight=_carried(variant, rollout),
        DesiredWeight=variant.weight,
        VariantStatus=[_stage(rollout, since)],
        **_shown_again(variant),
    )


def _stage(rollout: Rollout | None, since: datetime) -> dict[str, Any]:
    if rollout is None:
        return {"Status": "Creating", "StartTime": since}
    return present(
        Status=VARIANT_STATUS[rollout.stage],
        StatusMessage=rollout.reason or f"{percent(rollout.share)} of requests go to it",
        StartTime=rollout.since,
    )


def _carried(variant: Variant, rollout: Rollout | None, *, rising: bool = True) -> float:
    """Return the part of a variant's weight that its requests are sent by now."""
    share = rollout.share if rollout is not None else Fraction(0)
    return variant.weight * float(share if rising else 1 - share)


def _variants(
    recorded: RecordedEndpoint,
    variants: Sequence[Variant],
    wanted: Mapping[str, Variant],
    serving: Mapping[str, int],
) -> list[dict[str, Any]]:
    status = _OF_VARIANTS.get(recorded.status)
    return [
        present(
            **_capacity(variant, wanted[variant.name], serving.get(variant.name, 0)),
            VariantName=variant.name,
            DeployedImages=_images(variant, recorded.blueprint.models, recorded.created_at),
            CurrentWeight=_carried(variant, recorded.rollout, rising=False),
            DesiredWeight=wanted[variant.name].weight,
            VariantStatus=status and [{"Status": status, "StartTime": recorded.changed_at}],
            **_shown_again(variant),
        )
        for variant in variants
    ]


def _capacity(variant: Variant, wanted: Variant, healthy: int) -> dict[str, Any]:
    if variant.serverless is not None:
        return {
            "CurrentServerlessConfig": described_serverless(variant),
            "DesiredServerlessConfig": described_serverless(wanted),
        }
    return {"CurrentInstanceCount": healthy, "DesiredInstanceCount": wanted.instance_count}


def _shown_again(variant: Variant) -> dict[str, Any]:
    names = ("ManagedInstanceScaling", "RoutingConfig")
    return {name: variant.extras[name] for name in names if name in variant.extras}


def _images(variant: Variant, models: Sequence[Model], since: datetime) -> list[dict[str, Any]]:
    """Describe the images of a variant's model; none are pulled, so that names stay as given."""
    return [
        {
            "SpecifiedImage": container.image,
            "ResolvedImage": container.image,
            "ResolutionTime": since,
        }
        for model in models
        if model.name == variant.model_name
        for container in model.containers
    ]


def _capture(capture: Capture | None) -> dict[str, Any] | None:
    if capture is None:
        return None
    return {
        "EnableCapture": capture.enabled,
        "CaptureStatus": "Started" if capture.enabled else "Stopped",
        "CurrentSamplingPercentage": capture.percentage,
        "DestinationS3Uri": capture.destination,
        # The output shape demands it.
        "KmsKeyId": capture.extras.get("KmsKeyId", ""),
    }
