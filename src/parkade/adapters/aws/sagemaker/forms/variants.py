"""Variants of an endpoint config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms.members import beside, present
from parkade.domain.catalog import Routing, Serverless, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROUTING = "RoutingConfig"
#: What a variant says by itself; all else is kept beside it.
_UNDERSTOOD = frozenset({
    "VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight",
    "ServerlessConfig", "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds", _ROUTING,
})  # fmt: skip


def read(given: Mapping[str, Any], *, routing: Routing, extras: Mapping[str, Any]) -> Variant:
    """Return the variant."""
    return Variant(
        name=given["VariantName"],
        model_name=given.get("ModelName", ""),
        instance_type=given.get("InstanceType", ""),
        instance_count=given.get("InitialInstanceCount", 1),
        weight=given.get("InitialVariantWeight", 1.0),
        routing=routing,
        serverless=_serverless(given.get("ServerlessConfig")),
        download_timeout=given.get("ModelDataDownloadTimeoutInSeconds"),
        startup_timeout=given.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        extras=extras,
    )


def told(given: Mapping[str, Any]) -> Variant:
    """Return a variant that AWS describes; members that are not understood are its extras."""
    extras = beside(given, _UNDERSTOOD)
    config = given.get(_ROUTING)
    # Where nothing is said, SageMaker takes instances at random.
    routing = Routing.RANDOM
    if given.get("ServerlessConfig"):
        routing = Routing.LEAST_OUTSTANDING_REQUESTS  # there is nothing to choose from
    if config:
        strategy = config.get("RoutingStrategy")
        routing = Routing(strategy) if strategy in Routing.__members__ else routing
        if config != {"RoutingStrategy": routing.value}:
            extras[_ROUTING] = config
    return read(given, routing=routing, extras=extras)


def described(variant: Variant) -> dict[str, Any]:
    """Describe a variant of an endpoint config."""
    return present(
        **variant.extras,
        VariantName=variant.name,
        ModelName=variant.model_name,
        InstanceType=variant.instance_type,
        InitialInstanceCount=None if variant.serverless else variant.instance_count,
        InitialVariantWeight=variant.weight,
        ServerlessConfig=described_serverless(variant),
        ModelDataDownloadTimeoutInSeconds=variant.download_timeout,
        ContainerStartupHealthCheckTimeoutInSeconds=variant.startup_timeout,
    )


def asked(variant: Variant) -> dict[str, Any]:
    """Describe a variant that is to be made, with the routing that its host is not to choose."""
    form = described(variant)
    if variant.serverless is None:
        form.setdefault(_ROUTING, {"RoutingStrategy": variant.routing.value})
    return form


def described_serverless(variant: Variant) -> dict[str, Any] | None:
    """Describe a ServerlessConfig."""
    if variant.serverless is None:
        return None
    return present(
        MemorySizeInMB=variant.serverless.memory_mb,
        MaxConcurrency=variant.serverless.concurrency,
        ProvisionedConcurrency=variant.serverless.provisioned,
    )


def _serverless(given: Mapping[str, Any] | None) -> Serverless | None:
    if not given:
        return None
    return Serverless(
        memory_mb=given["MemorySizeInMB"],
        concurrency=given["MaxConcurrency"],
        provisioned=given.get("ProvisionedConcurrency"),
    )
