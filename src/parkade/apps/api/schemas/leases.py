"""The forms of leases."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from parkade.apps.api.schemas.form import Form, Minutes, View
from parkade.apps.api.schemas.money import QuoteView
from parkade.domain import wallclock
from parkade.domain.errors import InvalidInput
from parkade.domain.lease import rebased
from parkade.domain.standing import State, standing, unlimited, unmeasured

if TYPE_CHECKING:
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.lease import Lease
    from parkade.domain.standing import Expected, Refusal
    from parkade.domain.terms import Terms


def _until(value: object) -> datetime:
    if not isinstance(value, str):
        raise InvalidInput(
            f"expires_at {value!r} is not a text",
            field="expires_at",
            hint="write 2026-11-23T09:00Z",
        )
    return wallclock.moment(value, field="expires_at")


#: The rule of instants is the domain's; it raises InvalidInput, which passes through pydantic.
Until = Annotated[
    datetime,
    PlainValidator(_until),
    WithJsonSchema({"type": "string", "description": "An instant with its zone."}),
]

#: While an endpoint starts: when it will answer.
EXPECTED_AT = Field(
    description="While it starts: when it will answer, by how long its config took to start "
    "before; null: that is not known, or it takes longer than it used to."
)
EXPECTED_IN = Field(description="So many seconds are left until expected_at.")


def seconds_to(instant: datetime | None, now: datetime) -> float | None:
    """Return how many seconds there are from now to an instant, if there is one."""
    return None if instant is None else (instant - now).total_seconds()


class LeaseView(View):
    """A lease, with how its endpoint stands."""

    endpoint_name: str = Field(examples=["falcon"])
    config_name: str = Field(examples=["falcon-config"])
    owner: str = Field(description="Who bought it.", examples=["ann"])
    created_at: datetime
    expires_at: datetime
    paid_until: datetime = Field(
        description="The expiry by people's coins and bookings: earlier than expires_at where "
        "office hours or use have added to it."
    )
    time_left_seconds: float = Field(description="0 once it is over, never negative.")
    ended: str | None = Field(
        description="Why it was closed: expired, stopped, idle, budget or failed."
    )
    ended_at: datetime | None
    state: State
    reason: str = Field(examples=["running"])
    wakes: bool = Field(description="Whether a request starts it: it is asleep, or may be woken.")
    asleep_since: datetime | None = Field(description="Since when it sleeps; null: it does not.")
    clock_paused: bool = Field(
        description="Whether its clock is paused: then expires_at is as if it went on now."
    )
    hint: str = Field(description="What to do about it; may be empty.")
    expected_at: datetime | None = EXPECTED_AT
    expected_in_seconds: float | None = EXPECTED_IN
    retries: int = Field(description="Recreations of a failed endpoint since the last coin.")
    failure: str
    version: int = Field(description="Counts the changes.")
    price: QuoteView | None = Field(
        default=None,
        description="What was just paid, where something was; null: it cannot be told.",
    )

    @classmethod
    def of(
        cls,
        lease: "Lease",
        seen: "ObservedEndpoint | None",
        now: datetime,
        *,
        expected: "Expected" = unmeasured,
        terms: "Terms | None" = None,
        refusal: "Refusal" = unlimited,
    ) -> "LeaseView":
        """Write a lease as of `now`, with its endpoint as hosting sees it."""
        stands = standing(lease, seen, now, expected=expected, terms=terms, refusal=refusal)
        at_present = rebased(lease, now)
        return cls(
            endpoint_name=lease.endpoint_name,
            config_name=lease.config_name,
            owner=lease.owner,
            created_at=lease.created_at,
            expires_at=at_present.expires_at,
            paid_until=at_present.bought_until,
            time_left_seconds=lease.time_left(now).total_seconds(),
            ended=lease.ended,
            ended_at=lease.ended_at,
            state=stands.state,
            reason=stands.reason,
            wakes=stands.wakes,
            asleep_since=lease.asleep_at,
            clock_paused=lease.paused_at is not None,
            hint=stands.hint,
            expected_at=stands.expected_at,
            expected_in_seconds=seconds_to(stands.expected_at, now),
            retries=lease.retries,
            failure=lease.failure,
            version=lease.version,
        )


class LeaseList(View):
    """One page of leases."""

    leases: list[LeaseView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Endpoints whose lease is damaged and left alone, with the reason."
    )


class AddForm(Form):
    """A new lease."""

    config_name: str = Field(examples=["falcon-config"])
    minutes: Minutes | None = Field(
        None, description="Left out: initial_provision_minutes of the server.", examples=[30]
    )
    expires_at: Until | None = Field(
        None,
        description="In place of minutes: it runs until then, and is over where that is past. For "
        "leases that were bought elsewhere.",
        examples=[None],
    )
    owner: str | None = Field(None, description="Left out: the caller.", examples=["ann"])
    tags: dict[str, str] = Field(
        {}, description="Tags that the endpoint has from the beginning.", examples=[{}]
    )

    def paid(self) -> timedelta | datetime | None:
        """Return for how long it is to run, or until when. Raises InvalidInput for both."""
        if self.minutes is not None and self.expires_at is not None:
            raise InvalidInput(
                "minutes and expires_at are both given",
                field="expires_at",
                hint="leave one of them out",
            )
        return self.expires_at or self.minutes


class ExtendForm(Form):
    """More minutes."""

    minutes: Minutes = Field(examples=[10])


class StartForm(Form):
    """Minutes for an endpoint that is over."""

    minutes: Minutes | None = Field(
        None, description="Left out: initial_provision_minutes of the server.", examples=[30]
    )
