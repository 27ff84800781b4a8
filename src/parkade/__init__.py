"""Parkade: model endpoints on a parking meter.

This facade names what a program that builds on Parkade may use: the decision and its values, the
two services that act on ports of your own, and the root of all errors. No module of Parkade
imports it; everything else is inside and may move.

Names are loaded when they are first used: every worker process imports this package, and needs
none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parkade.domain.actions import Action, ActionKind, Plan
    from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
    from parkade.domain.errors import ParkadeError
    from parkade.domain.lease import EndReason, Lease, LeaseRules
    from parkade.domain.plan import plan
    from parkade.services.meter import Meter
    from parkade.services.sweep import Sweep

__version__ = "0.1.0"

__all__ = [
    "Action",
    "ActionKind",
    "EndReason",
    "EndpointStatus",
    "Lease",
    "LeaseRules",
    "Meter",
    "ObservedEndpoint",
    "ParkadeError",
    "Plan",
    "Sweep",
    "plan",
]

_HOMES = {
    "parkade.domain.endpoint": ("EndpointStatus", "ObservedEndpoint"),
    "parkade.domain.errors": ("ParkadeError",),
    "parkade.domain.lease": ("EndReason", "Lease", "LeaseRules"),
    "parkade.domain.plan": ("Action", "ActionKind", "Plan", "plan"),
    "parkade.services.meter": ("Meter",),
    "parkade.services.sweep": ("Sweep",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'parkade' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
