"""Bookings, time that is bought to begin later: `/v1/bookings`."""

from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, Operator, may_see
from parkade.apps.api.errors import respelt
from parkade.apps.api.keys import IdempotencyKey
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.bookings import BookingForm, BookingList, BookingView
from parkade.domain.event import written
from parkade.domain.token import Role

routes = router("Bookings", "/v1/bookings")

_SPELLINGS = {"EndpointName": "endpoint_name"}


@routes.get("")
async def list_bookings(
    services: Both,
    caller: Invoker,
    limit: Limit = 100,
    after: After = "",
    endpoint: Annotated[str | None, Query(description="Only bookings of this endpoint.")] = None,
) -> BookingList:
    """List the bookings that are not over, in the order of their beginning.

    An invoker sees those of the endpoints it may invoke.
    """
    listing = services.upkeep.bookings.all()
    seen = [
        each
        for each in listing.records
        if may_see(caller, each.endpoint_name) and endpoint in {None, each.endpoint_name}
    ]
    found, following = page(
        seen, lambda each: f"{written(each.starts_at)}/{each.id}", limit=limit, after=after
    )
    return BookingList(
        bookings=[BookingView.of(each) for each in found],
        next=following,
        unreadable=dict(listing.unreadable) if caller.role.includes(Role.OPERATOR) else {},
    )


@routes.post("", status_code=201)
async def add_booking(
    services: Both, caller: Operator, form: BookingForm, key: IdempotencyKey = None
) -> BookingView:
    """Book time: the endpoint is started so early that it is warm when it begins.

    What it costs is reserved in the owner's budget now. Where the endpoint has no lease then, the
    booking makes it. 409 where it runs, or is booked to run, another config at that time.
    """
    with respelt(_SPELLINGS):
        booking = services.upkeep.bookings.add(
            form.endpoint_name,
            config_name=form.config_name,
            starts_at=form.at,
            amount=form.minutes,
            owner=form.owner,
            actor=caller.name,
            key=key,
        )
    return BookingView.of(booking)


@routes.delete("/{booking_id}", status_code=204)
async def remove_booking(services: Both, caller: Operator, booking_id: str) -> None:
    """Give a booking back, all of it. 409 once it has begun: end the lease then."""
    services.upkeep.bookings.remove(booking_id, actor=caller.name)
