"""The text forms of time at this edge: the seed's own, beside ISO 8601 everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: `TimeLeft` of a lease that is over.
NOTHING_LEFT = "0:00:00"


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
