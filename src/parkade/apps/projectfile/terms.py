"""What is settled about an endpoint beside its time: keep, maintain, sleep, wake."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from parkade.apps.projectfile.base import Positive, Section
from parkade.domain import schedule
from parkade.domain.errors import InvalidInput

_YEAR = 365 * 24 * 60
_Minutes = Annotated[float, Field(ge=0, le=_YEAR)]
_Windows = Annotated[int, Field(ge=1, le=10_000)]


def require_hours(hours: str) -> None:
    """Raise ValueError for office hours that cannot be read."""
    try:
        schedule.parse(hours)
    except InvalidInput as error:
        raise ValueError("; ".join(filter(None, (error.message, error.hint)))) from error


class Keeping(Section):
    """Extension by use: while requests come, time is added before it runs out."""

    by_minutes: Positive = Field(description="minutes. What is added at a time.")
    when_left_minutes: Positive = Field(description="minutes. It is added when so few are left.")
    at_most_minutes: Positive = Field(
        description="minutes. How far beyond what people paid for it goes."
    )


class Maintaining(Section):
    """The ladder of an idle endpoint; what is left out is the server's."""

    grace_minutes: _Minutes | None = Field(
        default=None, description="minutes. From the start to the first window."
    )
    window_minutes: Annotated[float, Field(ge=1, le=_YEAR)] | None = Field(
        default=None, description="minutes. One window without use."
    )
    notice_after: _Windows | None = Field(
        default=None, description="windows without use until its owner is told; null: never."
    )
    stop_after: _Windows | None = Field(
        default=None, description="windows without use until it is stopped; null: never."
    )
    delete_after_minutes: _Minutes | None = Field(
        default=None, description="minutes. From that stop until its lease goes; null: never."
    )


class Sleeping(Section):
    """After so long without use the endpoint has no workers until it is asked for."""

    after_minutes: Annotated[float, Field(ge=1, le=_YEAR)] = Field(
        description="minutes without use."
    )
    pauses: bool = Field(
        default=False, description="whether the clock of its lease is paused while it sleeps."
    )
    hold_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=0, description="seconds. How long callers are held while it wakes."
    )


class Waking(Section):
    """Requests start it again once its lease has run out: they buy time, up to a limit."""

    minutes: Annotated[float, Field(gt=0, le=_YEAR)] = Field(
        description="minutes. What one wake buys."
    )
    at_most_minutes: Annotated[float, Field(gt=0, le=_YEAR)] = Field(
        description="minutes. What wakes buy together, until a person pays again."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most_minutes < self.minutes:
            raise ValueError(
                f"at_most_minutes {self.at_most_minutes:g} is less than minutes {self.minutes:g}"
            )
        return self
