"""Files of invocations: CSV, or a JSON object a line.

    timestamp,endpoint,count,seconds
    2026-03-02T08:15:00Z,falcon,12,0.4

`timestamp` is ISO 8601 (without an offset it is UTC) or seconds since 1970; `count` is 1 where it
is missing; `seconds` is how long the requests keep the endpoint busy, else the minute they came in.
A CSV file without a heading has these columns in this order.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain import names
from parkade.domain.errors import InvalidInput
from parkade.domain.event import written
from parkade.domain.simulation.traffic import MINUTE, Burst, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

COLUMNS = ("timestamp", "endpoint", "count", "seconds")
_NEEDED = 2
#: Longer than a request of any kind lasts.
_LONGEST = timedelta(days=1)


def read(lines: Iterable[str], *, name: str) -> dict[str, Traffic]:
    """Return the traffic of each endpoint. Raises InvalidInput that names the line and its fault."""
    bursts: dict[str, list[Burst]] = defaultdict(list)
    for number, row in _rows(lines, name):
        try:
            endpoint, burst = _burst(row)
        except InvalidInput as error:
            raise _wrong(name, number, error.message, error.hint) from error
        bursts[endpoint].append(burst)
    if not bursts:
        raise InvalidInput(
            f"{name} has no invocations", field="file", hint="a line is like " + _EXAMPLE
        )
    return {endpoint: Traffic(bursts[endpoint]) for endpoint in sorted(bursts)}


def write(traffic: Mapping[str, Traffic]) -> Iterator[str]:
    """Give the lines of a CSV file that `read` understands, in the order of time."""
    yield ",".join(COLUMNS)
    every = [(burst, name) for name, each in traffic.items() for burst in each.bursts]
    for burst, name in sorted(every, key=lambda one: (one[0].at, one[1])):
        lasting = "" if burst.lasting == MINUTE else f"{burst.lasting.total_seconds():g}"
        yield f"{written(burst.at)},{name},{burst.count},{lasting}"


_EXAMPLE = "2026-03-02T08:15:00Z,falcon,12"


def _rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Give each line's values by the names of its columns, with the number of the line."""
    columns: tuple[str, ...] = COLUMNS
    first = True
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("\ufeff")
        if not text:
            continue
        if text.startswith("{"):
            yield number, _of_json(text, name, number)
            continue
        cells = _cells(text, name, number)
        if first and "timestamp" in {cell.lower() for cell in cells}:
            columns = _heading([cell.lower() for cell in cells], name, number)
        elif len(cells) > len(columns):
            said = f"it has {len(cells)} values for {len(columns)} columns"
            raise _wrong(name, number, said, "the columns are " + ",".join(columns))
        else:
            yield number, dict(zip(columns, cells, strict=False))
        first = False


def _cells(text: str, name: str, number: int) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], strict=True))]
    except csv.Error as error:
        raise _wrong(name, number, f"it is not CSV ({error})") from error


def _of_json(text: str, name: str, number: int) -> Mapping[str, object]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise _wrong(name, number, f"it is not JSON ({error})") from error
    _known(row, name, number)
    return dict(row)


def _heading(cells: list[str], name: str, number: int) -> tuple[str, ...]:
    _known(cells, name, number)
    if len(set(cells)) != len(cells) or not {"timestamp", "endpoint"} <= set(cells):
        raise _wrong(name, number, "the heading needs timestamp and endpoint, each column once")
    return tuple(cells)


def _known(columns: Iterable[str], name: str, number: int) -> None:
    for column in columns:
        if column not in COLUMNS:
            hint = names.suggestion(column, COLUMNS) or "known are " + ", ".join(COLUMNS)
            raise _wrong(name, number, f"unknown column {column!r}", hint)


def _burst(row: Mapping[str, object]) -> tuple[str, Burst]:
    missing = [column for column in COLUMNS[:_NEEDED] if row.get(column) in (None, "")]
    if missing:
        raise _unusable(missing[0], f"{missing[0]} is missing", "a line is like " + _EXAMPLE)
    endpoint = names.endpoint_name(row["endpoint"], field="endpoint")
    seconds = row.get("seconds")
    return endpoint, Burst(
        at=_instant(row["timestamp"]),
        count=_count(row.get("count")),
        lasting=MINUTE if seconds in (None, "") else _seconds(seconds),
    )


def _instant(value: object) -> datetime:
    with suppress(ValueError, OverflowError, OSError):  # what is wrong is said below, for all forms
        seconds = _number(value)
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        instant = datetime.fromisoformat(str(value))
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    hint = "write 2026-03-02T08:15:00Z, or seconds since 1970"
    raise _unusable("timestamp", f"timestamp {value!r} is not an instant", hint)


def _count(value: object) -> int:
    if value in (None, ""):
        return 1
    number = _number(value)
    if number is None or number < 0 or number != int(number):
        raise _unusable("count", f"count {value!r} is not a whole number of 0 or more")
    return int(number)


def _seconds(value: object) -> timedelta:
    number = _number(value)
    if number is None or not 0 <= number <= _LONGEST.total_seconds():
        raise _unusable("seconds", f"seconds {value!r} is not between 0 and a day")
    return timedelta(seconds=number)


def _number(value: object) -> float | None:
    """Return the number that a cell, or a value of JSON, is; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unusable(field: str, what: str, hint: str = "") -> InvalidInput:
    return InvalidInput(what, field=field, hint=hint)


def _wrong(name: str, number: int, what: str, hint: str = "") -> InvalidInput:
    return InvalidInput(f"{name}, line {number}: {what}", field="file", hint=hint)
