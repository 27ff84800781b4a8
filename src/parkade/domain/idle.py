"""Idleness, and the proof of it.

An endpoint is idle for as long as **every** series that counts its invocations is known, and zero;
while no request is under way, and no asynchronous one waits. What is not known counts as busy: a
series that is missing, has a hole, or ends before now. So a monitor that fails, a gateway that is
away, or a clock that was set never makes an endpoint idle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.event import Json, in_minutes, written
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from parkade.domain.series import Series

SHORTEST_WINDOW = timedelta(minutes=1)
#: Of grace, window, and the wait before a lease goes.
LONGEST = timedelta(days=365)
MOST_WINDOWS = 10_000


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
    def unknown(self) -> str:
        """What a decision needs and is not known; empty where all of it is."""
        if not self.readings:
            return "no series is known of it"
        for each in self.readings:
            if each.quiet_since is None and not each.used:
                return f"{each.series}: {each.why}"
        for number, words in ((self.in_flight, "under way"), (self.backlog, "waiting")):
            if number is None:
                return f"it is not known how many requests are {words}"
        return ""

    @property
    def in_use(self) -> bool:
        """Whether there is use now, as far as it is known."""
        return bool(self.in_flight or self.backlog) or any(each.used for each in self.readings)

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

    def __post_init__(self) -> None:
        # Shorter windows than the minutes by which invocations are counted would tell nothing.
        for name, span, least in (
            ("grace", self.grace, timedelta(0)),
            ("window", self.window, SHORTEST_WINDOW),
            ("delete_after", self.delete_after, timedelta(0)),
        ):
            if span is not None and not least <= span <= LONGEST:
                raise InvalidInput(
                    f"{name} {duration(span)} is not within {duration(least)} to "
                    f"{duration(LONGEST)}",
                    field=name,
                )
        for name, count in (("notice_after", self.notice_after), ("stop_after", self.stop_after)):
            if count is not None and not 1 <= count <= MOST_WINDOWS:
                raise InvalidInput(
                    f"{name} {count} is not within 1 to {MOST_WINDOWS} windows", field=name
                )

    @property
    def stops_at(self) -> timedelta | None:
        """From InService to the stop, without any use; None: it is never stopped."""
        return None if self.stop_after is None else self.grace + self.window * self.stop_after

    @property
    def stops_after_use(self) -> timedelta | None:
        """From the last use to the stop; None: it is never stopped."""
        return None if self.stop_after is None else self.window * self.stop_after

    @property
    def ladder(self) -> tuple[timedelta, timedelta, int | None, int | None]:
        """What the windows follow from; by another one they begin anew."""
        return self.grace, self.window, self.notice_after, self.stop_after

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
        """Return these rules, with none of the cap's timers made longer.

        Where they would stop later than the cap does, first or after use, they stop as it does;
        where they would remove a lease later, or never, it goes as the cap has it.
        """
        rules = self
        if _later(self.stops_at, cap.stops_at) or _later(self.stops_after_use, cap.stops_after_use):
            rules = replace(rules, grace=cap.grace, window=cap.window, stop_after=cap.stop_after)
        if _later(rules.delete_after, cap.delete_after):
            rules = replace(rules, delete_after=cap.delete_after)
        return rules


def _later(timer: timedelta | None, cap: timedelta | None) -> bool:
    """Tell whether a timer is later than a cap; None is never."""
    return cap is not None and (timer is None or timer > cap)
