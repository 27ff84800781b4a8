"""What becomes of endpoints, as the history tells it: SageMaker writes none that could be read.

Given to the sights of the one process that sweeps, so that each change is told once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.event import HOST, Event, written
from parkade.domain.eventbridge import CHANGE, DELETED

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.adapters.aws.sagemaker.sight import Sight
    from parkade.domain.event import Json
    from parkade.ports.clock import Clock
    from parkade.ports.events import History

_IN_SERVICE, _FAILED = EndpointStatus.IN_SERVICE, EndpointStatus.FAILED


class Chronicle:
    """Hears of changes between two sights, and tells those that end something."""

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock

    def __call__(self, before: Sight | None, after: Sight | None) -> None:
        """Tell what has become of an endpoint; None: it was not, or is not, there."""
        if after is None:
            assert before is not None  # noqa: S101  one of both is a sight
            now = self._clock.now()
            change = {**_change(before, before), "status": DELETED}
            self._tell(before.name, now, "endpoint.deleted", "it is gone", change)
        elif before is not None and (told := _ending(before, after)) is not None:
            kind, reason = told
            self._tell(after.name, after.changed_at, kind, reason, _change(after, before))

    def _tell(
        self, name: str, at: datetime, kind: str, reason: str, change: dict[str, Json]
    ) -> None:
        data: dict[str, Json] = {CHANGE: change}
        self._history.append(
            Event(at=at, kind=kind, actor=HOST, reason=reason, endpoint_name=name, data=data)
        )


def _ending(before: Sight, after: Sight) -> tuple[str, str] | None:
    """Return kind and reason of what has ended; None: nothing has."""
    if after.status is before.status:
        return None
    if after.status is _FAILED:
        return "endpoint.failed", after.failure_reason or "SageMaker gives no reason"
    if after.status is not _IN_SERVICE:
        return None
    if before.status is EndpointStatus.CREATING:
        return "endpoint.in_service", f"it serves {after.config_name}"
    if after.failure_reason:
        return "endpoint.update_failed", after.failure_reason
    if before.config_name not in {"", after.config_name}:
        return "endpoint.switched", f"it serves {after.config_name} now"
    return None


def _change(after: Sight, before: Sight) -> dict[str, Json]:
    """Return what EventBridge tells of a change."""
    change: dict[str, Json] = {
        "status": after.status.value,
        "status_before": before.status.value,
        "config_name": after.config_name,
        "created_at": written(after.created_at),
        "changed_at": written(after.changed_at),
        "variants": [
            {"name": each.name, "weight": each.weight, "instances": each.desired}
            for each in after.parts
        ],
        "tags": {},
    }
    if after.failure_reason:
        change["failure_reason"] = after.failure_reason
    return change
