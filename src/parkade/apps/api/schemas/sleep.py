"""The forms of sleep and wake."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from parkade.apps.api.schemas.form import Form, Minutes, View
from parkade.apps.api.schemas.money import SumView
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes
from parkade.domain.terms import LONGEST_HOLD, Sleep, Wake

if TYPE_CHECKING:
    from parkade.domain.terms import Terms
    from parkade.services.sleeping import Bed


class SleepTermsView(View):
    """When an endpoint sleeps, and how."""

    after_minutes: float | None = Field(description="Without use; null: when it is told to.")
    pause_clock: bool = Field(description="Whether its lease's clock is paused while it sleeps.")
    hold_seconds: float = Field(
        description="How long callers who say nothing of it are held while it wakes."
    )

    @classmethod
    def of(cls, sleep: "Sleep") -> "SleepTermsView":
        """Write what is settled about sleep."""
        return cls(
            after_minutes=None if sleep.after is None else in_minutes(sleep.after),
            pause_clock=sleep.pauses,
            hold_seconds=sleep.hold.total_seconds(),
        )


class WakeTermsView(View):
    """How requests start an endpoint again whose lease has run out."""

    minutes: float = Field(description="What one wake buys.")
    at_most_minutes: float = Field(
        description="What wakes buy together, until a person pays again."
    )

    @classmethod
    def of(cls, wake: "Wake") -> "WakeTermsView":
        """Write what is settled about wakes."""
        return cls(minutes=in_minutes(wake.minutes), at_most_minutes=in_minutes(wake.at_most))


class SleepView(View):
    """How an endpoint sleeps: what is settled, and what is so now."""

    endpoint_name: str
    sleep: SleepTermsView | None = Field(description="null: it never does by itself.")
    wake: WakeTermsView | None = Field(
        description="null: once its lease has run out, no request starts it."
    )
    woken_minutes: float = Field(
        description="What wakes have bought since the last coin of a person."
    )
    asleep_since: datetime | None = Field(description="null: it is awake, or over.")
    asleep_seconds: float | None
    clock_paused: bool = Field(description="Whether no time of its lease passes now.")
    time_left_seconds: float
    wanted_at: datetime | None = Field(description="When it was asked for; null: it is not.")
    saved: SumView | None = Field(
        description="What its instances would have cost while it has been asleep; null: it is not, "
        "or that cannot be told."
    )

    @classmethod
    def of(cls, bed: "Bed", now: datetime) -> "SleepView":
        """Write how it sleeps."""
        lease = bed.lease
        return cls(
            endpoint_name=lease.endpoint_name,
            sleep=SleepTermsView.of(bed.sleep) if bed.sleep else None,
            wake=WakeTermsView.of(bed.wake) if bed.wake else None,
            woken_minutes=in_minutes(lease.woken),
            asleep_since=lease.asleep_at,
            asleep_seconds=None if bed.asleep_for is None else bed.asleep_for.total_seconds(),
            clock_paused=lease.paused_at is not None,
            time_left_seconds=lease.time_left(now).total_seconds(),
            wanted_at=lease.wanted_at,
            saved=SumView.of(bed.saved) if bed.saved else None,
        )


def _seconds(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(
            f"hold_seconds {value!r} is not a number",
            field="hold_seconds",
            hint="give seconds as a number of 0 or more",
        )
    if not 0 <= value <= LONGEST_HOLD.total_seconds():
        raise InvalidInput(
            f"hold_seconds {value} is not within 0 to {LONGEST_HOLD.total_seconds():g}",
            field="hold_seconds",
        )
    return timedelta(seconds=value)


Seconds = Annotated[
    timedelta,
    PlainValidator(_seconds),
    WithJsonSchema({
        "type": "number", "minimum": 0, "maximum": LONGEST_HOLD.total_seconds(),
        "description": "A number of seconds.",
    }),
]  # fmt: skip


class WakeForm(Form):
    """Requests start it again once its lease has run out."""

    minutes: Minutes = Field(description="What one wake buys.", examples=[15])
    at_most_minutes: Minutes = Field(
        description="What wakes buy together, until a person pays again.", examples=[60]
    )

    def settled(self) -> Wake:
        """Return what was asked for."""
        return Wake(minutes=self.minutes, at_most=self.at_most_minutes)


class SleepForm(Form):
    """What is to be settled: what is left out stays as it is."""

    after_minutes: Minutes | None = Field(
        None, description="Without use; null: it sleeps when it is told to.", examples=[10]
    )
    pause_clock: bool = Field(
        False, description="Whether its lease's clock is paused while it sleeps."
    )
    hold_seconds: Seconds = Field(
        timedelta(0),
        description="How long callers who say nothing of it are held while it wakes.",
        examples=[20],
    )
    wake: WakeForm | None = Field(
        None, description="null: once its lease has run out, no request starts it."
    )

    def settle(self, terms: "Terms") -> "Terms":
        """Return the terms as they are to be."""
        given = self.model_fields_set
        if given - {"wake"}:
            sleep = terms.sleep or Sleep(after=None)
            if "after_minutes" in given:
                sleep = replace(sleep, after=self.after_minutes)
            if "pause_clock" in given:
                sleep = replace(sleep, pauses=self.pause_clock)
            if "hold_seconds" in given:
                sleep = replace(sleep, hold=self.hold_seconds)
            terms = replace(terms, sleep=sleep)
        if "wake" in given:
            terms = replace(terms, wake=self.wake.settled() if self.wake else None)
        return terms
