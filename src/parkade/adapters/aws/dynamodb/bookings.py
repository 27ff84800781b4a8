"""Bookings: an item each, and for each endpoint one that names the bookings that it has.

    "booking"   b-1      the booking
    "booked"    falcon   ids=["b-1", "b-2"]

Whoever adds a booking has looked at the others of the endpoint: the item that names them is written
on condition that it names just those, so that none can come or go unseen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb import purses
from parkade.adapters.aws.dynamodb.attempts import contended
from parkade.adapters.aws.dynamodb.changes import absent, equal
from parkade.adapters.aws.dynamodb.kind import NEW, THERE, Kind
from parkade.adapters.documents import columns
from parkade.domain.errors import NotFound, Unreadable, VersionConflict
from parkade.domain.terms import Booking
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.budgets import Purse

_BOOKED = "booked"


class DynamoBookingStore:
    """The booking store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "booking", Booking, "booking")
        self._table = history.table

    def all(self) -> Listing[Booking]:
        """Return every booking in the order of their beginning, those apart that are damaged."""
        found = self._kind.listing()
        return Listing(tuple(sorted(found.records, key=_place)), found.unreadable)

    def add(
        self,
        booking: Booking,
        event: Event,
        *,
        beside: frozenset[str],
        purse: Purse | None = None,
    ) -> None:
        """Store the booking and its event, and pay, in one transaction."""
        name = booking.endpoint_name
        changes = [
            self._named(name, beside, {*beside, booking.id}),
            self._kind.put(
                booking.id, booking, where=NEW, lost=lambda _: _changed(name), endpoint_name=name
            ),
        ]
        if purse is not None:
            changes.append(purses.spend(self._table, purse))
        self._kind.store(changes, event)

    def remove(self, booking_id: str, event: Event) -> None:
        """Remove the booking."""
        for attempt in contended():
            with attempt:
                item = self._kind.item(booking_id)
                if item is None:
                    raise NotFound(
                        f"there is no booking {booking_id!r}", hint="see: parkade book ls"
                    )
                name = str(item.get("endpoint_name"))
                held = self._table.get(_BOOKED, name)
                ids = _ids(name, held) if held else frozenset()
                changes = [self._kind.delete(booking_id, where=THERE)]
                if booking_id in ids:
                    changes.append(self._named(name, ids, ids - {booking_id}))
                self._kind.store(changes, event)

    def _named(self, endpoint_name: str, before: Iterable[str], after: Iterable[str]) -> Change:
        """Return the change of which bookings an endpoint has."""
        former, ids = _written(before), _written(after)
        return self._table.change.put(
            (_BOOKED, endpoint_name),
            {"ids": ids or None},
            where=equal(ids=former) if former else absent("ids"),
            lost=lambda item: _other(endpoint_name, item),
        )


def _written(ids: Iterable[str]) -> str:
    found = sorted(ids)
    return json.dumps(found) if found else ""


def _ids(endpoint_name: str, item: Item) -> frozenset[str]:
    if "ids" not in item:
        return frozenset()
    with columns.reading(f"which bookings {endpoint_name!r} has"):
        return frozenset(columns.read_texts(item, "ids"))


def _other(endpoint_name: str, item: Item | None) -> ParkadeError:
    """Return why others than those that were seen are there: somebody was first, or damage."""
    try:
        _ids(endpoint_name, item or {})
    except Unreadable as error:
        return error
    return _changed(endpoint_name)


def _changed(endpoint_name: str) -> ParkadeError:
    return VersionConflict(
        f"the bookings of {endpoint_name!r} were changed by somebody else",
        hint="read them again, then decide again",
    )


def _place(booking: Booking) -> tuple[object, ...]:
    return booking.starts_at, booking.endpoint_name, booking.id
