"""The forms of terms: what is settled about a leased endpoint."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from parkade.apps.api.schemas.form import Form, Minutes, View
from parkade.apps.api.schemas.sleep import SleepTermsView, WakeTermsView
from parkade.apps.api.schemas.upkeep import RulesView
from parkade.domain import schedule
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes
from parkade.domain.terms import Keep

if TYPE_CHECKING:
    from parkade.domain.terms import Terms


class KeepView(View):
    """Extension by use."""

    by_minutes: float
    when_left_minutes: float
    at_most_minutes: float

    @classmethod
    def of(cls, keep: Keep) -> "KeepView":
        """Write what use extends by."""
        return cls(
            by_minutes=in_minutes(keep.by),
            when_left_minutes=in_minutes(keep.when_left),
            at_most_minutes=in_minutes(keep.at_most),
        )


class ScheduleView(View):
    """Office hours."""

    hours: str = Field(examples=["mon-fri 09:00-17:00 Europe/Berlin"])
    open_until: datetime | None = Field(description="When it closes; null: it is closed.")
    opens_at: datetime | None = Field(
        description="When it opens next; null: not within two weeks, or it cannot be read."
    )
    problem: str = Field(description="Why the hours cannot be read any more; usually empty.")

    @classmethod
    def of(cls, hours: str, now: datetime) -> "ScheduleView":
        """Write office hours as of `now`."""
        try:
            parsed = schedule.parse(hours)
        except InvalidInput as error:
            return cls(hours=hours, open_until=None, opens_at=None, problem=error.message)
        opened, following = parsed.open_at(now), parsed.next_after(now)
        return cls(
            hours=hours,
            open_until=opened.closes_at if opened else None,
            opens_at=following.opens_at if following else None,
            problem="",
        )


class TermsView(View):
    """What is settled about a leased endpoint; null: nothing of the kind."""

    endpoint_name: str
    maintain: bool | None = Field(description="Whether the maintainer watches it; null: tags say.")
    idle: RulesView | None = Field(description="Its own ladder.")
    keep: KeepView | None
    schedule: ScheduleView | None
    sleep: SleepTermsView | None
    wake: WakeTermsView | None
    version: int = Field(description="Counts the changes; 0: nothing was ever settled.")

    @classmethod
    def of(cls, terms: "Terms", now: datetime) -> "TermsView":
        """Write terms."""
        return cls(
            endpoint_name=terms.endpoint_name,
            maintain=terms.maintain,
            idle=RulesView.of(terms.idle) if terms.idle else None,
            keep=KeepView.of(terms.keep) if terms.keep else None,
            schedule=ScheduleView.of(terms.schedule, now) if terms.schedule else None,
            sleep=SleepTermsView.of(terms.sleep) if terms.sleep else None,
            wake=WakeTermsView.of(terms.wake) if terms.wake else None,
            version=terms.version,
        )


class KeepForm(Form):
    """Extension by use."""

    by_minutes: Minutes = Field(description="Added at a time.", examples=[15])
    when_left_minutes: Minutes = Field(
        description="It is added when so little is left, and the endpoint was used within the "
        "same time.",
        examples=[5],
    )
    at_most_minutes: Minutes = Field(
        description="How far beyond what people paid for it goes; the server's "
        "keep.at_most_minutes bounds it.",
        examples=[120],
    )

    def settled(self) -> Keep:
        """Return what was asked for."""
        return Keep(
            by=self.by_minutes, when_left=self.when_left_minutes, at_most=self.at_most_minutes
        )


class TermsForm(Form):
    """What is to be settled: what is left out stays, null settles nothing of the kind any more."""

    keep: KeepForm | None = None
    schedule: str | None = Field(
        None, description="Office hours.", examples=["mon-fri 09:00-17:00 Europe/Berlin"]
    )

    @field_validator("schedule")
    @classmethod
    def _readable(cls, hours: str | None) -> str | None:
        return None if hours is None else str(schedule.parse(hours))

    def settle(self, terms: "Terms") -> "Terms":
        """Return the terms as they are to be."""
        if "keep" in self.model_fields_set:
            terms = replace(terms, keep=self.keep.settled() if self.keep else None)
        if "schedule" in self.model_fields_set:
            terms = replace(terms, schedule=self.schedule or "")
        return terms
