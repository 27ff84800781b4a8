"""Cron expressions of AWS's: six fields, and the days on which they fire.

    minutes  hours  day of month  month  day of week  year
    0-59     0-23   1-31          1-12   1-7, 1 = SUN 1970-2199

Fields are `*`, lists, ranges and increments (`0/15`); months and days have names. One of the two
day fields is `?`. Of the month's days `L` is the last and `15W` the weekday nearest to the 15th; of
the week's days `L` is Saturday, `6L` the last Friday of a month and `3#2` its second Tuesday.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NEAREST = re.compile(r"(\d{1,2})W")
_LAST = re.compile(r"([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L")
_NUMBERED = re.compile(r"([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#([1-5])")
_EXAMPLE = "write six fields such as cron(0 9 ? * MON-FRI *)"
FIELDS = 6


@dataclass(frozen=True, slots=True)
class Cron:
    """What an expression asks for."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    #: A field of days as it was given; `?`: the other one says which.
    of_month: str
    of_week: str

    def days(self, first: date) -> Iterator[date]:
        """Give the days that it fires on, from `first` on, in order."""
        year, month = first.year, first.month
        last = max(self.years)
        while year <= last:
            if year in self.years and month in self.months:
                for day in _days(self.of_month, self.of_week, year, month):
                    if day >= first:
                        yield day
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)

    def days_back(self, last: date) -> Iterator[date]:
        """Give the days that it fires on, from `last` back, in that order."""
        year, month = last.year, last.month
        first = min(self.years)
        while year >= first:
            if year in self.years and month in self.months:
                for day in reversed(_days(self.of_month, self.of_week, year, month)):
                    if day <= last:
                        yield day
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)

    @property
    def times(self) -> Iterator[tuple[int, int]]:
        """Give the hours and minutes of a day, in order."""
        return ((hour, minute) for hour in self.hours for minute in self.minutes)


@lru_cache(maxsize=1024)
def parse(text: str, *, field: str = "Schedule") -> Cron:
    """Read what is between the brackets. Raises InvalidInput that names what is wrong."""
    words = text.upper().split()
    if len(words) != FIELDS:
        raise _wrong(text, f"it has {len(words)} fields instead of {FIELDS}", field)
    minutes, hours, of_month, month, of_week, year = words
    if (of_month == "?") == (of_week == "?"):
        raise _wrong(text, "exactly one of day of month and day of week has to be ?", field)
    try:
        found = Cron(
            minutes=tuple(_values(minutes, 0, 59)),
            hours=tuple(_values(hours, 0, 23)),
            months=frozenset(_values(month, 1, 12, _MONTHS)),
            years=frozenset(_values(year, 1970, 2199)),
            of_month=_checked_month(of_month),
            of_week=_checked_week(of_week),
        )
    except ValueError as error:
        raise _wrong(text, str(error), field) from error
    return found


def _checked_month(word: str) -> str:
    nearest = _NEAREST.fullmatch(word)
    if nearest is not None:
        _values(nearest[1], 1, 31)
    elif word not in {"?", "L", "LW"}:
        _values(word, 1, 31)
    return word


def _checked_week(word: str) -> str:
    if word not in {"?", "L"} and not _LAST.fullmatch(word) and not _NUMBERED.fullmatch(word):
        _values(word, 1, 7, _DAYS)
    return word


def _values(word: str, least: int, most: int, names: tuple[str, ...] = ()) -> list[int]:
    """Return the numbers that a field is for, in order. Raises ValueError."""
    found: set[int] = set()
    for part in word.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        if span == "*":
            first, last = least, most
        else:
            first = _number(begin, least, most, names)
            last = _number(end, least, most, names) if end else (most if step else first)
        if step and (not step.isdecimal() or int(step) < 1):
            raise ValueError(f"{step!r} in {word!r} is no increment")
        if first > last and not names:
            raise ValueError(f"{span!r} in {word!r} ends before it begins")
        if first > last:  # FRI-MON goes over the end of the week, NOV-FEB over that of the year
            last += most - least + 1
        steps = range(first, last + 1, int(step) if step else 1)
        found |= {(value - least) % (most - least + 1) + least for value in steps}
    return sorted(found)


def _number(word: str, least: int, most: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + least
    if not word.isdecimal() or not least <= int(word) <= most:
        raise ValueError(f"{word!r} is not within {least} to {most}")
    return int(word)


@lru_cache(maxsize=4096)
def _days(of_month: str, of_week: str, year: int, month: int) -> tuple[date, ...]:
    length = calendar.monthrange(year, month)[1]
    days = [date(year, month, day) for day in range(1, length + 1)]
    if of_week == "?":
        return tuple(_of_month(of_month, days))
    return tuple(_of_week(of_week, days))


def _of_month(word: str, days: list[date]) -> Iterator[date]:
    if word == "L":
        yield days[-1]
    elif word == "LW":
        yield _weekday(days, len(days))
    elif match := _NEAREST.fullmatch(word):
        if int(match[1]) <= len(days):
            yield _weekday(days, int(match[1]))
    else:
        wanted = _values(word, 1, 31)
        yield from (day for day in days if day.day in wanted)


def _weekday(days: list[date], number: int) -> date:
    """Return the weekday nearest to a day, within its month."""
    day = days[number - 1]
    move = {5: -1, 6: 1}.get(day.weekday(), 0)
    if not 1 <= number + move <= len(days):
        move = -2 if move > 0 else 2
    return day + timedelta(days=move)


def _of_week(word: str, days: list[date]) -> Iterator[date]:
    if word == "L":
        word = "7"
    if match := _LAST.fullmatch(word):
        yield [day for day in days if _week_number(day) == _values(match[1], 1, 7, _DAYS)[0]][-1]
    elif match := _NUMBERED.fullmatch(word):
        found = [day for day in days if _week_number(day) == _values(match[1], 1, 7, _DAYS)[0]]
        yield from found[int(match[2]) - 1 : int(match[2])]
    else:
        wanted = _values(word, 1, 7, _DAYS)
        yield from (day for day in days if _week_number(day) in wanted)


def _week_number(day: date) -> int:
    """Return 1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1


def _wrong(text: str, what: str, field: str) -> InvalidInput:
    return InvalidInput(f"{field} cron({text[:200]}): {what}", field=field, hint=_EXAMPLE)
