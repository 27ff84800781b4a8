"""The form of alarms."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.domain.alarm import Alarm, State
from parkade.domain.alarmshapes import series_of
from parkade.services.alarms import Subject, endpoint_of, subjects, words


class SubjectView(View):
    """A variant or an inference component that an alarm is on, by the dimensions of a series."""

    endpoint_name: str = Field(examples=["text"])
    variant_name: str = Field(examples=["main"])
    component_name: str

    @classmethod
    def of(cls, subject: Subject) -> "SubjectView":
        """Write what an alarm is on."""
        return cls(
            endpoint_name=subject.endpoint_name,
            variant_name=subject.variant_name,
            component_name=subject.component_name,
        )


class AlarmView(View):
    """An alarm and its state."""

    name: str = Field(examples=["text-errors"])
    description: str
    state: State
    since: datetime = Field(description="Since when it is in this state.")
    reason: str = Field(description="Why it is.")
    watches: str = Field(
        description="What it compares with what.",
        examples=["Sum of AWS/SageMaker Invocations greater than 5 for 1 of 1 periods of 60 s"],
    )
    endpoint_name: str = Field(description="The endpoint that it is on; empty: none, or several.")
    series: list[str] = Field(description="The series that it is made of.")
    subjects: list[SubjectView] = Field(
        description="The variants and inference components that it is on, there or not."
    )
    actions: list[str] = Field(description="The topics that are told of its present state.")
    actions_enabled: bool
    own: bool = Field(
        description="Whether Parkade makes, changes and removes it by itself: the view of an "
        "endpoint that the maintainer watches."
    )
    trouble: str = Field(description="Why it could not be evaluated; empty: it was.")

    @classmethod
    def of(cls, alarm: Alarm, trouble: str) -> "AlarmView":
        """Write an alarm."""
        return cls(
            name=alarm.name,
            description=alarm.description,
            state=alarm.standing.state,
            since=alarm.standing.changed_at,
            reason=alarm.standing.reason,
            watches=words(alarm),
            endpoint_name=endpoint_of(alarm),
            series=[str(each) for each in series_of(alarm)],
            subjects=[SubjectView.of(each) for each in subjects(alarm)],
            actions=list(alarm.actions),
            actions_enabled=alarm.actions_enabled,
            own=alarm.own,
            trouble=trouble,
        )


class AlarmList(View):
    """Alarms in the order of their names."""

    alarms: list[AlarmView]
    unreadable: dict[str, str] = Field(
        description="Why others cannot be read, by name: these are left alone."
    )
    next: str | None = Field(description="The `after` of the next page; null: there is none.")
