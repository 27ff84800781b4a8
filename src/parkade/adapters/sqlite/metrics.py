"""Measurements in a file of their own: new ones as rows, older ones packed."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from parkade.adapters.sqlite import metricsrows
from parkade.adapters.sqlite.metricsfile import MetricsFile
from parkade.adapters.sqlite.metricsreading import Reading
from parkade.adapters.sqlite.metricsrows import DAY
from parkade.adapters.sqlite.metricstidying import Cutoffs, Tidying
from parkade.domain.errors import Unreadable
from parkade.domain.points import Points
from parkade.domain.series import Series
from parkade.ports.metrics import Found, Kept, Known

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from parkade.domain.series import Aggregate
    from parkade.ports.metrics import Sample

logger = logging.getLogger(__name__)

_MEND = "it is left alone until it is too old to be kept; nothing else is harmed"
_ALL = "SELECT namespace, name, dimensions, unit, newest FROM series WHERE newest >= ?"


class SqliteMetricStore:
    """The metric store port, on a file that is opened at first use."""

    def __init__(self, path: Path, kept: Callable[[], Kept] = Kept) -> None:
        self._file = MetricsFile(path)
        self._kept = kept
        self._tidying: Iterator[None] | None = None
        self._tidying_lock = threading.Lock()

    def add(self, samples: Iterable[Sample]) -> None:
        """Add samples to what is stored of their periods, in one transaction."""
        everything = list(samples)
        if not everything:
            return
        with self._file.adding() as connection:
            numbers = _numbered(connection, everything)
            values: dict[int, dict[tuple[int, int], Aggregate]] = {}
            for each in everything:
                of = values.setdefault(each.seconds, {})
                key = (_seconds(each.at), numbers[each.series])
                of[key] = of[key].plus(each.value) if key in of else each.value
            for seconds, of in values.items():
                metricsrows.put_points(connection, seconds, of)

    def points(
        self, series: Sequence[Series], start: datetime, end: datetime, seconds: int
    ) -> Found:
        """Return the points of each series in the order of time."""
        with self._file.reading() as connection:
            numbers: dict[int, Series] = {}
            for each in series:
                if known := metricsrows.find(connection, *_columns(each)):
                    numbers[known[0]] = each
            reading = Reading(connection, numbers, _seconds(start), _seconds(end), seconds)
            found = reading.run()
        points = {each: Points() for each in series}
        points |= {numbers[number]: some for number, some in found.items()}
        unreadable = {}
        for number, damage in reading.damaged.items():
            each = numbers[number]
            del points[each]
            at = datetime.fromtimestamp(damage.at, UTC).isoformat()
            unreadable[each] = Unreadable(
                f"{each} cannot be read at {at}: {damage.why}", hint=_MEND
            )
        return Found(points, unreadable)

    def known(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Known]:
        """Return the series with these properties, in order."""
        wanted = dimensions or {}
        statement, values = _ALL, [_seconds(since) if since else 0]
        texts: list[str | int] = list(values)
        for column, value in (("namespace", namespace), ("name", name)):
            if value is not None:
                statement += f" AND {column} = ?"
                texts.append(value)
        for each in wanted.items():
            # Narrows it down before anything is parsed.
            statement += " AND instr(dimensions, ?)"
            texts.append(json.dumps(each[:1] if each[1] is None else each)[:-1])
        with self._file.reading() as connection:
            rows = connection.execute(statement, texts).fetchall()
        found = [known for known in map(_known, rows) if known and known.series.has(wanted)]
        return sorted(found, key=lambda known: known.series.sorting)

    def tidy(self, now: datetime) -> bool:
        """Do one slice of the pass that is under way, or begin one; return whether it goes on."""
        with self._tidying_lock:
            slices = self._tidying
            # A slice that fails ends its pass; what it would have done is due in the next one.
            self._tidying = None
            if slices is None:
                slices = Tidying(self._file, _seconds(now), self._cutoffs(now)).slices()
            for _ in slices:
                self._tidying = slices
                return True
            return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cutoffs(self, now: datetime) -> Cutoffs:
        kept = self._kept()
        minutes = _seconds(now - kept.minutes)
        return Cutoffs(
            fine=_seconds(now - kept.fine),
            minutes=minutes - minutes % DAY,
            hours=_seconds(now - kept.hours),
        )


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _columns(series: Series) -> tuple[str, str, str]:
    return series.namespace, series.name, json.dumps(series.dimensions)


def _numbered(connection: sqlite3.Connection, samples: Iterable[Sample]) -> dict[Series, int]:
    """Return the numbers of the series of samples, and know the newest point of each."""
    newest: dict[Series, tuple[int, str]] = {}
    for each in samples:
        at = _seconds(each.at)
        known = newest.get(each.series)
        if known is None:
            newest[each.series] = (at, each.unit)
        elif known[0] < at:
            newest[each.series] = (at, known[1])
    numbers = {}
    later = []
    for series, (at, unit) in newest.items():
        columns = _columns(series)
        found = metricsrows.find(connection, *columns)
        if found is None:
            cursor = connection.execute(
                "INSERT INTO series (namespace, name, dimensions, unit, newest)"
                " VALUES (?, ?, ?, ?, ?)",
                (*columns, unit, at),
            )
            numbers[series] = cursor.lastrowid or 0
            continue
        numbers[series] = found[0]
        if found[1] < at:
            later.append((at, found[0]))
    connection.executemany("UPDATE series SET newest = ? WHERE id = ?", later)
    return numbers


def _known(row: tuple[str, str, str, str, int]) -> Known | None:
    namespace, name, dimensions, unit, newest = row
    try:
        series = Series(
            namespace, name, tuple((key, value) for key, value in json.loads(dimensions))
        )
        return Known(series=series, unit=unit, newest=datetime.fromtimestamp(newest, UTC))
    except (ValueError, TypeError, OverflowError):
        # Which series it was cannot be known, so it can be told to nobody who asks for one.
        logger.exception(
            "a series of the name %r cannot be read: its dimensions are %r", name, dimensions
        )
        return None
