"""What hosting says of an endpoint: its statuses and what they allow.

The statuses are SageMaker's (botocore `EndpointStatus`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.stages import Rollout


class EndpointStatus(StrEnum):
    """SageMaker's endpoint statuses."""

    OUT_OF_SERVICE = "OutOfService"
    CREATING = "Creating"
    UPDATING = "Updating"
    SYSTEM_UPDATING = "SystemUpdating"
    ROLLING_BACK = "RollingBack"
    IN_SERVICE = "InService"
    DELETING = "Deleting"
    FAILED = "Failed"
    UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"


class ComponentStatus(StrEnum):
    """SageMaker's statuses of inference components."""

    IN_SERVICE = "InService"
    CREATING = "Creating"
    UPDATING = "Updating"
    FAILED = "Failed"
    DELETING = "Deleting"


#: On its way somewhere else: neither to be stopped nor to be started now.
TRANSIENT = frozenset({
    EndpointStatus.CREATING,
    EndpointStatus.UPDATING,
    EndpointStatus.SYSTEM_UPDATING,
    EndpointStatus.ROLLING_BACK,
    EndpointStatus.DELETING,
})  # fmt: skip

#: Statuses in which an endpoint answers invocations.
SERVING = frozenset({
    EndpointStatus.IN_SERVICE,
    EndpointStatus.UPDATING,
    EndpointStatus.SYSTEM_UPDATING,
    EndpointStatus.ROLLING_BACK,
    EndpointStatus.UPDATE_ROLLBACK_FAILED,
})  # fmt: skip

_NEXT = {
    EndpointStatus.CREATING: {EndpointStatus.IN_SERVICE, EndpointStatus.FAILED},
    EndpointStatus.IN_SERVICE: {
        EndpointStatus.UPDATING,
        EndpointStatus.SYSTEM_UPDATING,
        EndpointStatus.DELETING,
        EndpointStatus.OUT_OF_SERVICE,
    },
    EndpointStatus.UPDATING: {
        EndpointStatus.IN_SERVICE,
        EndpointStatus.ROLLING_BACK,
        EndpointStatus.UPDATE_ROLLBACK_FAILED,
        EndpointStatus.FAILED,
    },
    EndpointStatus.SYSTEM_UPDATING: {EndpointStatus.IN_SERVICE, EndpointStatus.FAILED},
    EndpointStatus.ROLLING_BACK: {EndpointStatus.IN_SERVICE, EndpointStatus.UPDATE_ROLLBACK_FAILED},
    EndpointStatus.UPDATE_ROLLBACK_FAILED: {EndpointStatus.UPDATING, EndpointStatus.DELETING},
    EndpointStatus.OUT_OF_SERVICE: {EndpointStatus.IN_SERVICE, EndpointStatus.DELETING},
    EndpointStatus.FAILED: {EndpointStatus.DELETING},
    EndpointStatus.DELETING: set[EndpointStatus](),
}


def lawful(current: EndpointStatus, following: EndpointStatus) -> bool:
    """Tell whether SageMaker's state machine goes from one status to the other in one step."""
    return following in _NEXT[current]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedEndpoint:
    """An endpoint as hosting describes it at one instant."""

    name: str
    status: EndpointStatus
    config_name: str
    #: When the status last changed, aware UTC, on the clock of leases.
    changed_at: datetime
    created_at: datetime
    failure_reason: str = ""
    #: Instances that answer, and instances that are wanted, over all variants.
    healthy: int = 0
    wanted: int = 0
    #: Rises with each update that was brought up.
    generation: int = 1
    #: While it is Updating: the endpoint config that is being brought up.
    target_config_name: str = ""
    #: Whether it was put to sleep: nothing of it runs, or what does is leaving.
    asleep: bool = False
    #: Since when it serves, or is on its way to, after it was created or woken; None: not known.
    awake_since: datetime | None = None
    #: Whether an inference component of it is on its way to another status.
    changing: bool = False
    #: How far an update in stages has come; None: none is under way.
    rollout: Rollout | None = None

    @property
    def stoppable(self) -> bool:
        """Whether it can be deleted now: it is at rest, or in an update in stages.

        Such an update may take hours with two fleets to pay for; whoever stops paying does not
        wait for it.
        """
        return self.status not in TRANSIENT or self.rollout is not None
