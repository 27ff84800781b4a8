"""Scheduled actions: bounds that are set at a time, by `at`, `rate` or `cron`, in a time zone."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from parkade.domain import wallclock
from parkade.domain.errors import InvalidInput
from parkade.domain.scaling import cron
from parkade.domain.scaling.policy import key_of, require_name
from parkade.domain.scaling.target import LARGEST, Resource

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\((\d{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.*)\)")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f:/|]")
_EXAMPLE = "write at(2026-11-23T09:00:00), rate(5 minutes) or cron(0 9 ? * MON-FRI *)"
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
#: The longest rate: beyond, no instant is left to fire at.
_LONGEST = timedelta(days=36_500)
#: As in the years of `cron`; instants near the ends of all time cannot be told in other zones.
_YEARS = range(1970, 2200)
_NOT_WITHIN = f"not within {_YEARS[0]} to {_YEARS[-1]}"


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
            if instant is not None and instant.year not in _YEARS:
                raise InvalidInput(f"{name}: its year is {_NOT_WITHIN}", field=name)
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
        found = self._next(instant)
        if found is None or (self.ends_at is not None and found > self.ends_at):
            return None
        return found

    def due(self, now: datetime) -> datetime | None:
        """Return its newest time that has come and was not seen to; None: there is none.

        Several that were missed, while nobody was there to see, are one.
        """
        until = now if self.ends_at is None else min(now, self.ends_at)
        newest = self._newest(until)
        since = self.starts_at
        if newest is None or newest <= self.seen_to or (since is not None and newest < since):
            return None
        return newest

    def _newest(self, until: datetime) -> datetime | None:
        """Return the newest time until then, without counting every one that was missed."""
        if match := _AT.fullmatch(self.schedule):
            at = self._instant(datetime.fromisoformat(match[1]))
            return at if at <= until else None
        if _RATE.fullmatch(self.schedule):
            first, every = self._rate()
            return None if until < first else first + (until - first) // every * every
        match = _CRON.fullmatch(self.schedule)
        return None if match is None else self._newest_cron(cron.parse(match[1]), until)

    def _newest_cron(self, wanted: cron.Cron, until: datetime) -> datetime | None:
        times = tuple(wanted.times)
        # A day after, and a day before: where clocks change over midnight, dates are not in order.
        first = self.seen_to.astimezone(self._place).date() - timedelta(days=1)
        for day in wanted.days_back(until.astimezone(self._place).date() + timedelta(days=1)):
            if day < first:
                break  # it was seen to long ago
            passed = bisect_right(times, until, key=partial(self._at, day))
            if passed:
                return self._at(day, times[passed - 1])
        return None

    def _next(self, instant: datetime) -> datetime | None:
        if match := _AT.fullmatch(self.schedule):
            at = self._instant(datetime.fromisoformat(match[1]))
            return at if at > instant else None
        if _RATE.fullmatch(self.schedule):
            first, every = self._rate()
            if instant < first:
                return first
            return first + ((instant - first) // every + 1) * every
        match = _CRON.fullmatch(self.schedule)
        return None if match is None else self._next_cron(cron.parse(match[1]), instant)

    def _next_cron(self, wanted: cron.Cron, instant: datetime) -> datetime | None:
        times = tuple(wanted.times)
        first = instant.astimezone(self._place).date() - timedelta(days=1)
        # A day before: where clocks go back over midnight, what is later may have an earlier date.
        for day in wanted.days(first):
            passed = bisect_right(times, instant, key=partial(self._at, day))
            if passed < len(times):
                return self._at(day, times[passed])
        return None

    def _at(self, day: date, clock: tuple[int, int]) -> datetime:
        """Return when the wall clock shows this; never earlier for what is later on it."""
        return self._instant(datetime.combine(day, time(*clock)))

    def _rate(self) -> tuple[datetime, timedelta]:
        """Return when a rate first fires, and how long it is from one time to the next."""
        every = require_schedule(self.schedule, self.zone)
        if self.starts_at is not None:
            return self.starts_at, every
        return self.created_at + every, every

    def _instant(self, wall: datetime) -> datetime:
        return wallclock.instant(wall, self._place).astimezone(UTC)

    @property
    def _place(self) -> ZoneInfo:
        return ZoneInfo(self.zone or "UTC")


def require_schedule(text: str, zone: str) -> timedelta:
    """Raise InvalidInput for what is no schedule; return the span of a rate, else none."""
    if zone and wallclock.zone_named(zone) != zone:
        raise InvalidInput(
            f"Timezone {zone[:80]!r} is no time zone",
            field="Timezone",
            hint=wallclock.zone_suggestion(zone) or "name one such as Europe/Berlin",
        )
    if match := _AT.fullmatch(text):
        try:
            wall = datetime.fromisoformat(match[1])
        except ValueError as error:
            raise _wrong(text, str(error)) from error
        if wall.year not in _YEARS:
            raise _wrong(text, f"its year is {_NOT_WITHIN}")
        return timedelta(0)
    if match := _RATE.fullmatch(text):
        count = int(match[1])
        if not count or (count == 1) == bool(match[3]):
            raise _wrong(text, "write rate(1 minute), but rate(2 minutes)")
        every = count * _UNITS[match[2]]
        if every > _LONGEST:
            raise _wrong(text, f"it is longer than {_LONGEST.days} days")
        return every
    if match := _CRON.fullmatch(text):
        cron.parse(match[1])
        return timedelta(0)
    raise _wrong(text, "it is neither at(...), rate(...) nor cron(...)")


def _wrong(text: str, what: str) -> InvalidInput:
    return InvalidInput(f"Schedule {text[:200]!r}: {what}", field="Schedule", hint=_EXAMPLE)
