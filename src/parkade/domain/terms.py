"""Terms: what an owner settled about a leased endpoint beside its time, and bookings ahead.

Terms belong to a lease and go with it. A booking stands by itself: it may make the lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parkade.domain.errors import InvalidInput
from parkade.domain.event import Json, in_minutes
from parkade.domain.idle import IdleRules  # noqa: TC001
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
    #: Counts writes, as a lease's does.
    version: int = 0

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing to keep."""
        return self.maintain is None and not (self.idle or self.keep or self.schedule)

    def words(self) -> str:
        """Say what is settled, for people."""
        words = [] if self.maintain is None else [_WATCHED[self.maintain]]
        words += ["its own idle rules"] if self.idle else []
        words += [self.keep.words()] if self.keep else []
        words += [f"runs {self.schedule}"] if self.schedule else []
        return "; ".join(words) or "nothing is settled any more"

    def written(self) -> dict[str, Json]:
        """Write them down, as event data holds them."""
        return {
            "maintain": self.maintain,
            "idle": self.idle.written() if self.idle else None,
            "keep": self.keep.written() if self.keep else None,
            "schedule": self.schedule,
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
