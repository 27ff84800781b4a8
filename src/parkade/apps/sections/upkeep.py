"""`maintain`, `keep`: what the meter does by itself about leased and watched endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from parkade.apps import habits
from parkade.apps.sections.base import Section
from parkade.domain.idle import LONGEST, MOST_WINDOWS, IdleRules

#: The longest of all timers.
_MINUTES = LONGEST / timedelta(minutes=1)
#: What AWS allows in a tag.
_TAG = r"^[\w .:/=+\-@]*$"


class Maintain(Section):
    """The maintainer: what becomes of endpoints that nobody uses."""

    watch: Literal["tagged", "all", "none"] = Field(
        default="tagged",
        description="which endpoints the maintainer watches: those that opted in, by tag or by "
        "`parkade maintain`; `all`, which nobody can opt out of, and whose timers nobody can make "
        "longer than these; or `none`.",
    )
    tag_key: Annotated[str, Field(min_length=1, max_length=100, pattern=_TAG)] = Field(
        default="auto-maintain",
        description="key of the tag that opts an endpoint in. Tags KEY.grace, KEY.window, "
        "KEY.notice-after, KEY.stop-after and KEY.delete-after set its own timers.",
    )
    tag_value: Annotated[str, Field(max_length=256, pattern=_TAG)] = Field(
        default="true", description="value of that tag."
    )
    grace_minutes: Annotated[float, Field(ge=0, le=_MINUTES)] = Field(
        default=5, description="minutes from InService to the first window."
    )
    window_minutes: Annotated[float, Field(ge=1, le=_MINUTES)] = Field(
        default=5,
        description="minutes. Length of a window; invocations are counted by the minute.",
    )
    notice_after: Annotated[int, Field(ge=1, le=MOST_WINDOWS)] | None = Field(
        default=2,
        description="windows without use after which the owner is told; null: not at all.",
    )
    stop_after: Annotated[int, Field(ge=1, le=MOST_WINDOWS)] | None = Field(
        default=3,
        description="windows without use after which the endpoint is stopped; null: never.",
    )
    delete_after_hours: Annotated[float, Field(ge=0, le=_MINUTES / 60)] | None = Field(
        default=None,
        description="hours from a stop for idleness to the removal of the lease; null: it stays, "
        "and a coin starts the endpoint again.",
    )
    snooze_minutes: Annotated[float, Field(gt=0, le=_MINUTES)] = Field(
        default=60, description="minutes. How long `parkade snooze` postpones, if it names none."
    )
    undo_days: Annotated[float, Field(gt=0, le=LONGEST.days)] = Field(
        default=7, description="days. How long what was stopped or deleted can be restored."
    )

    def rules(self) -> IdleRules:
        """Return the ladder of endpoints that have none of their own."""
        return habits.idle_rules(self)


class Keep(Section):
    """Extension by use."""

    at_most_minutes: Annotated[float, Field(gt=0)] = Field(
        default=480,
        description="minutes beyond what people paid for, to which use extends a lease at most, "
        "whatever its terms say.",
    )
    lead_seconds: Annotated[float, Field(ge=0)] = Field(
        default=30,
        description="seconds. Added to the measured time of starts, to be warm by the beginning of "
        "office hours and bookings.",
    )
    first_lead_seconds: Annotated[float, Field(ge=0)] = Field(
        default=120,
        description="seconds. The lead of an endpoint config that was never started before.",
    )
