"""DeploymentConfig: how an update brings up its new fleet. Here that is all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.faults import refused
from parkade.apps.wire.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALL_AT_ONCE = "ALL_AT_ONCE"
_WHY = "the new fleet takes the traffic all at once, when all of it is healthy"


def require_at_once(given: Mapping[str, Any] | None) -> None:
    """Raise ValidationException for a deployment in stages, or one that watches alarms."""
    if given is None:
        return
    blue_green = given.get("BlueGreenUpdatePolicy")
    rolling = given.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise invalid(
            "DeploymentConfig has BlueGreenUpdatePolicy and RollingUpdatePolicy; only one of them "
            "can be given"
        )
    if rolling is not None:
        raise refused("DeploymentConfig.RollingUpdatePolicy", _WHY)
    if blue_green is not None:
        kind = blue_green["TrafficRoutingConfiguration"]["Type"]
        if kind != _ALL_AT_ONCE:
            raise refused(
                f"DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type {kind}",
                _WHY,
            )
    if given.get("AutoRollbackConfiguration", {}).get("Alarms"):
        raise refused("DeploymentConfig.AutoRollbackConfiguration.Alarms", "there are no alarms")
