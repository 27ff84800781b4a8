"""DeploymentConfig: how an update goes over to its new fleet, as callers may give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.sagemaker.forms import deployments
from parkade.apps.wire.faults import invalid
from parkade.domain.rollout import FIELDS, Kind, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(given: Mapping[str, Any] | None) -> Strategy | None:
    """Return the strategy; None where none is given. Raises ValidationException or InvalidInput."""
    if given is None:
        return None
    blue_green = given.get("BlueGreenUpdatePolicy")
    rolling = given.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise invalid(
            "DeploymentConfig has BlueGreenUpdatePolicy and RollingUpdatePolicy; only one of them "
            "can be given"
        )
    _require_names(given.get("AutoRollbackConfiguration", {}).get("Alarms", ()))
    if blue_green is not None:
        _require_one_size(blue_green["TrafficRoutingConfiguration"])
    return deployments.read(given) or Strategy()


def _require_one_size(routing: Mapping[str, Any]) -> None:
    kind = Kind(routing["Type"])
    for other in (Kind.CANARY, Kind.LINEAR):
        if other is not kind and FIELDS[other] in routing:
            raise invalid(
                f"TrafficRoutingConfiguration.{FIELDS[other]} goes with Type {other}, not {kind}"
            )


def _require_names(given: list[Mapping[str, Any]]) -> None:
    for number, each in enumerate(given, 1):
        if "AlarmName" not in each:
            raise invalid(f"AutoRollbackConfiguration.Alarms.{number} has no AlarmName")
