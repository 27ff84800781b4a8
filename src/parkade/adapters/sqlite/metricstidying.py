"""Packs what is over, rolls it up, and forgets what is too old, in short slices.

Each slice is a transaction of its own over some series and one hour, day or week; whoever writes
meanwhile waits for one slice at most. A sample is moved, never copied, but from minutes into the
hours of its week, when the minute goes into the pack of its day. What is damaged is not touched,
nor is what would have to go into something damaged, until it is too old.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from parkade.adapters.sqlite import metricsrows
from parkade.adapters.sqlite.metricsrows import DAY, HOUR, Damage, Level
from parkade.domain.points import Points, united
from parkade.ports.metrics import FINE, MINUTE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from parkade.adapters.sqlite.metricsfile import MetricsFile
    from parkade.domain.series import Aggregate

#: Seconds after the end of an hour or a day in which late samples are still waited for.
LATE = 300
#: Series in one slice: with an hour's rows, and with a day's packs, of which each takes longer.
_BY_HOUR, _BY_DAY = 100, 25
#: Series whose packs or rows are cut off in one slice.
_BY_CUT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Begins, in seconds since the epoch, before which nothing is kept."""

    fine: int
    minutes: int
    hours: int


class Tidying:
    """One pass over all that is due by `now`."""

    def __init__(self, file: MetricsFile, now: int, cutoffs: Cutoffs) -> None:
        self._file = file
        self._now = now
        self._cutoffs = cutoffs
        with file.reading() as connection:
            self._last = connection.execute("SELECT coalesce(max(id), 0) FROM series").fetchone()[0]

    def slices(self) -> Iterator[None]:
        """Do one slice after the other."""
        yield from self._rolling()
        yield from self._packing()
        yield from self._merging()
        yield from self._cutting()
        yield from self._forgetting()

    def _rolling(self) -> Iterator[None]:
        """Roll fine points up to minutes."""
        for hour in self._hours_of_rows(FINE, self._cutoffs.fine):
            yield from self._each(_BY_HOUR, partial(self._roll, hour))

    def _packing(self) -> Iterator[None]:
        """Pack the minutes of hours that are over."""
        for hour in self._hours_of_rows(MINUTE, self._now - LATE):
            yield from self._each(_BY_HOUR, partial(self._pack, hour))

    def _merging(self) -> Iterator[None]:
        """Merge the hours of days that are over."""
        for day in self._begins(Level.HOUR, Level.DAY.begin, self._now - LATE - DAY):
            yield from self._each(_BY_DAY, partial(self._merge, day))

    def _cutting(self) -> Iterator[None]:
        """Cut off what is too old.

        Rows and hours' packs that are left by then are damaged: they go with the hours that lack
        what they held, so that those are never told as if they were whole.
        """
        for seconds in (FINE, MINUTE):
            for hour in self._hours_of_rows(seconds, self._cutoffs.hours):
                yield from self._cut("points", "seconds", seconds, (hour, hour + HOUR))
        for level, before in (
            (Level.HOUR, self._cutoffs.hours),
            (Level.DAY, self._cutoffs.minutes),
            (Level.WEEK, self._cutoffs.hours),
        ):
            for at in self._begins(level, int, before - level.span):
                yield from self._cut("packs", "level", level, (at, at + 1))

    def _forgetting(self) -> Iterator[None]:
        """Forget series of which nothing is kept."""
        before = Level.WEEK.begin(min(self._cutoffs.minutes, self._cutoffs.hours))
        with self._file.writing() as connection:
            connection.execute("DELETE FROM series WHERE newest < ?", (before,))
        yield

    # The slices.

    def _roll(self, hour: int, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        ats = metricsrows.periods(connection, FINE, hour, hour + HOUR)
        minutes: dict[tuple[int, int], Aggregate] = {}
        done = []
        for number, at, value in metricsrows.rows(connection, FINE, ats, ids):
            if isinstance(value, Damage):
                continue
            key = (at - at % MINUTE, number)
            minutes[key] = minutes[key].plus(value) if key in minutes else value
            done.append((FINE, at, number))
        damaged = metricsrows.put_points(connection, MINUTE, minutes)
        _remove(
            connection,
            [each for each in done if (each[1] - each[1] % MINUTE, each[2]) not in damaged],
        )

    def _pack(self, hour: int, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        ats = metricsrows.periods(connection, MINUTE, hour, hour + HOUR)
        fresh: dict[int, Points] = {}
        for number, at, value in metricsrows.rows(connection, MINUTE, ats, ids):
            if not isinstance(value, Damage):
                fresh.setdefault(number, Points()).put(at, value)
        day = Level.DAY.begin(hour)
        over = {each for each, _, _ in metricsrows.packs(connection, Level.DAY, [day], fresh)}
        for number, points in fresh.items():
            if number in over:
                done = self._into_day(connection, day, number, [points])
            else:
                done = _into(connection, Level.HOUR, hour, number, [points])
            if done:
                _remove(connection, [(MINUTE, at, number) for at in points.at])

    def _merge(self, day: int, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        ats = metricsrows.packed(connection, Level.HOUR, day, day + DAY)
        hours: dict[int, dict[int, Points]] = {}
        for number, at, points in metricsrows.packs(connection, Level.HOUR, ats, ids):
            if not isinstance(points, Damage):
                hours.setdefault(number, {})[at] = points
        for number, parts in hours.items():
            if self._into_day(connection, day, number, list(parts.values())):
                connection.executemany(
                    "DELETE FROM packs WHERE level = ? AND at = ? AND series = ?",
                    [(Level.HOUR, at, number) for at in parts],
                )

    def _into_day(
        self, connection: sqlite3.Connection, day: int, number: int, parts: list[Points]
    ) -> bool:
        """Put minutes into the pack of their day and the hours of their week; tell if it worked.

        A day whose minutes are too old gets none back.
        """
        gone = day + DAY <= self._cutoffs.minutes
        week = Level.WEEK.begin(day)
        if not gone and _damaged(connection, Level.DAY, day, number):
            return False
        if not _into(connection, Level.WEEK, week, number, [united(parts, HOUR)]):
            return False
        return gone or _into(connection, Level.DAY, day, number, parts)

    def _cut(self, table: str, kind: str, value: int, between: tuple[int, int]) -> Iterator[None]:
        statement = (
            f"DELETE FROM {table} WHERE {kind} = ? AND at >= ? AND at < ?"  # noqa: S608
            " AND series BETWEEN ? AND ?"
        )
        yield from self._each(
            _BY_CUT,
            lambda connection, ids: connection.execute(
                statement, (value, *between, ids[0], ids[-1])
            ),
        )

    # Where there is something to do.

    def _each(
        self, size: int, do: Callable[[sqlite3.Connection, Sequence[int]], object]
    ) -> Iterator[None]:
        for first in range(1, self._last + 1, size):
            with self._file.writing() as connection:
                do(connection, range(first, min(first + size, self._last + 1)))
            yield

    def _hours_of_rows(self, seconds: int, before: int) -> list[int]:
        """Return the hours with points of these periods that end by `before`, the oldest first."""
        hours: list[int] = []
        at = 0
        with self._file.reading() as connection:
            while True:
                found = metricsrows.first(connection, seconds, at, before - HOUR + 1)
                if found is None:
                    return hours
                hour = found - found % HOUR
                if hour + HOUR > before:
                    return hours
                hours.append(hour)
                at = hour + HOUR

    def _begins(self, level: Level, begin: Callable[[int], int], last: int) -> list[int]:
        """Return where packs of a level begin, put together by `begin`, up to `last`."""
        with self._file.reading() as connection:
            ats = metricsrows.packed(connection, level, 0, last + level.span)
        return sorted({begin(at) for at in ats if begin(at) <= last})


def _into(
    connection: sqlite3.Connection, level: Level, at: int, number: int, parts: list[Points]
) -> bool:
    """Add points to a pack; tell whether that was possible: not to a damaged one."""
    for _, _, points in metricsrows.packs(connection, level, [at], [number]):
        if isinstance(points, Damage):
            return False
        parts = [points, *parts]
    metricsrows.put_pack(connection, level, at, number, united(parts, level.seconds))
    return True


def _damaged(connection: sqlite3.Connection, level: Level, at: int, number: int) -> bool:
    found = metricsrows.packs(connection, level, [at], [number])
    return any(isinstance(points, Damage) for _, _, points in found)


def _remove(connection: sqlite3.Connection, keys: list[tuple[int, int, int]]) -> None:
    connection.executemany("DELETE FROM points WHERE seconds = ? AND at = ? AND series = ?", keys)
