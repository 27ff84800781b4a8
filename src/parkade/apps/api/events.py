"""The history, as a list and as a stream: `/v1/events`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from fastapi import Header, Query, Request
from pydantic import AfterValidator, AwareDatetime
from starlette.responses import StreamingResponse

from parkade.apps.api.auth import Operator, still_admitted
from parkade.apps.api.paging import Limit
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.events import EnvelopeList, EnvelopeView, EventList, EventView
from parkade.domain.token import Role
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from parkade.apps.assembly import Shared
    from parkade.domain.event import Event

routes = router("Events", "/v1/events")

#: seconds. A comment is sent after this long without an event, so that nobody takes the
#: connection for a dead one.
HEARTBEAT = 15.0
#: How many events are read from the history at once.
_BATCH = 500

#: Numbers of events are 64-bit.
_MOST = 2**63 - 1


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is out of the range of dates") from error


Endpoint = Annotated[str | None, Query(description="Only events of this endpoint.")]
Kinds = Annotated[
    list[str],
    Query(
        description="Only events of this kind, `lease.extended`, or of a noun, `lease.`; "
        "repeat it for several."
    ),
]
Owners = Annotated[
    list[str],
    Query(description="Only events of endpoints whose lease this owner had; repeatable."),
]
Number = Annotated[int, Query(ge=0, le=_MOST, description="Only events with a higher number.")]
Instant = Annotated[
    Annotated[AwareDatetime, AfterValidator(_in_utc)] | None,
    Query(description="Not before this instant, ISO 8601 with its zone."),
]


class Order(StrEnum):
    """Which events, where there are more than `limit`."""

    LATEST = "latest"
    OLDEST = "oldest"


class Shape(StrEnum):
    """The form in which events are told."""

    PARKADE = "parkade"
    EVENTBRIDGE = "eventbridge"


Shaped = Annotated[Shape, Query(description="Parkade's own form, or Amazon EventBridge's.")]


@routes.get("")
async def list_events(
    services: Both,
    _caller: Operator,
    endpoint: Endpoint = None,
    kind: Kinds = [],  # noqa: B006  FastAPI copies it
    owner: Owners = [],  # noqa: B006
    after: Number = 0,
    since: Instant = None,
    limit: Limit = 100,
    order: Annotated[Order, Query(description="The newest matches, or the oldest.")] = Order.LATEST,
    shape: Shaped = Shape.PARKADE,
) -> EventList | EnvelopeList:
    """List events in the order of their numbers.

    To read everything, ask for the oldest and go on `after` the last number.
    """
    query = EventQuery(
        endpoint_name=endpoint,
        kinds=tuple(kind),
        owners=tuple(owner),
        after=after,
        since=since,
        limit=limit,
    )
    read = services.history.latest if order is Order.LATEST else services.history.read
    if shape is Shape.EVENTBRIDGE:
        envelope = services.envelope
        return EnvelopeList(events=[EnvelopeView.of(envelope(each)) for each in read(query)])
    return EventList(events=[EventView.of(each) for each in read(query)])


@routes.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The stream."}},
)
async def stream_events(
    services: Both,
    request: Request,
    _caller: Operator,
    endpoint: Endpoint = None,
    kind: Kinds = [],  # noqa: B006  FastAPI copies it
    owner: Owners = [],  # noqa: B006
    shape: Shaped = Shape.PARKADE,
    after: Annotated[
        int | None,
        Query(ge=0, le=_MOST, description="Begin after this number; left out: with new events."),
    ] = None,
    last_event_id: Annotated[
        int | None,
        Header(alias="Last-Event-ID", ge=0, le=_MOST, description="As `after`; goes before it."),
    ] = None,
) -> StreamingResponse:
    """Send events as they happen, as server-sent events.

    The id of each is its number, so that a client that comes back misses none.
    """
    begin = last_event_id if last_event_id is not None else after
    query = EventQuery(
        endpoint_name=endpoint,
        kinds=tuple(kind),
        owners=tuple(owner),
        after=_newest(services) if begin is None else begin,
        limit=_BATCH,
    )
    return StreamingResponse(
        _events(services, query, shape, still_admitted(services, request, Role.OPERATOR)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def _newest(services: "Shared") -> int:
    newest = services.history.latest(EventQuery(limit=1))
    return newest[-1].number if newest else 0


def _told(services: "Shared", event: "Event", shape: Shape) -> EventView | EnvelopeView:
    if shape is Shape.EVENTBRIDGE:
        return EnvelopeView.of(services.envelope(event))
    return EventView.of(event)


async def _events(
    services: "Shared", query: EventQuery, shape: Shape, admitted: Callable[[], bool]
) -> AsyncIterator[str]:
    now = asyncio.get_running_loop().time
    yield ": events follow\n\n"
    told_at = now()
    while admitted():
        seen = services.broadcast.number
        events = services.history.read(query)
        for event in events:
            text = _told(services, event, shape).model_dump_json()
            yield f"id: {event.number}\nevent: {event.kind}\ndata: {text}\n\n"
        if events:
            query = replace(query, after=events[-1].number)
            told_at = now()
            continue
        left = told_at + HEARTBEAT - now()
        if left <= 0:
            yield ": nothing new\n\n"
            told_at = now()
        else:
            await services.broadcast.wait(seen, left)
