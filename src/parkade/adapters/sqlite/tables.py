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
    CREATE TABLE watches (
        endpoint_name TEXT PRIMARY KEY NOT NULL,
        content TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE remains (
        endpoint_name TEXT PRIMARY KEY NOT NULL,
        removed_at TEXT NOT NULL,
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
#: Budgets, and what owners pay from.
MONEY: tuple[str, ...] = (
    "CREATE TABLE budgets (owner TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
    "CREATE TABLE purses (owner TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL)",
)
#: Subscribers and what could not be delivered to them.
OUTBOX: tuple[str, ...] = (
    # What happened before this is nobody's: the history is not written over.
    "ALTER TABLE events ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX events_by_owner ON events (owner, number)",
    "CREATE TABLE subscribers (name TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
    "CREATE TABLE progress (subscriber TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
    # AUTOINCREMENT: whoever names a letter means no later one.
    """
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        subscriber TEXT NOT NULL,
        content TEXT NOT NULL
    )
    """,
    "CREATE INDEX letters_by_subscriber ON letters (subscriber, id)",
)
#: Alarms.
ALARMS: tuple[str, ...] = (
    "CREATE TABLE alarms (name TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
)
