"""The forms of projects: how they differ from what is there, and how they stand."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator

from parkade.apps.api.schemas.applications import KEY, KIND, NAME, ApplicationView
from parkade.apps.api.schemas.endpoints import EndpointView
from parkade.apps.api.schemas.form import View
from parkade.apps.api.schemas.money import SumView
from parkade.apps.projectfile import document
from parkade.apps.projectfile.document import Document
from parkade.domain.project import difference as differing
from parkade.domain.project.difference import Verb
from parkade.domain.project.part import Kind

if TYPE_CHECKING:
    from parkade.domain.price import Sum
    from parkade.domain.project.application import Application
    from parkade.domain.project.difference import Change, Difference, Problem
    from parkade.domain.project.part import Part
    from parkade.domain.project.record import Record
    from parkade.services.projects.keeper import Condition

#: Read by the rules of the file itself, which say what is wrong in its words.
DocumentForm = Annotated[Document, PlainValidator(document.read, json_schema_input_type=Document)]
_NEXT = Field(description="Where the next page begins: give it as `after`.")


class FieldView(View):
    """One member of a part that is to change."""

    path: str = Field(examples=["productionVariants[Model-A].InitialVariantWeight"])
    before: Any = Field(description="null: there is none.")
    after: Any = Field(description="null: there is none.")
    hidden: bool = Field(description="It holds a secret: neither value is told.")

    @classmethod
    def of(cls, field: differing.Field) -> "FieldView":
        """Write a member; what is secret stays so, whoever made the difference."""
        return cls(
            path=field.path,
            before=None if field.hidden else field.before,
            after=None if field.hidden else field.after,
            hidden=field.hidden,
        )


class ChangeView(View):
    """What is to be done about one part."""

    verb: Verb
    kind: Kind = KIND
    name: str = NAME
    key: str = KEY
    fields: list[FieldView] = Field(
        description="What changes of it; of one that is replaced, how the new one differs."
    )
    formers: list[str] = Field(description="Of one that is replaced: the names that go.")
    monthly_before: SumView | None = Field(
        description="What a month of it costs now, while it runs; null: it is not there."
    )
    monthly_after: SumView | None = Field(description="And then; null: it is not there then.")
    reason: str = Field(description="Why, where it is not that the file says so; else empty.")

    @classmethod
    def of(cls, change: "Change") -> "ChangeView":
        """Write a change."""
        return cls(
            verb=change.verb,
            kind=change.kind,
            name=change.name,
            key=change.key,
            fields=[FieldView.of(each) for each in change.fields],
            formers=list(change.formers),
            monthly_before=_sum(change.monthly_before),
            monthly_after=_sum(change.monthly_after),
            reason=change.reason,
        )


class PlanProblemView(View):
    """Why the project would not be applied, and what to do."""

    message: str
    hint: str
    kind: Kind | None = Field(description="What the part is; null: it is about all of it.")
    name: str = Field(description="The part; empty: it is about all of it.")
    field: str = Field(description="The member that cannot be used; may be empty.")

    @classmethod
    def of(cls, problem: "Problem") -> "PlanProblemView":
        """Write a problem."""
        return cls(
            message=problem.message,
            hint=problem.hint,
            kind=problem.kind,
            name=problem.name,
            field=problem.field,
        )


class DifferenceView(View):
    """What applying a project, or destroying it, would do."""

    project: str = Field(description="The project's prefix.", examples=["TextDemo"])
    plan_id: str = Field(
        description="Names the changes: with `plan` and another one, nothing is applied."
    )
    changes: list[ChangeView] = Field(description="In the order in which they are made.")
    problems: list[PlanProblemView] = Field(
        description="Why it would be refused; empty: nothing is known to be wrong."
    )
    monthly_before: SumView = Field(description="What a month of all of it costs now.")
    monthly_after: SumView = Field(description="And then, while all of it runs.")
    stays: list[str] = Field(description="What a removal leaves where it is.")
    unchanged: int = Field(description="Parts of which nothing changes.")

    @classmethod
    def of(cls, told: "Difference") -> "DifferenceView":
        """Write a difference."""
        return cls(
            project=told.prefix,
            plan_id=told.plan_id,
            changes=[ChangeView.of(each) for each in told.changes],
            problems=[PlanProblemView.of(each) for each in told.problems],
            monthly_before=SumView.of(told.monthly_before),
            monthly_after=SumView.of(told.monthly_after),
            stays=list(told.stays),
            unchanged=len(told.unchanged),
        )


class ProjectView(View):
    """A project on this server."""

    prefix: str = Field(description="What the names of its parts begin with.")
    name: str
    stage: str = Field(description="Empty: it has none.")
    parts: int = Field(description="Parts that it has made.")
    application: ApplicationView | None = Field(
        description="The last one; null: it cannot be read any more."
    )
    applied_at: datetime | None = Field(
        description="When all of it was last as its document says; null: not yet."
    )
    destroying: bool = Field(description="Whether it is being removed.")
    can_roll_back: bool = Field(description="Whether there is a document before to go back to.")

    @classmethod
    def of(cls, facts: "Facts", now: datetime) -> "ProjectView":
        """Write a project as of `now`."""
        return cls(**_fields(facts, now))


class WholeProjectView(ProjectView):
    """A project with its document."""

    document: dict[str, Any] | None = Field(
        description="What is wanted; it can be sent again. Secrets are references in it. null: it "
        "is being removed."
    )

    @classmethod
    def of(cls, facts: "Facts", now: datetime) -> "WholeProjectView":
        """Write a project as of `now`."""
        wanted = facts.record.wanted
        return cls(
            **_fields(facts, now), document=dict(wanted.document) if wanted is not None else None
        )


class ProjectList(View):
    """One page of projects."""

    projects: list[ProjectView]
    next: str | None = _NEXT
    unreadable: dict[str, str] = Field(
        description="Projects that are damaged and left alone, by prefix, with the reason."
    )


class PartView(View):
    """A part of a project, and how it stands."""

    kind: Kind = KIND
    name: str = NAME
    key: str = KEY
    state: str = Field(
        description="One word, as parts of its kind have it.", examples=["running", "OK", "missing"]
    )
    text: str = Field(description="What there is to say about it; may be empty.")
    troubled: bool = Field(description="Whether somebody should look at it.")
    used_by: list[str] = Field(description="model: the endpoints of the project that serve it.")
    endpoint: EndpointView | None = Field(
        description="endpoint: all that is known of it; null: it is not there."
    )

    @classmethod
    def of(
        cls,
        part: "Part",
        condition: "Condition",
        *,
        used_by: list[str],
        endpoint: EndpointView | None,
    ) -> "PartView":
        """Write a part."""
        return cls(
            kind=part.kind,
            name=part.name,
            key=part.key,
            state=condition.state,
            text=condition.text,
            troubled=condition.troubled,
            used_by=used_by,
            endpoint=endpoint,
        )


class StatusView(View):
    """How every part of a project stands."""

    project: ProjectView
    parts: list[PartView] = Field(description="In the order in which they are made.")
    hourly: SumView = Field(description="What an hour of what runs of it now costs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A project, with what is not its own."""

    record: "Record"
    application: "Application | None"


def _fields(facts: Facts, now: datetime) -> dict[str, Any]:
    record, last = facts.record, facts.application
    return {
        "prefix": record.prefix,
        "name": record.name,
        "stage": record.stage,
        "parts": len(record.made),
        "application": ApplicationView.of(last, now) if last is not None else None,
        "applied_at": record.applied_at,
        "destroying": record.wanted is None,
        "can_roll_back": record.before is not None,
    }


def _sum(amount: "Sum | None") -> SumView | None:
    return None if amount is None else SumView.of(amount)
