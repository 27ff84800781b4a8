"""When something that is done by a schedule is due: `at(...)`, `rate(...)` and `cron(...)`."""

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

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\((\d{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.*)\)")
_EXAMPLE = "write at(2026-11-23T09:00:00), rate(5 minutes) or cron(0 9 ? * MON-FRI *)"
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
#: The longest rate: beyond, no instant is left to fire at.
_LONGEST = timedelta(days=36_500)
#: As in the years of `cron`; instants near the ends of all time cannot be told in other zones.
YEARS = range(1970, 2200)
NOT_WITHIN = f"not within {YEARS[0]} to {YEARS[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A schedule, and when it begins to count."""

    #: As it was given: `at(...)`, `rate(...)` or `cron(...)`.
    schedule: str
    #: Of the wall clock that `at` and `cron` are read from; empty: UTC.
    zone: str = ""
    #: When a rate first fires.
    first: datetime

    def newest(self, until: datetime, since: datetime) -> datetime | None:
        """Return its newest time until then, without counting every one since `since`."""
        if match := _AT.fullmatch(self.schedule):
            at = self._instant(datetime.fromisoformat(match[1]))
            return at if at <= until else None
        if _RATE.fullmatch(self.schedule):
            every = require_schedule(self.schedule, self.zone)
            return None if until < self.first else until - (until - self.first) % every
        match = _CRON.fullmatch(self.schedule)
        return None if match is None else self._newest_cron(cron.parse(match[1]), until, since)

    def following(self, instant: datetime) -> datetime | None:
        """Return its first time after an instant; None: there is none any more."""
        if match := _AT.fullmatch(self.schedule):
            at = self._instant(datetime.fromisoformat(match[1]))
            return at if at > instant else None
        if _RATE.fullmatch(self.schedule):
            every = require_schedule(self.schedule, self.zone)
            if instant < self.first:
                return self.first
            return self.first + ((instant - self.first) // every + 1) * every
        match = _CRON.fullmatch(self.schedule)
        return None if match is None else self._following_cron(cron.parse(match[1]), instant)

    def _newest_cron(self, wanted: cron.Cron, until: datetime, since: datetime) -> datetime | None:
        times = tuple(wanted.times)
        # A day after, and a day before: where clocks change over midnight, dates are not in order.
        first = since.astimezone(self._place).date() - timedelta(days=1)
        for day in wanted.days_back(until.astimezone(self._place).date() + timedelta(days=1)):
            if day < first:
                break  # it was seen to long ago
            passed = bisect_right(times, until, key=partial(self._at, day))
            if passed:
                return self._at(day, times[passed - 1])
        return None

    def _following_cron(self, wanted: cron.Cron, instant: datetime) -> datetime | None:
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
        if wall.year not in YEARS:
            raise _wrong(text, f"its year is {NOT_WITHIN}")
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
