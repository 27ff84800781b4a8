"""The tables that came with the maintainer, the monitor and money; a part of schema.py."""

from __future__ import annotations

#: What leases have got since their table was made.
LEASES: tuple[str, ...] = (
    "ALTER TABLE leases ADD COLUMN paid_until TEXT",
    "UPDATE coins SET lease = json_set(lease, '$.paid_until', NULL) WHERE json_valid(lease)",
)
#: Watches, terms, bookings, what can be undone.
UPKEEP: tuple[str, ...] = (
    """
    CREATE TABLE terms (
        endpoint_name TEXT PRIMARY KEY NOT NULL REFERENCES leases ON DELETE CASCADE,
        content TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE bookings (
        id TEXT PRIMARY KEY NOT NULL,
        endpoint_name TEXT NOT NULL,
        content TEXT NOT NULL
    )
    """,
)
#: Budgets.
MONEY: tuple[str, ...] = ()
#: Subscribers and what could not be delivered to them.
OUTBOX: tuple[str, ...] = ()
#: Alarms.
ALARMS: tuple[str, ...] = ()
