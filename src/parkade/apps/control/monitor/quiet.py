"""Since when one variant or component is without use, and up to when that is written down.

A minute of no use has a point of zero once it is over. So a series without a hole tells, after a
restart, all that was known before it; a minute that is missing was not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parkade.domain.series import Point

MINUTE = timedelta(minutes=1)
NEVER = datetime.min.replace(tzinfo=UTC)


def minute(at: datetime) -> datetime:
    """Return the beginning of the minute that an instant lies in."""
    return at.replace(second=0, microsecond=0)


@dataclass(slots=True)
class Quiet:
    """What is known of the use of one thing."""

    #: Since when it is known to be without use, as far as it alone is concerned.
    since: datetime
    #: The first minute that may have no point yet.
    next_minute: datetime
    #: When use was last seen.
    used_at: datetime | None = None
    #: The newest minute that has a point.
    newest: datetime | None = None
    #: What was stored of it is not read yet, for this reason.
    unread: str = ""

    @classmethod
    def new(cls, now: datetime) -> Quiet:
        """Return what is known of something that has just come to be."""
        return cls(since=now, next_minute=minute(now))

    @classmethod
    def joining(cls, now: datetime, former: Sequence[Quiet]) -> Quiet:
        """Return what is known of something that has come to be in an endpoint that had others.

        Nobody can have used it before; its endpoint was used when the others were, even if they
        went as it came. So an update does not begin an idle time anew, nor hide a use.
        """
        if not former or any(each.unread for each in former):
            return cls.new(now)
        used = [each.used_at for each in former if each.used_at is not None]
        return cls(
            since=max(each.since for each in former),
            next_minute=minute(now),
            used_at=max(used, default=None),
        )

    @classmethod
    def old(cls, now: datetime, why: str) -> Quiet:
        """Return what is known, before that is read, of something that may have stored points."""
        return cls(since=NEVER, next_minute=minute(now), unread=why)

    def use(self, at: datetime, now: datetime) -> None:
        """Know that it was used at an instant, and what was counted is in the minute of now."""
        self.since = max(self.since, at)
        self.used_at = max(self.used_at or at, at)
        if at >= minute(now):
            self.newest = minute(now)
        if at >= self.next_minute:
            # The minutes from then to now were not all without use.
            self.next_minute = minute(now) + MINUTE

    def reset(self, now: datetime) -> None:
        """Know nothing of the time before: the clock was set."""
        self.since = now
        self.next_minute = minute(now) + MINUTE
        if self.used_at is not None:
            self.used_at = min(self.used_at, now)

    def skip(self, now: datetime) -> None:
        """Know that the minutes up to now get no zero: it is not in service."""
        self.next_minute = max(self.next_minute, minute(now))

    def over(self, now: datetime, known_since: datetime) -> Iterator[datetime]:
        """Give each minute that is over, was without use and known as a whole, for its zero."""
        if self.unread:
            return
        whole = minute(known_since)
        if whole < known_since:
            whole += MINUTE
        at = max(self.next_minute, whole)
        while at + MINUTE <= now:
            self.newest = at
            yield at
            at += MINUTE
        self.next_minute = max(self.next_minute, at)

    def recall(self, points: Sequence[Point], newest: datetime | None, now: datetime) -> None:
        """Take up what is stored; `newest` is the newest point of all things that are counted."""
        self.unread = ""
        if newest is None or not points or points[-1].at < newest - MINUTE:
            # It has come to be, or come back, since.
            self.since = max(self.since, now)
            return
        following = points[-1].at + MINUTE
        self.since = max(self.since, self._quiet(points))
        self.newest = max(self.newest or points[-1].at, points[-1].at)
        if self.used_at is None or self.used_at < following:
            self.next_minute = following
        else:
            self.next_minute = max(self.next_minute, minute(now) + MINUTE)

    def _quiet(self, points: Sequence[Point]) -> datetime:
        """Return from when on the points have neither use nor a hole."""
        expected = points[-1].at
        for point in reversed(points):
            if point.at != expected:
                break
            if point.value.total:
                used = expected + MINUTE
                self.used_at = max(self.used_at or used, used)
                return used
            expected -= MINUTE
        return expected + MINUTE
