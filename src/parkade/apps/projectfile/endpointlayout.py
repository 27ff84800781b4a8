"""Endpoints of a document as parts: the deployer's payload, and what is settled about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile.alarmlayout import alarm_names
from parkade.apps.projectfile.endpoints import LeaseSetting
from parkade.apps.projectfile.terms import Maintaining
from parkade.apps.projectfile.variants import OwnMetric
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import PROJECT_TAG
from parkade.domain.scaling.policy import Predefined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.endpoints import (
        AsyncSetting,
        CaptureSetting,
        EndpointSetting,
        StrategySetting,
    )
    from parkade.apps.projectfile.variants import Scaling, VariantSetting
    from parkade.domain.event import Json

_PREDEFINED = {
    "invocations": Predefined.INVOCATIONS_PER_INSTANCE,
    "concurrency": Predefined.REQUESTS_PER_MODEL,
}


def endpoints(document: Document, model_names: Mapping[str, str]) -> Iterator[Part]:
    """Go through the endpoints; models are known by the names that were derived for them."""
    for key, endpoint in document.endpoints.items():
        name = f"{document.prefix}-{key}"
        yield Part(
            kind=Kind.ENDPOINT,
            name=name,
            key=key,
            content=_content(document, name, endpoint, model_names),
        )


def _content(
    document: Document, name: str, endpoint: EndpointSetting, model_names: Mapping[str, str]
) -> dict[str, Json]:
    told: dict[str, Json] = {
        "endpointName": name,
        # What nothing scales has as many instances as the file says.
        "keepsCounts": False,
        "productionVariants": [_variant(each, model_names) for each in endpoint.variants],
        "scaling": {each.name: _scaling(each.scaling) for each in endpoint.variants},
        "tags": {**document.tags, **endpoint.tags, PROJECT_TAG: document.prefix},
        "strategy": _strategy(document, endpoint.strategy),
        "deploy": endpoint.deploy,
        "maintain": _maintain(endpoint.maintain),
        "keep": None,
        "schedule": None,
    }
    if document.stage:
        told["environment"] = document.stage
    if endpoint.shadows:
        told["ShadowProductionVariants"] = [
            _variant(each, model_names) for each in endpoint.shadows
        ]
    if endpoint.capture is not None:
        told["DataCaptureConfig"] = _capture(endpoint.capture)
    if endpoint.asynchronous is not None:
        told["AsyncInferenceConfig"] = _asynchronous(endpoint.asynchronous)
    if endpoint.max_wait_minutes is not None:
        told["maxWaitMinutes"] = endpoint.max_wait_minutes
    return told | _terms(document, endpoint)


def _terms(document: Document, endpoint: EndpointSetting) -> dict[str, Json]:
    lease = endpoint.lease
    if not isinstance(lease, LeaseSetting):
        return {"metered": False}
    told: dict[str, Json] = {
        "metered": True,
        "keep": lease.keep.model_dump() if lease.keep else None,
        "schedule": lease.schedule,
    }
    if lease.minutes is not None:
        told["minutes"] = lease.minutes
    owner = endpoint.owner or document.owner
    if owner is not None:
        told["owner"] = owner
    if endpoint.sleep is not None:
        told["sleep"] = endpoint.sleep.model_dump()
    if endpoint.wake is not None:
        told["wake"] = endpoint.wake.model_dump()
    return told


def _maintain(given: bool | Maintaining | None) -> dict[str, Json] | None:  # noqa: FBT001
    if given is None:
        return None
    if isinstance(given, Maintaining):
        return {"watch": "on", **given.model_dump(exclude_unset=True)}
    return {"watch": "on" if given else "off"}


def _variant(variant: VariantSetting, model_names: Mapping[str, str]) -> dict[str, Json]:
    told: dict[str, Json] = {
        "VariantName": variant.name,
        "ModelName": model_names[variant.model],
        "InitialVariantWeight": variant.weight,
        "RoutingConfig": {"RoutingStrategy": variant.routing.upper()},
    }
    if variant.serverless is None:
        told |= {"InstanceType": variant.type, "InitialInstanceCount": variant.instances}
    else:
        serverless = variant.serverless
        config: dict[str, Json] = {
            "MemorySizeInMB": serverless.memory_mb,
            "MaxConcurrency": serverless.concurrency,
        }
        if serverless.provisioned is not None:
            config["ProvisionedConcurrency"] = serverless.provisioned
        told["ServerlessConfig"] = config
    if variant.download_seconds is not None:
        told["ModelDataDownloadTimeoutInSeconds"] = variant.download_seconds
    if variant.startup_seconds is not None:
        told["ContainerStartupHealthCheckTimeoutInSeconds"] = variant.startup_seconds
    return told


def _scaling(scaling: Scaling | None) -> dict[str, Json] | None:
    if scaling is None or not scaling.enabled:
        return None
    policy: dict[str, Json] = {
        "TargetValue": scaling.target,
        "ScaleOutCooldown": scaling.out_cooldown,
        "ScaleInCooldown": scaling.in_cooldown,
        "DisableScaleIn": not scaling.scale_in,
    }
    metric = scaling.metric
    if isinstance(metric, OwnMetric):
        customized: dict[str, Json] = {
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in metric.dimensions.items()
            ],
            "Statistic": metric.statistic,
        }
        if metric.unit:
            customized["Unit"] = metric.unit
        policy["CustomizedMetricSpecification"] = customized
    else:
        kind = _PREDEFINED[metric].value
        policy["PredefinedMetricSpecification"] = {"PredefinedMetricType": kind}
    return {
        "autoscalingMinCapacity": scaling.least,
        "autoscalingMaxCapacity": scaling.most,
        "targetTrackingScalingPolicyConfiguration": policy,
    }


def _strategy(document: Document, strategy: StrategySetting) -> dict[str, Json]:
    """Return the strategy; alarms of the file are told by the names that they have here."""
    own = alarm_names(document)
    told: dict[str, Json] = {
        "kind": strategy.kind,
        "waitSeconds": strategy.wait_seconds,
        "terminationWaitSeconds": strategy.termination_wait_seconds,
        "alarms": [own.get(each, each) for each in strategy.alarms],
    }
    maybe: dict[str, Json] = {
        "percent": strategy.percent,
        "instances": strategy.instances,
        "limitSeconds": strategy.limit_seconds,
        "rollbackPercent": strategy.rollback_percent,
        "rollbackInstances": strategy.rollback_instances,
    }
    return told | {name: value for name, value in maybe.items() if value is not None}


def _capture(capture: CaptureSetting) -> dict[str, Json]:
    modes = (("Input", capture.inputs), ("Output", capture.outputs))
    told: dict[str, Json] = {
        "EnableCapture": capture.enabled,
        "InitialSamplingPercentage": capture.percentage,
        "DestinationS3Uri": capture.destination,
        "CaptureOptions": [{"CaptureMode": mode} for mode, there in modes if there],
    }
    types: dict[str, Json] = {}
    if capture.csv_types:
        types["CsvContentTypes"] = list(capture.csv_types)
    if capture.json_types:
        types["JsonContentTypes"] = list(capture.json_types)
    if types:
        told["CaptureContentTypeHeader"] = types
    return told


def _asynchronous(setting: AsyncSetting) -> dict[str, Json]:
    output: dict[str, Json] = {"S3OutputPath": setting.output}
    if setting.failure is not None:
        output["S3FailurePath"] = setting.failure
    notification: dict[str, Json] = {}
    if setting.success_topic is not None:
        notification["SuccessTopic"] = setting.success_topic
    if setting.error_topic is not None:
        notification["ErrorTopic"] = setting.error_topic
    if setting.include_response_in:
        notification["IncludeInferenceResponseIn"] = list(setting.include_response_in)
    if notification:
        output["NotificationConfig"] = notification
    told: dict[str, Json] = {"OutputConfig": output}
    if setting.concurrency is not None:
        told["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": setting.concurrency}
    return told
