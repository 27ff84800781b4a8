"""The payload of a deployment: JSON in the seed's words, read into an order and written again.

What is left out has its default; a key that is not known is refused by its name, since one that is
misspelt would silently not be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain import lease
from parkade.domain.catalog import Routing, Serverless, Variant
from parkade.domain.deploy import policies, staging
from parkade.domain.deploy.order import (
    ALL_TRAFFIC,
    ENVIRONMENT,
    TRACKING,
    Order,
    VariantScaling,
    patience,
)
from parkade.domain.deploy.reading import Section
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes
from parkade.domain.terms import Sleep, Wake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json

_LEAST, _MOST = "autoscalingMinCapacity", "autoscalingMaxCapacity"
_POLICY = "targetTrackingScalingPolicyConfiguration"
_SCALING_KEYS = frozenset({_LEAST, _MOST, _POLICY})
_KEYS = _SCALING_KEYS | {
    "endpointName", "productionVariants", "scaling", "minutes", "owner", "metered", "environment",
    "tags", "strategy", "maxWaitMinutes", "sleep", "wake",
}  # fmt: skip
_SERVERLESS_KEYS = frozenset({"MemorySizeInMB", "MaxConcurrency", "ProvisionedConcurrency"})
#: Kept as given, and shown again.
_KEPT = ("VolumeSizeInGB", "InferenceAmiVersion")
_VARIANT_KEYS = frozenset({
    "VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight",
    "AcceleratorType", "RoutingConfig", "ServerlessConfig", "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds", *_KEPT,
})  # fmt: skip
#: The spellings of a variant's keys that the seed's own table has.
_SPELLINGS = {"inferenceInstanceType": "InstanceType", "modelName": "ModelName"}
_SLEEP_KEYS = frozenset({"after_minutes", "pauses", "hold_seconds"})
_WAKE_KEYS = frozenset({"minutes", "at_most_minutes"})


def read(given: object) -> Order:
    """Return the order. Raises InvalidInput, which names the key and what is wrong with it."""
    top = Section(given, "", _KEYS)
    warnings: list[str] = []
    variants = tuple(
        _variant(each, warnings)
        for each in top.sections("productionVariants", _VARIANT_KEYS, spellings=_SPELLINGS)
    )
    scaling = _scaling(top, variants)
    _warn_of_counts(variants, scaling, warnings)
    strategy = staging.read(top, "strategy")
    waits = top.minutes("maxWaitMinutes") if top.has("maxWaitMinutes") else patience(strategy)
    return Order(
        endpoint_name=top.text("endpointName"),
        variants=variants,
        scaling=scaling,
        environment=top.text("environment", ENVIRONMENT),
        tags=top.texts_by_key("tags"),
        metered=top.flag("metered", default=True),
        amount=lease.minutes(top.value("minutes")) if top.has("minutes") else None,
        owner=top.text("owner", ""),
        strategy=strategy,
        sleep=_sleep(top) if top.has("sleep") else None,
        wake=_wake(top) if top.has("wake") else None,
        max_wait=waits,
        warnings=tuple(warnings),
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


def _scaling(top: Section, variants: Sequence[Variant]) -> dict[str, VariantScaling | None]:
    """Return the scaling of each variant: as given for all, or for it by its name."""
    common: dict[str, VariantScaling | None] = {}
    if any(top.has(key) for key in _SCALING_KEYS):
        for_all = _bounds(top, None)
        common = {each.name: for_all for each in variants if each.serverless is None}
    own: dict[str, VariantScaling | None] = {}
    for name, entry in top.entries("scaling").items():
        if entry is None:
            own[name] = None
        else:
            place = Section(entry, f"scaling.{name}", _SCALING_KEYS)
            own[name] = _bounds(place, common.get(name))
    return {**common, **own}


def _bounds(given: Section, common: VariantScaling | None) -> VariantScaling:
    tracking = common.tracking if common else TRACKING
    return VariantScaling(
        least=given.whole(_LEAST, common.least if common else None),
        most=given.whole(_MOST, common.most if common else None),
        tracking=policies.read(given, _POLICY) if given.has(_POLICY) else tracking,
    )


def _warn_of_counts(
    variants: Sequence[Variant],
    scaling: Mapping[str, VariantScaling | None],
    warnings: list[str],
) -> None:
    for each in variants:
        bounds = scaling.get(each.name)
        if (
            bounds is not None
            and max(1, bounds.clamped(each.instance_count)) != each.instance_count
        ):
            warnings.append(
                f"variant {each.name}: InitialInstanceCount {each.instance_count} is not within "
                f"{bounds.least} to {bounds.most}; it begins with "
                f"{max(1, bounds.clamped(each.instance_count))}"
            )


def _sleep(top: Section) -> Sleep:
    given = top.section("sleep", _SLEEP_KEYS)
    return Sleep(
        after=given.minutes("after_minutes"),
        pauses=given.flag("pauses", default=False),
        hold=given.seconds("hold_seconds"),
    )


def _wake(top: Section) -> Wake:
    given = top.section("wake", _WAKE_KEYS)
    return Wake(minutes=given.minutes("minutes"), at_most=given.minutes("at_most_minutes"))


def written(order: Order) -> dict[str, Json]:
    """Write an order as a payload with all that was left out of it; reading it gives the order."""
    told: dict[str, Json] = {
        "endpointName": order.endpoint_name,
        "productionVariants": [_written_variant(each) for each in order.variants],
        "scaling": {
            name: None if each is None else _written_scaling(each)
            for name, each in order.scaling.items()
        },
        "environment": order.environment,
        "tags": dict(order.tags),
        "metered": order.metered,
        "strategy": staging.written(order.strategy),
        "maxWaitMinutes": in_minutes(order.max_wait),
    }
    if order.amount is not None:
        told["minutes"] = in_minutes(order.amount)
    if order.owner:
        told["owner"] = order.owner
    if order.sleep is not None:
        told["sleep"] = order.sleep.written()
    if order.wake is not None:
        told["wake"] = order.wake.written()
    return told


def _written_variant(variant: Variant) -> dict[str, Json]:
    told: dict[str, Json] = {
        "VariantName": variant.name,
        "ModelName": variant.model_name,
        "InitialVariantWeight": variant.weight,
        "RoutingConfig": {"RoutingStrategy": variant.routing.value},
        **variant.extras,
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


def _written_scaling(scaling: VariantScaling) -> dict[str, Json]:
    return {
        _LEAST: scaling.least,
        _MOST: scaling.most,
        _POLICY: policies.written(scaling.tracking),
    }
