"""Variants of an endpoint config, as callers may give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import variants
from parkade.apps.sagemaker.faults import refused
from parkade.apps.sagemaker.members import kept, refuse
from parkade.apps.wire.faults import invalid
from parkade.domain.catalog import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.domain.catalog import Variant

_KEPT = (
    "AcceleratorType",
    "VolumeSizeInGB",
    "InferenceAmiVersion",
    "VariantInstanceProvisionTimeoutInSeconds",
    "ManagedInstanceScaling",
    "RoutingConfig",
)
_REFUSED = {
    "InstancePools": "a variant has one InstanceType here, which is a name only",
    "CoreDumpConfig": "core dumps are left to the machine's own settings",
    "EnableSSMAccess": "workers are processes of this machine; log in to it",
    "CapacityReservationConfig": "there is nothing to reserve on one machine",
    "AcceleratorPartitionLayouts": "accelerators are not partitioned here",
}
_WITH_INSTANCES = ("InstanceType", "InitialInstanceCount", "ManagedInstanceScaling")


def read(given: Sequence[Mapping[str, Any]], place: str) -> tuple[Variant, ...]:
    """Return the variants."""
    return tuple(_variant(each, f"{place}.{number}") for number, each in enumerate(given, 1))


def _variant(given: Mapping[str, Any], place: str) -> Variant:
    refuse(given, _REFUSED, within=place)
    if given.get("ServerlessConfig") is None:
        _require_instances(given, place)
    else:
        _require_no_instances(given, place)
    routing = _routing(given.get("RoutingConfig"), place)
    return variants.read(given, routing=routing, extras=kept(given, _KEPT))


def _require_instances(given: Mapping[str, Any], place: str) -> None:
    scaling = given.get("ManagedInstanceScaling")
    if scaling is not None:
        if "ModelName" in given:
            raise invalid(
                "ManagedInstanceScaling is only supported for inference component endpoints"
            )
        least, most = scaling.get("MinInstanceCount"), scaling.get("MaxInstanceCount")
        if least is not None and most is not None and least > most:
            raise invalid(
                f"{place}.ManagedInstanceScaling.MinInstanceCount {least} is more than its "
                f"MaxInstanceCount {most}"
            )
    for member in ("InstanceType", "InitialInstanceCount"):
        if member not in given:
            raise invalid(f"{place}.{member} must be given where there is no ServerlessConfig")


def _require_no_instances(given: Mapping[str, Any], place: str) -> None:
    for member in _WITH_INSTANCES:
        if member in given:
            raise invalid(f"{place}.{member} cannot be given together with ServerlessConfig")
    if "ModelName" not in given:
        raise invalid(f"{place}.ModelName must be given where there is a ServerlessConfig")


def _routing(given: Mapping[str, Any] | None, place: str) -> Routing:
    if given is None:
        return Routing.LEAST_OUTSTANDING_REQUESTS
    strategy = given["RoutingStrategy"]
    if strategy not in Routing.__members__:
        raise refused(
            f"{place}.RoutingConfig.RoutingStrategy {strategy}",
            "give LEAST_OUTSTANDING_REQUESTS or RANDOM",
        )
    if "PrefixAwareRoutingConfig" in given:
        raise refused(f"{place}.RoutingConfig.PrefixAwareRoutingConfig", "leave it out")
    return Routing(strategy)
