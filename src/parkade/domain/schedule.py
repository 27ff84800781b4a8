"""Office hours: when an endpoint runs without anybody's coin.

    mon-fri 09:00-17:00 Europe/Berlin
    mon,wed fri 09:00-12:00,13:00-17:00; sat 22:00-06:00 Europe/Berlin

A rule is days, then times; a time zone ends a rule and holds for those before it that name none.
Commas and semicolons may be left out, so that a tag can carry it. Times are of the wall clock: one
that does not exist, because clocks go forward over it, is the instant of that jump; of one that
comes twice the first counts for openings and the last for closings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from parkade.domain import wallclock
from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = re.compile(r"([a-z]+)(?:-([a-z]+))?")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_WORD = re.compile(r"[^\s,;]+")
_MIDNIGHT = 24 * 60
_EXAMPLE = "write it as mon-fri 09:00-17:00 Europe/Berlin"
#: An opening lasts less than a week, so that this far around an instant is all that can matter.
_BEFORE, _AFTER = 9, 17
#: Days in summer and winter on which it is tried whether a schedule ever closes.
_TRIALS = (date(2026, 1, 7), date(2026, 7, 8))
LIMIT = 400


@dataclass(frozen=True, slots=True)
class Opening:
    """One time in which it is open: from `opens_at`, up to and without `closes_at`."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """Times of the wall clock on days of the week."""

    #: 0 is Monday.
    days: tuple[int, ...]
    #: In minutes of the day; over midnight they end beyond 1440.
    spans: tuple[tuple[int, int], ...]
    zone: str

    def __str__(self) -> str:
        spans = ",".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in self.spans)
        return f"{_day_words(self.days)} {spans} {self.zone}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Office hours; as text they are in the form that every reader takes."""

    rules: tuple[Rule, ...]

    def __str__(self) -> str:
        return "; ".join(str(rule) for rule in self.rules)

    def open_at(self, now: datetime) -> Opening | None:
        """Return the opening that `now` is in; None: it is closed."""
        for opening in self.around(now):
            if opening.opens_at <= now < opening.closes_at:
                return opening
        return None

    def next_after(self, now: datetime) -> Opening | None:
        """Return the first opening that begins later than `now`.

        None: there is none within two weeks, for clocks go forward over it.
        """
        return next((each for each in self.around(now) if each.opens_at > now), None)

    def around(self, now: datetime) -> tuple[Opening, ...]:
        """Return the openings of a week before `now` to two weeks after it, in order.

        They neither overlap nor touch: what does is one opening.
        """
        return _around(self, now.astimezone(UTC).date())


@lru_cache(maxsize=1024)
def parse(text: str, *, field: str = "schedule") -> Schedule:
    """Read office hours. Raises InvalidInput that names the word that is wrong."""
    if len(text) > LIMIT:
        raise InvalidInput(
            f"{field} has {len(text)} characters; {LIMIT} are the most", field=field, hint=_EXAMPLE
        )
    schedule = Schedule(tuple(_Reader(text, field).rules()))
    for day in _TRIALS:
        if len(_around(schedule, day)) == 1:
            raise InvalidInput(
                f"{field} {text!r} never closes",
                field=field,
                hint="office hours leave a time in which the endpoint may stop",
            )
    return schedule


class _Reader:
    """Reads word by word: days, times, a zone."""

    def __init__(self, text: str, field: str) -> None:
        self._text = text
        self._field = field
        self._days: list[int] = []
        self._spans: list[tuple[int, int]] = []
        #: Rules that wait for their zone.
        self._waiting: list[tuple[tuple[int, ...], tuple[tuple[int, int], ...]]] = []

    def rules(self) -> list[Rule]:
        found: list[Rule] = []
        for number, match in enumerate(_WORD.finditer(self._text), 1):
            word = match.group()
            if word[0].isdigit():
                self._times(word, number)
            elif self._is_day(word):
                self._day(word, number)
            elif self._spans:
                zone = self._zone(word, number)
                self._finish()
                found += [Rule(days, spans, zone) for days, spans in self._waiting]
                self._waiting.clear()
            else:
                raise self._wrong(word, number, "is no day", suggestion(word.lower(), _DAYS))
        self._require_end(found)
        return found

    def _require_end(self, found: list[Rule]) -> None:
        if self._days and not self._spans:
            raise self._short("its last days have no times")
        if self._spans or self._waiting:
            raise self._short("it names no time zone")
        if not found:
            raise self._short("it is empty")

    def _is_day(self, word: str) -> bool:
        match = _DAY.fullmatch(word.lower())
        return match is not None and (_number(match[1]) is not None or _short_day(match))

    def _day(self, word: str, number: int) -> None:
        if self._spans:
            self._finish()
        first, _, last = word.lower().partition("-")
        ends = [_number(each) for each in (first, last or first)]
        for name, end in zip((first, last), ends, strict=True):
            if end is None:
                raise self._wrong(word, number, f"{name!r} is no day", suggestion(name, _DAYS))
        begin, end = ends[0] or 0, ends[1] or 0
        self._days += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]

    def _times(self, word: str, number: int) -> None:
        match = _SPAN.fullmatch(word)
        if match is None:
            raise self._wrong(word, number, "is no time from and to", "write it as 09:00-17:00")
        if not self._days:
            raise self._wrong(word, number, "comes before any day", _EXAMPLE)
        hours = [int(match[1]), int(match[3])]
        minutes = [int(match[2]), int(match[4])]
        begin, end = (hour * 60 + minute for hour, minute in zip(hours, minutes, strict=True))
        if max(minutes) > 59 or max(hours) > 24 or end > _MIDNIGHT:
            raise self._wrong(word, number, "is no time of a day", "times go from 00:00 to 24:00")
        if begin >= _MIDNIGHT:
            raise self._wrong(word, number, "begins at 24:00", "write 00:00, of the next day")
        if begin == end:
            raise self._wrong(word, number, "is no time at all", "a whole day is 00:00-24:00")
        self._spans.append((begin, end if end > begin else end + _MIDNIGHT))

    def _zone(self, word: str, number: int) -> str:
        zone = wallclock.zone_named(word)
        if zone is None:
            hint = wallclock.zone_suggestion(word) or "name one such as Europe/Berlin, or UTC"
            raise self._wrong(word, number, "is no time zone", hint)
        return zone

    def _finish(self) -> None:
        self._waiting.append((tuple(sorted(set(self._days))), tuple(sorted(set(self._spans)))))
        self._days, self._spans = [], []

    def _wrong(self, word: str, number: int, what: str, hint: str) -> InvalidInput:
        return InvalidInput(
            f"{self._field} {self._text!r}: word {number}, {word!r}: {what}",
            field=self._field,
            hint=hint or _EXAMPLE,
        )

    def _short(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"{self._field} {self._text!r}: {what}", field=self._field, hint=_EXAMPLE
        )


def _number(name: str) -> int | None:
    """Return the day's place in the week, by its name or the first three letters of it."""
    for number, full in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ):
        if name in {full, full[:3]}:
            return number
    return None


def _short_day(match: re.Match[str]) -> bool:
    """Tell whether a word is meant as a range of days, though the first is misspelt."""
    return match[2] is not None and _number(match[2]) is not None


@lru_cache(maxsize=4096)
def _around(schedule: Schedule, day: date) -> tuple[Opening, ...]:
    days = [day + timedelta(days=offset) for offset in range(-_BEFORE, _AFTER + 1)]
    found = sorted(_spans(schedule, days), key=lambda each: (each.opens_at, each.closes_at))
    return tuple(_merged(found))


def _spans(schedule: Schedule, days: list[date]) -> Iterator[Opening]:
    for rule in schedule.rules:
        zone = ZoneInfo(rule.zone)
        for day in days:
            if day.weekday() not in rule.days:
                continue
            for begin, end in rule.spans:
                opens = _at(day, begin, zone, last=False)
                closes = _at(day, end, zone, last=True)
                if opens < closes:  # clocks may go forward over all of it
                    yield Opening(opens, closes)


def _merged(found: Iterable[Opening]) -> Iterator[Opening]:
    last: Opening | None = None
    for each in found:
        if last is None:
            last = each
        elif each.opens_at <= last.closes_at:
            last = Opening(last.opens_at, max(last.closes_at, each.closes_at))
        else:
            yield last
            last = each
    if last is not None:
        yield last


def _at(day: date, minute: int, zone: ZoneInfo, *, last: bool) -> datetime:
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return wallclock.instant(wall, zone, last=last)


def _clock(minute: int) -> str:
    shown = minute if minute <= _MIDNIGHT else minute - _MIDNIGHT
    return f"{shown // 60:02}:{shown % 60:02}"


def _day_words(days: tuple[int, ...]) -> str:
    """Write days as ranges where three or more follow each other."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    words: list[str] = []
    for run in runs:
        names = [_DAYS[day] for day in run]
        words += [f"{names[0]}-{names[-1]}"] if len(run) > 2 else names
    return ",".join(words)
