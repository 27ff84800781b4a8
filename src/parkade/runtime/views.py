"""What the host shows of its fleets: to gateways, and to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.runtime.instances import InstanceState

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from parkade.runtime.fleets import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """An instance that can be sent invocations."""

    id: str
    socket: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantView:
    """A variant with the instances of it that serve."""

    name: str
    weight: float
    instances: tuple[InstanceView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus:
    """An instance as people see it. `pid` is None while it has no process."""

    id: str
    variant_name: str
    pid: int | None
    state: InstanceState
    started_at: datetime
    restarts: int
    log: Path


def serving(fleet: Fleet) -> tuple[VariantView, ...]:
    """Return the variants with the instances that can be sent invocations."""
    return tuple(
        VariantView(
            name=name,
            weight=weight,
            instances=tuple(
                InstanceView(id=instance.record.id, socket=instance.socket)
                for instance in fleet.instances
                if instance.record.variant_name == name and instance.state is InstanceState.RUNNING
            ),
        )
        for name, weight in fleet.weights.items()
    )


def statuses(fleet: Fleet) -> tuple[InstanceStatus, ...]:
    """Return how each instance is."""
    return tuple(
        InstanceStatus(
            id=instance.record.id,
            variant_name=instance.record.variant_name,
            pid=instance.pid,
            state=instance.state,
            started_at=instance.record.started_at,
            restarts=instance.restarts,
            log=instance.log,
        )
        for instance in fleet.instances
    )
