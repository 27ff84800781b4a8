"""The forms of bookings."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from parkade.apps.api.schemas.form import Form, Minutes, View
from parkade.domain import wallclock
from parkade.domain.errors import InvalidInput
from parkade.domain.event import in_minutes

if TYPE_CHECKING:
    from parkade.domain.terms import Booking


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise InvalidInput(
            f"at {value!r} is not a text", field="at", hint="write 2026-11-23T09:00[Europe/Berlin]"
        )
    return wallclock.moment(value)


#: The rule of instants is the domain's; it raises InvalidInput, which passes through pydantic.
Moment = Annotated[
    datetime,
    PlainValidator(_moment),
    WithJsonSchema({
        "type": "string",
        "description": "An instant with its zone: `2026-11-23T09:00[Europe/Berlin]`, "
        "`2026-11-23T09:00+01:00` or `2026-11-23T08:00Z`.",
    }),
]  # fmt: skip


class BookingForm(Form):
    """Time to begin later."""

    endpoint_name: str = Field(examples=["falcon"])
    config_name: str | None = Field(
        None, description="Left out: what the lease says.", examples=["falcon-config"]
    )
    at: Moment = Field(examples=["2026-11-23T09:00[Europe/Berlin]"])
    minutes: Minutes = Field(examples=[90])
    owner: str | None = Field(
        None, description="Left out: the lease's, or else the caller.", examples=["ann"]
    )


class BookingView(View):
    """Time that is bought to begin later."""

    id: str = Field(examples=["5f0c1a9d2b7e"])
    endpoint_name: str
    config_name: str
    owner: str
    starts_at: datetime = Field(description="By then the endpoint is warm.")
    ends_at: datetime
    minutes: float
    made_at: datetime

    @classmethod
    def of(cls, booking: "Booking") -> "BookingView":
        """Write a booking."""
        return cls(
            id=booking.id,
            endpoint_name=booking.endpoint_name,
            config_name=booking.config_name,
            owner=booking.owner,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            minutes=in_minutes(booking.ends_at - booking.starts_at),
            made_at=booking.made_at,
        )


class BookingList(View):
    """The bookings that are not over."""

    bookings: list[BookingView]
    next: str | None = Field(description="Where the next page begins: give it as `after`.")
    unreadable: dict[str, str] = Field(
        description="Bookings that are damaged and left alone, by id, with the reason."
    )
