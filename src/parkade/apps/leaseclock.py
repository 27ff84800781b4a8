"""The clock of leases: real time, or faster from where the state folder says it was."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from parkade.adapters.system.clock import Scale, ScaledClock, SystemClock

if TYPE_CHECKING:
    from parkade.adapters.sqlite.meta import SqliteMeta
    from parkade.ports.clock import Clock


def lease_clock(meta: SqliteMeta, wall: SystemClock, factor: float) -> Clock:
    """Return the clock of leases, going on from where the stored origin says it was."""
    now = wall.now()
    stored = meta.get("clock")
    scale = _scale(stored) if stored else Scale(real=now, scaled=now, factor=1.0)
    if scale.factor != factor:
        scale = scale.rescaled(now, factor)
        meta.put("clock", _scale_text(scale))
    if scale.factor == 1 and scale.real == scale.scaled:
        return wall
    return ScaledClock(wall, scale)


def usage_seconds(time_scale: float) -> float:
    """Return how often gateways report: each second of the lease clock, within reason."""
    return max(0.05, min(1.0, 1.0 / time_scale))


def _scale(text: str) -> Scale:
    stored = json.loads(text)
    return Scale(
        real=datetime.fromisoformat(stored["real"]),
        scaled=datetime.fromisoformat(stored["scaled"]),
        factor=stored["factor"],
    )


def _scale_text(scale: Scale) -> str:
    return json.dumps({
        "real": scale.real.isoformat(),
        "scaled": scale.scaled.isoformat(),
        "factor": scale.factor,
    })  # fmt: skip
