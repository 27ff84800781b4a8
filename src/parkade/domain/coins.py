"""Coins that the meter puts in by itself: for office hours, for a booking, for use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from parkade.domain.actions import DueCoin
    from parkade.domain.idle import Use
    from parkade.domain.lease import Lease
    from parkade.domain.terms import Booking, Terms


def due(
    now: datetime,
    lease: Lease | None,
    *,
    terms: Terms | None,
    bookings: Sequence[Booking],
    leads: Mapping[str, timedelta],
    use: Use | None,
) -> tuple[DueCoin | None, tuple[datetime, ...]]:
    """Return the coin that is due, and the later instants at which one can become due.

    Begins before office hours and bookings do, by the lead of the endpoint config, so that the
    endpoint is warm by then. Where
    several are due it is the one that lasts longest. What a person, idleness or a budget ended
    within the present office hours, or booking, is not paid for again until the next.
    """
    return None, ()
