"""What was spent: one row an hour, endpoint, variant, owner, instance type and price.

It has a file of its own, so that a damaged or a full one never touches leases; and the file is
opened when it is needed, so that the control process starts without it. Spans are whole
microseconds: however often something is added, used and idle are what was metered.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from parkade.adapters.documents import columns
from parkade.adapters.sqlite.reopening import Reopening
from parkade.adapters.sqlite.schema import Layout
from parkade.domain.cost import Presence, Tally
from parkade.domain.errors import Unreadable
from parkade.ports.spend import day_of, require_known

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from parkade.ports.spend import Known, SpendQuery

#: Marks the file as Parkade's own: "PRKS".
SPEND = Layout(
    application_id=0x50524B53,
    migrations=(
        (
            "PRAGMA application_id = 1347570515",
            """
            CREATE TABLE tallies (
                at TEXT NOT NULL,
                endpoint_name TEXT NOT NULL,
                variant_name TEXT NOT NULL,
                owner TEXT NOT NULL,
                instance_type TEXT NOT NULL,
                hourly TEXT NOT NULL,
                used INTEGER NOT NULL,
                idle INTEGER NOT NULL,
                PRIMARY KEY (at, endpoint_name, variant_name, owner, instance_type, hourly)
            ) WITHOUT ROWID
            """,
            "CREATE INDEX tallies_by_owner ON tallies (owner, at)",
            """
            CREATE TABLE presences (
                at TEXT NOT NULL,
                endpoint_name TEXT NOT NULL,
                owner TEXT NOT NULL,
                span INTEGER NOT NULL,
                PRIMARY KEY (at, endpoint_name, owner)
            ) WITHOUT ROWID
            """,
            """
            CREATE TABLE sights (
                endpoint_name TEXT NOT NULL,
                owner TEXT NOT NULL,
                at TEXT NOT NULL,
                PRIMARY KEY (endpoint_name, owner)
            ) WITHOUT ROWID
            """,
            "CREATE TABLE known (until TEXT NOT NULL)",
        ),
    ),
    # A second that a power cut takes along is not worth a wait for the disk each second.
    synchronous="NORMAL",
)
_UNPRICED = ""
_MICROSECOND = timedelta(microseconds=1)

_ADD_TALLY = """
    INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET used = used + excluded.used, idle = idle + excluded.idle
"""
_ADD_PRESENCE = """
    INSERT INTO presences VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET span = span + excluded.span
"""
_SEE = "INSERT INTO sights VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
#: A damaged number must not be lost in a sum: SQLite would take a text for a nought.
_WHOLE = "min(typeof({0}) = 'integer' AND {0} >= 0)"


class SqliteSpendStore:
    """The spend store port, on a file that is opened at first use."""

    def __init__(self, path: Path) -> None:
        self._file = Reopening(path, SPEND)

    def add(
        self,
        tallies: Iterable[Tally],
        presences: Iterable[Presence],
        until: datetime,
        *,
        since: Known | None = None,
    ) -> None:
        """Add tallies, presences and first sights in one transaction."""
        kept = tuple(presences)
        with self._file.to_write().writing() as connection:
            if since is not None:
                require_known(since, _until(connection))
            connection.executemany(_ADD_TALLY, [_columns(each) for each in tallies])
            connection.executemany(
                _ADD_PRESENCE,
                [
                    (columns.instant(e.at), e.endpoint_name, e.owner, e.span // _MICROSECOND)
                    for e in kept
                ],
            )
            connection.executemany(
                _SEE,
                [
                    (e.endpoint_name, e.owner, columns.instant(max(e.at, until - e.span)))
                    for e in sorted(kept, key=lambda each: each.at)
                ],
            )
            connection.execute("DELETE FROM known")
            connection.execute("INSERT INTO known VALUES (?)", (columns.instant(until),))

    def until(self) -> datetime | None:
        """Return until when all is added."""
        with self._file.to_read().reading() as connection:
            return _until(connection)

    def tallies(self, query: SpendQuery) -> Sequence[Tally]:
        """Return the tallies, put together."""
        rows = self._grouped(
            query,
            "tallies",
            "endpoint_name, variant_name, owner, instance_type, hourly",
            ("used", "idle"),
        )
        return [_tally(row, query) for row in rows]

    def presences(self, query: SpendQuery) -> Sequence[Presence]:
        """Return the presences, put together."""
        rows = self._grouped(query, "presences", "endpoint_name, owner", ("span",))
        return [_presence(row, query) for row in rows]

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each endpoint was first seen with each owner."""
        with self._file.to_read().reading() as connection:
            rows = connection.execute("SELECT * FROM sights").fetchall()
        found: dict[tuple[str, str], datetime] = {}
        for row in rows:
            with columns.reading(f"the first sight of {row['endpoint_name']!r}"):
                key = columns.read_text(row, "endpoint_name"), columns.read_text(row, "owner")
                found[key] = columns.read_instant(row, "at")
        return found

    def forget(self, before: datetime) -> None:
        """Remove periods that began earlier."""
        at = columns.instant(before)
        with self._file.to_read().writing() as connection:
            connection.execute("DELETE FROM tallies WHERE at < ?", (at,))
            connection.execute("DELETE FROM presences WHERE at < ?", (at,))

    def close(self) -> None:
        """Close the file, if it was opened."""
        self._file.close()

    def _grouped(
        self, query: SpendQuery, table: str, keys: str, spans: Sequence[str]
    ) -> list[sqlite3.Row]:
        day = "substr(at, 1, 10)" if query.by_day else "''"
        sums = ", ".join(f"sum({span}) AS {span}" for span in spans)
        whole = " AND ".join(_WHOLE.format(span) for span in spans)
        where, values = _conditions(query)
        statement = (
            f"SELECT {day} AS day, {keys}, {sums}, {whole} AS whole FROM {table}"  # noqa: S608
            f" WHERE {where} GROUP BY day, {keys} ORDER BY day, {keys}"
        )
        with self._file.to_read().reading() as connection:
            return connection.execute(statement, values).fetchall()


def _until(connection: sqlite3.Connection) -> datetime | None:
    row = connection.execute("SELECT until FROM known").fetchone()
    with columns.reading("until when instances are metered"):
        return None if row is None else columns.read_instant(row, "until")


def _conditions(query: SpendQuery) -> tuple[str, list[str]]:
    where, values = ["at >= ?", "at < ?"], [query.start, query.end]
    texts = [columns.instant(each) for each in values]
    for column, wanted in (("endpoint_name", query.endpoint_name), ("owner", query.owner)):
        if wanted is not None:
            where.append(f"{column} = ?")
            texts.append(wanted)
    return " AND ".join(where), texts


def _columns(tally: Tally) -> tuple[columns.Column, ...]:
    return (
        columns.instant(tally.at),
        tally.endpoint_name,
        tally.variant_name,
        tally.owner,
        tally.instance_type,
        _UNPRICED if tally.hourly is None else str(tally.hourly),
        tally.used // _MICROSECOND,
        tally.idle // _MICROSECOND,
    )


def _tally(row: sqlite3.Row, query: SpendQuery) -> Tally:
    with columns.reading(f"what {row['endpoint_name']!r} cost"):
        _require_whole(row)
        return Tally(
            at=_at(row, query),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            variant_name=columns.read_text(row, "variant_name"),
            owner=columns.read_text(row, "owner"),
            instance_type=columns.read_text(row, "instance_type"),
            hourly=_hourly(columns.read_text(row, "hourly")),
            used=columns.read_number(row, "used") * _MICROSECOND,
            idle=columns.read_number(row, "idle") * _MICROSECOND,
        )


def _presence(row: sqlite3.Row, query: SpendQuery) -> Presence:
    with columns.reading(f"when {row['endpoint_name']!r} ran"):
        _require_whole(row)
        return Presence(
            at=_at(row, query),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            owner=columns.read_text(row, "owner"),
            span=columns.read_number(row, "span") * _MICROSECOND,
        )


def _at(row: sqlite3.Row, query: SpendQuery) -> datetime:
    if not query.by_day:
        return query.start
    try:
        return day_of(query.start.fromisoformat(f"{row['day']}T00:00:00+00:00"))
    except ValueError as error:
        raise Unreadable(f"its at {row['day']!r} is not a day") from error


def _hourly(text: str) -> Decimal | None:
    if text == _UNPRICED:
        return None
    try:
        hourly = Decimal(text)
    except InvalidOperation as error:
        raise Unreadable(f"its hourly {text!r} is not an amount") from error
    if not hourly.is_finite() or hourly < 0:
        raise Unreadable(f"its hourly {text!r} is not an amount")
    return hourly


def _require_whole(row: sqlite3.Row) -> None:
    if not row["whole"]:
        raise Unreadable("one of its spans is not a number of microseconds")
