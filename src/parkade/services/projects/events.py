"""What the history tells of projects: `project.begun`, `project.step`, `project.applied` ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.event import PROJECT, Event
from parkade.domain.project.part import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.domain.errors import Unreadable
    from parkade.domain.event import Json
    from parkade.domain.project.application import Application, Step


def event(
    application: Application,
    verb: str,
    reason: str,
    now: datetime,
    *,
    actor: str = "",
    step: Step | None = None,
) -> Event:
    """Return what happened to an application; of a step, which."""
    data: dict[str, Json] = {
        PROJECT: application.prefix,
        "application": application.id,
        "purpose": application.purpose,
        "status": application.status,
    }
    if step is not None:
        data |= {
            "verb": step.verb,
            "kind": step.kind,
            "name": step.name,
            "outcome": step.outcome,
        }
    return Event(
        at=now,
        kind=f"project.{verb}",
        actor=actor or application.actor,
        reason=reason,
        endpoint_name=step.name if step is not None and step.kind is Kind.ENDPOINT else "",
        owner=application.actor,
        data=data,
    )


def forgotten(application_id: str, error: Unreadable, actor: str, now: datetime) -> Event:
    """Return that an application which cannot be read was forgotten."""
    return Event(
        at=now,
        kind="project.forgotten",
        actor=actor,
        reason=f"{error.message}; what it had begun stays as it is",
        data={"application": application_id},
    )
