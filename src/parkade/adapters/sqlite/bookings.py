"""Bookings: one document each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite import purses
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import NotFound, VersionConflict
from parkade.domain.terms import Booking
from parkade.ports.catalog import Listing

if TYPE_CHECKING:
    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.ports.budgets import Purse


class SqliteBookingStore:
    """The booking store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(Booking, "booking")

    def all(self) -> Listing[Booking]:
        """Return every booking in the order of their beginning, those apart that are damaged."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, content FROM bookings ORDER BY id").fetchall()
        found = self._documents.listing(rows)
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
        with self._database.writing() as connection:
            rows = connection.execute(
                "SELECT id FROM bookings WHERE endpoint_name = ?", (booking.endpoint_name,)
            )
            if {str(row["id"]) for row in rows} != beside:
                raise VersionConflict(
                    f"the bookings of {booking.endpoint_name!r} were changed by somebody else",
                    hint="read them again, then decide again",
                )
            if purse is not None:
                purses.spend(connection, purse)
            connection.execute(
                "INSERT INTO bookings VALUES (?, ?, ?)",
                (booking.id, booking.endpoint_name, self._documents.write(booking)),
            )
            record(connection, event)

    def remove(self, booking_id: str, event: Event) -> None:
        """Remove the booking."""
        with self._database.writing() as connection:
            removed = connection.execute("DELETE FROM bookings WHERE id = ?", (booking_id,))
            if removed.rowcount != 1:
                raise NotFound(f"there is no booking {booking_id!r}", hint="see: parkade book ls")
            record(connection, event)


def _place(booking: Booking) -> tuple[object, ...]:
    return booking.starts_at, booking.endpoint_name, booking.id
