"""Spans of time, written for people, and read as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from parkade.domain.errors import InvalidInput

_SPAN = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def duration(span: timedelta) -> str:
    """Write a duration for people: `0.2 s`, `42 s`, `9 min 58 s`, `3 h 5 min`, `2 d 4 h`."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, big, small, unit in (
        (86400, "d", "h", 3600),
        (3600, "h", "min", 60),
        (60, "min", "s", 1),
    ):
        if whole >= size:
            rest = whole % size // unit
            return f"{whole // size} {big} {rest} {small}" if rest else f"{whole // size} {big}"
    return f"{whole} s"


def read_span(text: str, *, field: str) -> timedelta:
    """Read `90s`, `5m`, `2h` or `1d`. Raises InvalidInput."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{field} {text[:80]!r} is not a span of time",
            field=field,
            hint="write a whole number and its unit: 90s, 5m, 2h or 1d",
        )
    return int(match[1]) * _UNITS[match[2]]
