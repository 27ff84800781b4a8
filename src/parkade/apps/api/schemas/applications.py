"""The forms of applications: what is done about each part of a project, and how far that has come."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.deployments import RetryView
from parkade.apps.api.schemas.form import View
from parkade.domain.deploy.steps import Outcome
from parkade.domain.project.application import Purpose, Status
from parkade.domain.project.difference import Verb
from parkade.domain.project.part import Kind

if TYPE_CHECKING:
    from parkade.domain.project.application import Application, Step

KIND = Field(description="What the part is.", examples=["endpoint"])
NAME = Field(
    description="What the part is called where it runs.", examples=["TextDemo-TextClassification"]
)
KEY = Field(description="What it is called in the file.", examples=["TextClassification"])


class PartStepView(View):
    """What is done about one part."""

    verb: Verb
    kind: Kind = KIND
    name: str = NAME
    key: str = KEY
    started_at: datetime | None = Field(description="null: it is not begun.")
    ended_at: datetime | None = Field(description="null: it is not begun, or under way.")
    outcome: Outcome | None = Field(description="null: it is not begun, or under way.")
    text: str = Field(description="What came of it, or what it waits for.")
    retries: list[RetryView] = Field(description="Temporary errors that it met.")

    @classmethod
    def of(cls, step: "Step") -> "PartStepView":
        """Write a step."""
        return cls(
            verb=step.verb,
            kind=step.kind,
            name=step.name,
            key=step.key,
            started_at=step.started_at,
            ended_at=step.ended_at,
            outcome=step.outcome,
            text=step.text,
            retries=[RetryView.of(each) for each in step.retries],
        )


class ApplicationView(View):
    """One application of a project."""

    id: str = Field(examples=["5f0c1a9d2b7e"])
    project: str = Field(description="The project's prefix.", examples=["TextDemo"])
    purpose: Purpose
    status: Status
    reason: str = Field(description="Why it failed or was cancelled; else empty.")
    actor: str = Field(description="Who asked for it.")
    cancelled_by: str = Field(description="Who called it off; empty: nobody.")
    plan_id: str = Field(description="The difference that it carries out.")
    begun_at: datetime
    ended_at: datetime | None
    took_seconds: float = Field(description="So far, or until it ended.")
    steps: list[PartStepView] = Field(
        description="What is done about each part, in the order in which it is begun."
    )
    stays: list[str] = Field(
        description="What a removal leaves where it is, such as captured data."
    )
    version: int = Field(description="Counts the changes.")

    @classmethod
    def of(cls, told: "Application", now: datetime) -> "ApplicationView":
        """Write an application as of `now`."""
        return cls(
            id=told.id,
            project=told.prefix,
            purpose=told.purpose,
            status=told.status,
            reason=told.reason,
            actor=told.actor,
            cancelled_by=told.cancelled_by,
            plan_id=told.plan_id,
            begun_at=told.begun_at,
            ended_at=told.ended_at,
            took_seconds=((told.ended_at or now) - told.begun_at).total_seconds(),
            steps=[PartStepView.of(each) for each in told.steps],
            stays=list(told.stays),
            version=told.version,
        )


class ApplicationList(View):
    """One page of a project's applications, the newest first."""

    applications: list[ApplicationView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Applications that are damaged and left alone, by id, with the reason."
    )
