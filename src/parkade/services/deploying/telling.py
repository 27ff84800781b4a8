"""NOTIFY: whoever has the endpoint is told how its deployment ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.actions import NoticeKind
from parkade.domain.deploy.deployment import Status
from parkade.domain.deploy.steps import BACKWARD, Outcome, failed
from parkade.ports.events import EventQuery
from parkade.ports.notices import Notice
from parkade.services.deploying.results import Ended

if TYPE_CHECKING:
    from parkade.domain.deploy.deployment import Deployment
    from parkade.services.deploying.desk import Desk

_KIND = f"notice.{NoticeKind.DEPLOYMENT}"


def notify(deployment: Deployment, desk: Desk) -> Ended:
    """Tell it, unless it was told before control went."""
    text = told(deployment)
    step = deployment.steps[-1]
    query = EventQuery(
        endpoint_name=deployment.endpoint_name, kinds=(_KIND,), since=step.started_at, limit=100
    )
    if not any(event.reason == text for event in desk.history.latest(query)):
        desk.notices.tell(
            Notice(
                at=desk.now(),
                kind=NoticeKind.DEPLOYMENT,
                endpoint_name=deployment.endpoint_name,
                owner=deployment.owner,
                text=text,
            )
        )
    return Ended(deployment=deployment, text=text)


def ending(deployment: Deployment) -> Status:
    """Return how it ends, by its steps."""
    if failed(deployment.steps) is None:
        return Status.SUCCEEDED
    return Status.CANCELLED if deployment.cancelled_by else Status.FAILED


def told(deployment: Deployment) -> str:
    """Say how it ended."""
    name, status = deployment.endpoint_name, ending(deployment)
    if status is Status.SUCCEEDED:
        return f"deployment {deployment.id} of {name} succeeded: {deployment.config_name} serves"
    undone = [step for step in deployment.steps if step.kind in BACKWARD]
    after = "".join(f"; {step.text}" for step in undone if step.outcome is not Outcome.SKIPPED)
    return f"deployment {deployment.id} of {name} {status}: {deployment.reason}{after}"
