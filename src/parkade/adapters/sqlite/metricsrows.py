"""Points and packs as rows: the statements that read and write them, by series and time.

A sample is in one place: as a row of `points` while it is new; then, with others, in a pack: those
of minutes by the hour, later by the day, and with them in the hours of a week. So what is known
of a minute is the union of points, hours' and days' packs; and of an hour, that of points, hours'
packs and weeks' packs.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from parkade.adapters.sqlite import metricspacking
from parkade.domain.series import Aggregate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from parkade.domain.points import Points

logger = logging.getLogger(__name__)

HOUR, DAY, WEEK = 3600, 86400, 7 * 86400


class Level(IntEnum):
    """What a pack holds."""

    #: Minutes of an hour.
    HOUR = 1
    #: Minutes of a day.
    DAY = 2
    #: Hours of a week.
    WEEK = 3

    @property
    def span(self) -> int:
        """Seconds from the begin of a pack to the begin of the next."""
        return {Level.HOUR: HOUR, Level.DAY: DAY, Level.WEEK: WEEK}[self]

    @property
    def seconds(self) -> int:
        """Seconds of the periods of its points."""
        return HOUR if self is Level.WEEK else 60

    def begin(self, at: int) -> int:
        """Return the begin of the pack that an instant is in."""
        return at - at % self.span


@dataclass(frozen=True, slots=True)
class Damage:
    """What cannot be read of a series: the period, in seconds since the epoch, and why."""

    at: int
    why: str


_SERIES = "SELECT id, newest FROM series WHERE namespace = ? AND name = ? AND dimensions = ?"
_FIRST_POINT = "SELECT min(at) FROM points WHERE seconds = ? AND at >= ?"
_FIRST_PACK = "SELECT min(at) FROM packs WHERE level = ? AND at >= ?"
# For each period those series: seeks beat a walk over all series of the range.
_POINTS = """
    SELECT points.* FROM json_each(?) AS period CROSS JOIN json_each(?) AS wanted
    CROSS JOIN points ON points.seconds = ? AND points.at = period.value
        AND points.series = wanted.value
"""
_PACKS = """
    SELECT packs.* FROM json_each(?) AS period CROSS JOIN json_each(?) AS wanted
    CROSS JOIN packs ON packs.level = ? AND packs.at = period.value AND packs.series = wanted.value
"""


def first(connection: sqlite3.Connection, seconds: int, start: int, end: int) -> int | None:
    """Return the first begin of such periods of points, `start <= at < end`, that there is."""
    at: int | None = connection.execute(_FIRST_POINT, (seconds, start)).fetchone()[0]
    return at if at is not None and at < end else None


def periods(connection: sqlite3.Connection, seconds: int, start: int, end: int) -> list[int]:
    """Return the begins of those periods of points, `start <= at < end`, that there are."""
    return _begins(connection, _FIRST_POINT, seconds, start, end)


def packed(connection: sqlite3.Connection, level: Level, start: int, end: int) -> list[int]:
    """Return the begins of those packs that there are, and that reach into the range."""
    return _begins(connection, _FIRST_PACK, level, level.begin(start), end)


def rows(
    connection: sqlite3.Connection, seconds: int, ats: Sequence[int], series: Iterable[int]
) -> Iterator[tuple[int, int, Aggregate | Damage]]:
    """Give the points of these periods and series: series, begin, what was measured."""
    for row in connection.execute(_POINTS, (json.dumps(ats), json.dumps(list(series)), seconds)):
        _, at, number, count, total, least, most, buckets = row
        value: Aggregate | Damage
        try:
            value = Aggregate(
                count=count,
                total=total,
                least=least,
                most=most,
                buckets=metricspacking.unpack_buckets(buckets),
            )
        except ValueError as error:
            value = Damage(at, str(error))
        if not all(isinstance(each, float) for each in (count, total, least, most)):
            value = Damage(at, f"{row[3:7]} are no numbers")
        yield number, at, value


def packs(
    connection: sqlite3.Connection,
    level: Level,
    ats: Sequence[int],
    series: Iterable[int],
    within: tuple[int, int] | None = None,
) -> Iterator[tuple[int, int, Points | Damage]]:
    """Give the packs that begin at these instants, or what of them is within a range.

    Each is told as its series, its begin, and its points.
    """
    for row in connection.execute(_PACKS, (json.dumps(ats), json.dumps(list(series)), level)):
        _, at, number, content = row
        try:
            points: Points | Damage = metricspacking.unpack(content, at, level.seconds, within)
        except ValueError as error:
            points = Damage(at, str(error))
        yield number, at, points


def put_points(
    connection: sqlite3.Connection, seconds: int, values: Mapping[tuple[int, int], Aggregate]
) -> set[tuple[int, int]]:
    """Add to what is stored, by begin and series; return what is damaged and takes nothing."""
    stored: dict[tuple[int, int], Aggregate | Damage] = {}
    wanted: dict[int, list[int]] = {}
    for at, number in values:
        wanted.setdefault(at, []).append(number)
    for at, numbers in wanted.items():
        for number, _, value in rows(connection, seconds, [at], numbers):
            stored[at, number] = value
    damaged = set()
    writes = []
    for (at, number), value in values.items():
        before = stored.get((at, number))
        if isinstance(before, Damage):
            logger.error("series %s is damaged at %s (%s)", number, at, before.why)
            damaged.add((at, number))
            continue
        whole = value if before is None else before.plus(value)
        writes.append(
            (
                seconds,
                at,
                number,
                whole.count,
                whole.total,
                whole.least,
                whole.most,
                metricspacking.pack_buckets(whole.buckets),
            )
        )
    connection.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", writes)
    return damaged


def put_pack(
    connection: sqlite3.Connection, level: Level, at: int, series: int, points: Points
) -> None:
    """Store a pack over the one that there was."""
    content = metricspacking.pack(points, at, level.seconds)
    connection.execute(
        "INSERT OR REPLACE INTO packs VALUES (?, ?, ?, ?)", (level, at, series, content)
    )


def find(
    connection: sqlite3.Connection, namespace: str, name: str, dimensions: str
) -> tuple[int, int] | None:
    """Return the number of a series and its newest point; None: there is none."""
    row = connection.execute(_SERIES, (namespace, name, dimensions)).fetchone()
    return None if row is None else (row[0], row[1])


def _begins(
    connection: sqlite3.Connection, statement: str, kind: int, start: int, end: int
) -> list[int]:
    """Leap from one begin to the next; there may be many series in each."""
    found: list[int] = []
    while True:
        at = connection.execute(statement, (kind, start)).fetchone()[0]
        if at is None or at >= end:
            return found
        found.append(at)
        start = at + 1
