"""The wall clock of a place: when it shows a time, be that skipped or come twice.

Zones come from the system's time zone data, or from the package tzdata where it has none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion

#: Names of zone data that are no place: what they mean differs from machine to machine.
_NO_ZONES = {"localtime", "Factory"}
#: `2026-11-23T09:00`, then a zone: `Europe/Berlin`, in brackets or not, `+01:00` or `Z`.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?\[?([^\[\]]*)\]?")
_EXAMPLE = "write 2026-11-23T09:00[Europe/Berlin], 2026-11-23T09:00+01:00 or 2026-11-23T08:00Z"


def zone_named(name: str) -> str | None:
    """Return a time zone's name as it is spelt, whatever letters were capital; None: no zone."""
    return _zones().get(name.casefold())


def zone_suggestion(name: str) -> str:
    """Say which zone was probably meant, or return an empty text."""
    close = suggestion(name.casefold(), _zones())
    for key, spelt in _zones().items():
        close = close.replace(repr(key), repr(spelt))
    return close


def instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return when the wall clock shows this time: the first time, or the last.

    A time that clocks go forward over is the instant at which they do.
    """
    found = wall.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _jump(wall, zone)


def moment(text: str, *, field: str = "at") -> datetime:
    """Read an instant that names its zone. Raises InvalidInput that says what is missing."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"{field} {text[:80]!r} is no instant", field=field, hint=_EXAMPLE)
    time, place = match.groups()
    if not place:
        raise InvalidInput(f"{field} {text!r} names no time zone", field=field, hint=_EXAMPLE)
    by_offset = place in {"Z", "z"} or place[0] in "+-"
    zone = None if by_offset else zone_named(place)
    if zone is None and not by_offset:
        raise InvalidInput(
            f"{field} {text!r}: {place!r} is no time zone",
            field=field,
            hint=zone_suggestion(place) or _EXAMPLE,
        )
    try:
        if zone is not None:
            return instant(datetime.fromisoformat(time), ZoneInfo(zone))
        return datetime.fromisoformat(time + place.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{field} {text!r} is no instant: {error}", field=field, hint=_EXAMPLE
        ) from error


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Return all time zones by their names in small letters."""
    return {name.casefold(): name for name in sorted(available_timezones() - _NO_ZONES)}


def _jump(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks go forward over this time: between what it is by either offset."""
    late, early = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late
