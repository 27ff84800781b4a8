"""Variants of a payload, in SageMaker's words: read, and written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.catalog import Routing, Serverless, Variant
from parkade.domain.deploy.order import ALL_TRAFFIC
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from parkade.domain.deploy.reading import Section
    from parkade.domain.event import Json

PRODUCTION, SHADOW = "productionVariants", "ShadowProductionVariants"
_SERVERLESS_KEYS = frozenset({"MemorySizeInMB", "MaxConcurrency", "ProvisionedConcurrency"})
#: Kept as given, and shown again.
_KEPT = ("VolumeSizeInGB", "InferenceAmiVersion")
_KEYS = frozenset({
    "VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight",
    "AcceleratorType", "RoutingConfig", "ServerlessConfig", "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds", *_KEPT,
})  # fmt: skip
#: The spellings of a variant's keys that the seed's own table has.
_SPELLINGS = {"inferenceInstanceType": "InstanceType", "modelName": "ModelName"}


def read(top: Section, key: str, warnings: list[str]) -> tuple[Variant, ...]:
    """Return the variants of the list at a key; what has no effect is added to the warnings."""
    return tuple(
        _variant(each, warnings) for each in top.sections(key, _KEYS, spellings=_SPELLINGS)
    )


def _variant(given: Section, warnings: list[str]) -> Variant:
    name = given.text("VariantName", ALL_TRAFFIC)
    if given.has("AcceleratorType"):
        warnings.append(
            f"variant {name}: AcceleratorType {given.text('AcceleratorType')} is left out: AWS has "
            "retired Elastic Inference"
        )
    serverless = _serverless(given) if given.has("ServerlessConfig") else None
    if serverless is not None:
        for key in ("InstanceType", "InitialInstanceCount"):
            if given.has(key):
                raise InvalidInput(
                    f"{given.at(key)} is given together with ServerlessConfig",
                    field=given.at(key),
                    hint="give one of them",
                )
    routing = Routing.LEAST_OUTSTANDING_REQUESTS
    if given.has("RoutingConfig"):
        routing = _routing(given.section("RoutingConfig", {"RoutingStrategy"}))
    return Variant(
        name=name,
        model_name=given.text("ModelName"),
        instance_type="" if serverless else given.text("InstanceType"),
        instance_count=given.whole("InitialInstanceCount", 1),
        weight=given.number("InitialVariantWeight", 1.0),
        routing=routing,
        serverless=serverless,
        download_timeout=given.maybe_whole("ModelDataDownloadTimeoutInSeconds"),
        startup_timeout=given.maybe_whole("ContainerStartupHealthCheckTimeoutInSeconds"),
        extras={key: given.value(key) for key in _KEPT if given.has(key)},
    )


def _serverless(given: Section) -> Serverless:
    config = given.section("ServerlessConfig", _SERVERLESS_KEYS)
    return Serverless(
        memory_mb=config.whole("MemorySizeInMB"),
        concurrency=config.whole("MaxConcurrency"),
        provisioned=config.maybe_whole("ProvisionedConcurrency"),
    )


def _routing(given: Section) -> Routing:
    name = given.text("RoutingStrategy")
    if name not in set(Routing):
        raise InvalidInput(
            f"{given.at('RoutingStrategy')} {name[:80]!r} is not a routing strategy",
            field=given.at("RoutingStrategy"),
            hint="give " + " or ".join(Routing),
        )
    return Routing(name)


def written(variant: Variant) -> dict[str, Json]:
    """Write a variant as a payload has it."""
    told: dict[str, Json] = {
        "VariantName": variant.name,
        "ModelName": variant.model_name,
        "InitialVariantWeight": variant.weight,
        "RoutingConfig": {"RoutingStrategy": variant.routing.value},
        **{key: variant.extras[key] for key in _KEPT if key in variant.extras},
    }
    if variant.serverless is None:
        told |= {
            "InstanceType": variant.instance_type,
            "InitialInstanceCount": variant.instance_count,
        }
    else:
        config: dict[str, Json] = {
            "MemorySizeInMB": variant.serverless.memory_mb,
            "MaxConcurrency": variant.serverless.concurrency,
        }
        if variant.serverless.provisioned is not None:
            config["ProvisionedConcurrency"] = variant.serverless.provisioned
        told["ServerlessConfig"] = config
    if variant.download_timeout is not None:
        told["ModelDataDownloadTimeoutInSeconds"] = variant.download_timeout
    if variant.startup_timeout is not None:
        told["ContainerStartupHealthCheckTimeoutInSeconds"] = variant.startup_timeout
    return told
