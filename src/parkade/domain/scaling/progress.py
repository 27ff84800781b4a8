"""What the autoscaler remembers of a target from one look to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations

from parkade.domain.scaling.activity import Activity  # noqa: TC001
from parkade.domain.scaling.target import Resource  # noqa: TC001


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of the capacity that was carried out."""

    #: When it was at its end: then cooldowns begin.
    at: datetime
    before: int
    after: int
    #: The policy that led to it; empty: none did.
    policy_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the scaling of a target has come."""

    resource: Resource
    #: The last change to more, and the last to fewer.
    out: Move | None = None
    back: Move | None = None
    #: What is under way, or was refused and is tried again.
    activity: Activity | None = None
