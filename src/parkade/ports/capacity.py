"""How many instances or copies there are, and are to be; and how that is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.scaling.target import Resource


class Readiness(StrEnum):
    """Whether a capacity can be changed now."""

    #: It serves, and can be changed.
    READY = "ready"
    #: It serves, and something about it is just being changed: wait.
    CHANGING = "changing"
    #: It does not serve: it starts, sleeps, has failed or is on its way out.
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The capacity of a resource at one instant."""

    resource: Resource
    endpoint_name: str
    readiness: Readiness
    #: Those that answer, and those that are wanted.
    current: int
    desired: int
    #: When something about its endpoint or component was last changed, and that was at its end.
    changed_at: datetime
    #: Since when its endpoint has served without a pause; None: it does not yet.
    awake_since: datetime | None = None
    #: Why it cannot be changed now, as the end of a sentence; empty: it can be.
    why: str = ""
    #: The fewest that it may have: 0 of components and of variants of asynchronous endpoints.
    floor: int = 1
    #: Why the last change came to nothing; empty: it did not.
    failure: str = ""


class Capacity(Protocol):
    """Reads and sets capacities. Setting returns at once; readings tell how it goes on.

    To be used where hosting is: embedded, on the loop of the host.
    """

    def read(self, resource: Resource) -> Reading:
        """Return the capacity of one.

        Raises EndpointNotFound, ComponentNotFound, InvalidInput for a variant that the endpoint
        does not have or that is serverless, Unreadable, and Unavailable while nothing can be seen.
        """
        ...

    def all(self) -> Mapping[str, Reading]:
        """Return the capacity of all that can be scaled, by resource id.

        What cannot be read is left out. Raises Unavailable while nothing can be seen.
        """
        ...

    def set(self, wanted: Mapping[Resource, int], actor: str) -> None:
        """Begin to change the capacities of one endpoint's variants, or of one component.

        Raises what `read` raises, EndpointBusy while it cannot be changed, Conflict where it has
        failed, ResourceLimitExceeded, and InvalidInput for fewer than its floor.
        """
        ...
