"""The tables that came with the maintainer, the monitor and money; a part of schema.py."""

from __future__ import annotations

#: What leases have got since their table was made.
LEASES: tuple[str, ...] = ()
#: Watches, terms, bookings, what can be undone.
UPKEEP: tuple[str, ...] = ()
#: Budgets.
MONEY: tuple[str, ...] = ()
#: Subscribers and what could not be delivered to them.
OUTBOX: tuple[str, ...] = ()
#: Alarms.
ALARMS: tuple[str, ...] = ()
