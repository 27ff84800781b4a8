"""The lease book: one row a lease, compared and set by its version.

    caller                    book
      get      ------------->  version 7
      (decides)
      put(7)   ------------->  UPDATE ... WHERE version = 7, event, coin: one transaction
                               a version of 8 there means: somebody else was faster

A lease that was removed and made again counts from 1 again; `created_at` tells the two apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns, leases
from parkade.adapters.sqlite import purses
from parkade.adapters.sqlite.events import record
from parkade.domain.errors import Conflict, LeaseNotFound, Unreadable, VersionConflict
from parkade.domain.lease import EndReason
from parkade.ports.leases import Shelf

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event
    from parkade.domain.lease import Lease
    from parkade.ports.budgets import Purse
    from parkade.ports.leases import Coin

_INSERT = """
    INSERT INTO leases VALUES (:endpoint_name, :config_name, :owner, :created_at, :expires_at,
        :ended, :ended_at, :retries, :refused_at, :failure, :warned, :version,
        :paid_until, :asleep_at, :paused_at, :wanted_at, :woken)
    ON CONFLICT DO NOTHING
"""
_UPDATE = """
    UPDATE leases SET config_name = :config_name, owner = :owner, expires_at = :expires_at,
        ended = :ended, ended_at = :ended_at, retries = :retries, refused_at = :refused_at,
        failure = :failure, warned = :warned, version = :version, paid_until = :paid_until,
        asleep_at = :asleep_at, paused_at = :paused_at, wanted_at = :wanted_at, woken = :woken
    WHERE endpoint_name = :endpoint_name AND version = :version - 1 AND created_at = :created_at
"""
_DELETE = """
    DELETE FROM leases
    WHERE endpoint_name = :endpoint_name AND version = :version AND created_at = :created_at
"""
_SPEND = """
    INSERT INTO coins (endpoint_name, scope, key, request, lease) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_NAMED = "endpoint_name IN (SELECT value FROM json_each(:names))"


class SqliteLeaseBook:
    """The lease book port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease."""
        with self._database.reading() as connection:
            row = _find(connection, endpoint_name)
        if row is None:
            raise LeaseNotFound(f"no lease has the endpoint name {endpoint_name!r}")
        return leases.read(row)

    def all(self) -> Shelf:
        """Return every lease in the order of names, and which rows are damaged."""
        return self._shelf("TRUE")

    def due(self, names: Collection[str]) -> Shelf:
        """Return the leases that are not closed, or not by a reason known, and of these names."""
        closed = ", ".join(f"'{reason}'" for reason in EndReason)
        return self._shelf(f"ended IS NULL OR ended NOT IN ({closed}) OR {_NAMED}", names)

    def of(self, names: Collection[str]) -> Shelf:
        """Return the leases of these endpoints."""
        return self._shelf(_NAMED, names)

    def put(
        self, lease: Lease, event: Event, *, coin: Coin | None = None, purse: Purse | None = None
    ) -> Lease:
        """Store lease, event, coin and purse in one transaction, unless another write came first."""
        stored = replace(lease, version=lease.version + 1)
        with self._database.writing() as connection:
            _require_readable(connection, lease.endpoint_name)
            statement = _UPDATE if lease.version else _INSERT
            if connection.execute(statement, leases.written(stored)).rowcount != 1:
                raise _lost(lease.endpoint_name)
            if coin is not None:
                _spend(connection, coin, stored)
            if purse is not None:
                purses.spend(connection, purse)
            record(connection, replace(event, owner=event.owner or lease.owner))
        return stored

    def remove(self, lease: Lease, event: Event) -> None:
        """Remove the lease, unless another write came first; its coins go with it."""
        with self._database.writing() as connection:
            _require_readable(connection, lease.endpoint_name)
            if connection.execute(_DELETE, leases.written(lease)).rowcount != 1:
                raise _lost(lease.endpoint_name)
            record(connection, replace(event, owner=event.owner or lease.owner))

    def spent(self, coin: Coin) -> Lease | None:
        """Return the lease as this coin's change left it."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM coins WHERE endpoint_name = ? AND scope = ? AND key = ?",
                (coin.endpoint_name, coin.scope, coin.key),
            ).fetchone()
        if row is None:
            return None
        if row["request"] != coin.request:
            raise Conflict(
                f"Idempotency-Key {coin.key!r} was used for another request on "
                f"{coin.endpoint_name!r}",
                hint="use a new key for a new request",
            )
        with columns.reading(f"Idempotency-Key {coin.key!r} of {coin.endpoint_name!r}"):
            return leases.fields(columns.read_object(row, "lease"))

    def _shelf(self, where: str, names: Collection[str] = ()) -> Shelf:
        statement = f"SELECT * FROM leases WHERE {where} ORDER BY endpoint_name"  # noqa: S608
        with self._database.reading() as connection:
            rows = connection.execute(statement, {"names": json.dumps([*names])}).fetchall()
        return _shelf(rows)


def _shelf(rows: Iterable[sqlite3.Row]) -> Shelf:
    readable: list[Lease] = []
    unreadable: dict[str, str] = {}
    for row in rows:
        try:
            readable.append(leases.fields(row))
        except Unreadable as error:
            unreadable[str(row["endpoint_name"])] = error.message
    return Shelf(tuple(readable), unreadable)


def _find(connection: sqlite3.Connection, endpoint_name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM leases WHERE endpoint_name = ?", (endpoint_name,)
    ).fetchone()
    return row


def _require_readable(connection: sqlite3.Connection, endpoint_name: str) -> None:
    """Raise Unreadable where a damaged row would be written over: a person has to see it."""
    row = _find(connection, endpoint_name)
    if row is not None:
        leases.read(row)


def _spend(connection: sqlite3.Connection, coin: Coin, stored: Lease) -> None:
    content = json.dumps(leases.written(stored))
    values = (coin.endpoint_name, coin.scope, coin.key, coin.request, content)
    if connection.execute(_SPEND, values).rowcount != 1:
        raise _lost(coin.endpoint_name)


def _lost(endpoint_name: str) -> VersionConflict:
    return VersionConflict(
        f"the lease of {endpoint_name!r} was changed by somebody else",
        hint="read it again, then decide again",
    )
