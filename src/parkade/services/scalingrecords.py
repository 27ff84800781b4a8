"""What the services of scaling share about stored records: one kind, one target, room for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from parkade.domain.errors import (
    NotFound,
    ResourceLimitExceeded,
    ScalableTargetNotFound,
    Unreadable,
)
from parkade.domain.scaling.policy import Policy
from parkade.domain.scaling.target import ScalableTarget
from parkade.domain.scaling.timetable import ScheduledAction
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.domain.scaling.target import Resource
    from parkade.ports.scaling import Kept

_Record = TypeVar("_Record", ScalableTarget, Policy, ScheduledAction)


def former_of(kept: Kept[_Record], key: str) -> _Record | None:
    """Return what is stored under a key; what is damaged is put anew."""
    try:
        return kept.get(key)
    except (NotFound, Unreadable):
        return None


def of(found: Listing[_Record], resource: Resource | None) -> Listing[_Record]:
    """Return what belongs to a target; None: all of it."""
    if resource is None:
        return found
    return Listing(
        tuple(each for each in found.records if each.resource == resource),
        {key: why for key, why in found.unreadable.items() if key.startswith(f"{resource.id}:")},
    )


def require_room(there: int, limit: int, noun: str, resource: Resource) -> None:
    """Raise ResourceLimitExceeded where a target has as many as it may have."""
    if there >= limit:
        raise ResourceLimitExceeded(
            f"{resource.id} has {there} {noun} already, which is the most",
            hint="delete one of them first",
        )


def unregistered(resource: Resource) -> ScalableTargetNotFound:
    """Return what is said of a resource that is no scalable target."""
    return ScalableTargetNotFound(
        f"{resource.id} is not registered to be scaled",
        hint="register it as a scalable target first",
    )
