"""Scheduled actions: bounds that are set at a time, by `at`, `rate` or `cron`, in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from parkade.domain.errors import InvalidInput
from parkade.domain.scaling.policy import key_of, require_name
from parkade.domain.scaling.target import LARGEST, Resource
from parkade.domain.timing import NOT_WITHIN, YEARS, Timing, require_schedule

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f:/|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAction:
    """Sets the bounds of a target when its time has come. `version` counts its writes."""

    name: str
    resource: Resource
    #: As it was given: `at(...)`, `rate(...)` or `cron(...)`.
    schedule: str
    created_at: datetime
    id: str
    #: Of the wall clock that `at` and `cron` are read from; empty: UTC.
    zone: str = ""
    #: MinCapacity and MaxCapacity to be; None: as it was.
    least: int | None = None
    most: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    #: The newest time of it that has been seen to, or that came before it was made.
    seen_to: datetime
    version: int = 0

    def __post_init__(self) -> None:
        """Raise InvalidInput for what never can be done."""
        require_name(self.name, "ScheduledActionName")
        if _FORBIDDEN.search(self.name):
            raise InvalidInput(
                f"ScheduledActionName {self.name[:80]!r} has a character that is not allowed",
                field="ScheduledActionName",
                hint="leave out ':', '/' and '|'",
            )
        require_schedule(self.schedule, self.zone)
        if self.least is None and self.most is None:
            raise InvalidInput(
                "ScalableTargetAction has neither MinCapacity nor MaxCapacity",
                field="ScalableTargetAction",
                hint="give one of them at least",
            )
        for value, name in ((self.least, "MinCapacity"), (self.most, "MaxCapacity")):
            if value is not None and not 0 <= value <= LARGEST:
                raise InvalidInput(f"{name} {value} is not within 0 to {LARGEST}", field=name)
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InvalidInput(
                f"MinCapacity {self.least} is more than MaxCapacity {self.most}",
                field="MinCapacity",
            )
        for instant, name in ((self.starts_at, "StartTime"), (self.ends_at, "EndTime")):
            if instant is not None and instant.year not in YEARS:
                raise InvalidInput(f"{name}: its year is {NOT_WITHIN}", field=name)
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise InvalidInput(
                f"EndTime {self.ends_at:%Y-%m-%d %H:%M} is not after StartTime", field="EndTime"
            )

    @property
    def key(self) -> str:
        """What stores know it by."""
        return key_of(self.resource, self.name)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return its first time after an instant; None: there is none any more."""
        if self.starts_at is not None:
            # Its first time may be the very instant that it starts at.
            instant = max(instant, self.starts_at - timedelta(microseconds=1))
        found = self._timing.following(instant)
        if found is None or (self.ends_at is not None and found > self.ends_at):
            return None
        return found

    def due(self, now: datetime) -> datetime | None:
        """Return its newest time that has come and was not seen to; None: there is none.

        Several that were missed, while nobody was there to see, are one.
        """
        until = now if self.ends_at is None else min(now, self.ends_at)
        newest = self._timing.newest(until, self.seen_to)
        since = self.starts_at
        if newest is None or newest <= self.seen_to or (since is not None and newest < since):
            return None
        return newest

    @property
    def _timing(self) -> Timing:
        if self.starts_at is not None:
            first = self.starts_at
        else:
            # Of an `at` or a `cron` the span is none, and the first time is not looked at.
            first = self.created_at + require_schedule(self.schedule, self.zone)
        return Timing(schedule=self.schedule, zone=self.zone, first=first)
