"""The text forms of time at this edge: the seed's own, beside ISO 8601 everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from parkade.domain.errors import InvalidInput

#: `TimeLeft` of a lease that is over.
NOTHING_LEFT = "0:00:00"

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def since(text: str, now: datetime, *, field: str = "since") -> datetime:
    """Read an instant, or how long ago it is: `7d`, `12h`, `90m`. Raises InvalidInput."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isdecimal() and int(number) <= 36500 * 24 * 60:
        try:
            return now - int(number) * _UNITS[unit]
        except OverflowError:
            pass  # longer ago than there are dates; told below
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None:
        raise InvalidInput(
            f"{field} {text[:80]!r} is no instant, and not how long ago one is",
            field=field,
            hint="write 7d, 12h or 90m, or an instant such as 2026-03-01T12:00:00Z",
        )
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def expiry_text(instant: datetime) -> str:
    """Write an instant as the seed does: `dd-mm-YYYY-HH-MM-SS` in UTC, without its fraction."""
    return instant.astimezone(UTC).strftime("%d-%m-%Y-%H-%M-%S")


def time_left_text(left: timedelta) -> str:
    """Write a duration as `H:MM:SS.ffffff`; `0:00:00` where none is left, never negative.

    Hours go on beyond 24, for clients that split the text at its colons.
    """
    if left <= timedelta(0):
        return NOTHING_LEFT
    seconds, microseconds = divmod(left // timedelta(microseconds=1), 1_000_000)
    whole_minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(whole_minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{microseconds:06}"
