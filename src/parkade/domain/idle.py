"""Idleness, and the proof of it.

An endpoint is idle for as long as **every** series that counts its invocations is known, and zero;
while no request is under way, and no asynchronous one waits. What is not known counts as busy: a
series that is missing, has a hole, or ends before now. So a monitor that fails, a gateway that is
away, or a clock that was set never makes an endpoint idle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.event import Json, in_minutes, written

if TYPE_CHECKING:
    from parkade.domain.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of one series up to now."""

    series: Series
    #: Since when it is known, without a hole, and zero; None: it is not.
    quiet_since: datetime | None
    #: The newest point there is.
    newest: datetime | None
    #: Why it is not quiet, for people: `12 invocations at 12:03`, `no point since 12:03`.
    why: str = ""
    #: Whether that is because of invocations rather than for want of knowledge.
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How an endpoint is used, as of one instant. None: it is not known."""

    #: One for every variant and inference component.
    readings: tuple[Reading, ...]
    in_flight: int | None
    backlog: int | None
    #: When an invocation was last seen.
    used_at: datetime | None = None

    @property
    def quiet_since(self) -> datetime | None:
        """Since when all of it is known to be without use; None: it is used, or not known."""
        if self.why_not:
            return None
        return max(each.quiet_since for each in self.readings if each.quiet_since is not None)

    @property
    def why_not(self) -> str:
        """Why it cannot be said to be idle now; empty where it can."""
        if not self.readings:
            return "no series is known of it"
        for each in self.readings:
            if each.quiet_since is None:
                return f"{each.series}: {each.why}"
        for number, words in ((self.in_flight, "under way"), (self.backlog, "waiting")):
            if number is None:
                return f"it is not known how many requests are {words}"
            if number:
                return f"{number} request{'s' if number > 1 else ''} {words}"
        return ""

    @property
    def unknown(self) -> bool:
        """Whether something that a decision needs is not known."""
        return (
            not self.readings
            or self.in_flight is None
            or self.backlog is None
            or any(each.quiet_since is None and not each.used for each in self.readings)
        )

    def evidence(self) -> Json:
        """Write all of it down, as event data holds it."""
        return {
            "series": [
                {
                    "series": str(each.series),
                    "quiet_since": written(each.quiet_since) if each.quiet_since else None,
                    "newest_point": written(each.newest) if each.newest else None,
                    "why": each.why,
                }
                for each in self.readings
            ],
            "in_flight": self.in_flight,
            "backlog": self.backlog,
            "used_at": written(self.used_at) if self.used_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleRules:
    """When idleness has which consequence; counts are of windows without use, None: never."""

    #: From InService to the first window.
    grace: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(minutes=5)
    notice_after: int | None = 2
    stop_after: int | None = 3
    #: From a stop for idleness to the removal of the lease.
    delete_after: timedelta | None = None

    @property
    def stops_at(self) -> timedelta | None:
        """From InService to the stop, without any use; None: it is never stopped."""
        return None if self.stop_after is None else self.grace + self.window * self.stop_after

    def written(self) -> Json:
        """Write them down, as event data holds them."""
        return {
            "grace_minutes": in_minutes(self.grace),
            "window_minutes": in_minutes(self.window),
            "notice_after": self.notice_after,
            "stop_after": self.stop_after,
            "delete_after_minutes": None
            if self.delete_after is None
            else in_minutes(self.delete_after),
        }

    def within(self, cap: IdleRules) -> IdleRules:
        """Return these rules, or the cap where they would stop later than it does."""
        if cap.stops_at is None or (self.stops_at is not None and self.stops_at <= cap.stops_at):
            return self
        return cap
