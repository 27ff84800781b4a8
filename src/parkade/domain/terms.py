"""Terms: what an owner settled about a leased endpoint beside its time, and bookings ahead.

Terms belong to a lease and go with it. A booking stands by itself: it may make the lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parkade.domain.errors import InvalidInput
from parkade.domain.event import Json, in_minutes
from parkade.domain.idle import LONGEST, SHORTEST_WINDOW, IdleRules
from parkade.domain.spans import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Extension by use: while requests come, time is added before it runs out, up to a limit."""

    #: How much is added at a time.
    by: timedelta
    #: It is added when so little is left (the soft limit).
    when_left: timedelta
    #: How far beyond the time that people paid for it goes (the hard limit).
    at_most: timedelta

    def __post_init__(self) -> None:
        for name, span in (
            ("by", self.by),
            ("when_left", self.when_left),
            ("at_most", self.at_most),
        ):
            if span <= timedelta(0):
                raise InvalidInput(f"keep.{name} is not more than 0", field=f"keep.{name}")

    def words(self) -> str:
        """Say it for people."""
        return (
            f"use adds {duration(self.by)} when {duration(self.when_left)} are left, for at most "
            f"{duration(self.at_most)}"
        )

    def written(self) -> dict[str, Json]:
        """Write it down, as event data holds it."""
        return {
            "by_minutes": in_minutes(self.by),
            "when_left_minutes": in_minutes(self.when_left),
            "at_most_minutes": in_minutes(self.at_most),
        }


#: So long callers who say nothing may be held at most.
LONGEST_HOLD = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """After so long without use the endpoint has no workers until it is asked for."""

    #: Without use; None: it sleeps when it is told to.
    after: timedelta | None
    #: Whether the clock of its lease is paused while it sleeps.
    pauses: bool = False
    #: How long callers who say nothing of it are held while it wakes.
    hold: timedelta = timedelta(0)
    #: When this was settled: what was idle before does not count. Given by whoever stores it.
    since: datetime | None = None

    def __post_init__(self) -> None:
        # Shorter than the minutes by which invocations are counted would tell nothing.
        if self.after is not None and not SHORTEST_WINDOW <= self.after <= LONGEST:
            raise InvalidInput(
                f"sleep.after {duration(self.after)} is not within {duration(SHORTEST_WINDOW)} to "
                f"{duration(LONGEST)}",
                field="sleep.after",
            )
        if not timedelta(0) <= self.hold <= LONGEST_HOLD:
            raise InvalidInput(
                f"sleep.hold {duration(self.hold)} is not within 0 s to {duration(LONGEST_HOLD)}",
                field="sleep.hold",
            )

    def words(self) -> str:
        """Say it for people."""
        when = "when told to" if self.after is None else f"after {duration(self.after)} without use"
        clock = "its lease's clock is paused then" if self.pauses else "its lease's clock goes on"
        held = f"; callers are held for {duration(self.hold)}" if self.hold else ""
        return f"sleeps {when}; {clock}{held}"

    def written(self) -> dict[str, Json]:
        """Write it down, as event data holds it."""
        return {
            "after_minutes": None if self.after is None else in_minutes(self.after),
            "pauses": self.pauses,
            "hold_seconds": self.hold.total_seconds(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Requests start it again once its lease has run out: they buy time, up to a limit."""

    #: What one wake buys.
    minutes: timedelta
    #: What wakes buy together since the last coin of a person.
    at_most: timedelta

    def __post_init__(self) -> None:
        for name, span in (("minutes", self.minutes), ("at_most", self.at_most)):
            if not timedelta(0) < span <= LONGEST:
                raise InvalidInput(
                    f"wake.{name} {duration(span)} is not more than 0 and at most "
                    f"{duration(LONGEST)}",
                    field=f"wake.{name}",
                )
        if self.at_most < self.minutes:
            raise InvalidInput(
                f"wake.at_most {duration(self.at_most)} is less than the {duration(self.minutes)} "
                "that one wake buys",
                field="wake.at_most",
            )

    def words(self) -> str:
        """Say it for people."""
        return (
            f"a request wakes it for {duration(self.minutes)} once its lease has run out, for at "
            f"most {duration(self.at_most)} beyond what people paid for"
        )

    def written(self) -> dict[str, Json]:
        """Write it down, as event data holds it."""
        return {
            "minutes": in_minutes(self.minutes),
            "at_most_minutes": in_minutes(self.at_most),
        }


_WATCHED = {True: "the maintainer watches it", False: "the maintainer leaves it alone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is settled about one endpoint; the default settles nothing."""

    endpoint_name: str
    #: Whether the maintainer watches it; None: its tags say so.
    maintain: bool | None = None
    #: Its own ladder; None: what its tags, or the server's settings, say.
    idle: IdleRules | None = None
    keep: Keep | None = None
    #: Office hours in which it runs, as `mon-fri 09:00-17:00 Europe/Berlin`; empty: none.
    schedule: str = ""
    sleep: Sleep | None = None
    wake: Wake | None = None
    #: Counts writes, as a lease's does.
    version: int = 0

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing to keep."""
        settled = (self.idle, self.keep, self.schedule, self.sleep, self.wake)
        return self.maintain is None and not any(settled)

    def words(self) -> str:
        """Say what is settled, for people."""
        words = [] if self.maintain is None else [_WATCHED[self.maintain]]
        words += ["its own idle rules"] if self.idle else []
        words += [self.keep.words()] if self.keep else []
        words += [f"runs {self.schedule}"] if self.schedule else []
        words += [self.sleep.words()] if self.sleep else []
        words += [self.wake.words()] if self.wake else []
        return "; ".join(words) or "nothing is settled any more"

    def written(self) -> dict[str, Json]:
        """Write them down, as event data holds them."""
        return {
            "maintain": self.maintain,
            "idle": self.idle.written() if self.idle else None,
            "keep": self.keep.written() if self.keep else None,
            "schedule": self.schedule,
            "sleep": self.sleep.written() if self.sleep else None,
            "wake": self.wake.written() if self.wake else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Time that is bought to begin later: the endpoint is warm by then."""

    id: str
    endpoint_name: str
    config_name: str
    owner: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
