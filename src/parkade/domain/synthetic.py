"""Synthetic teams: invocations as people and their programs make them, the same for the same seed.

Every team has an endpoint that its people use in bursts through their working days, and one more
of a kind of its own: a batch job at night, an experiment that is forgotten, a service that never
rests, a hobby of the weekend, a demonstration now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput
from parkade.domain.simulation.traffic import MINUTE, Burst, Period, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: A Monday: weeks begin with it, so that weekends are where people expect them.
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
MOST_TEAMS, MOST_DAYS = 200, 366
_ANIMALS = (
    "ants", "bees", "cats", "dogs", "elks", "foxes", "geese", "hares", "ibises", "jays", "kites",
    "larks", "moles", "newts", "owls", "pikes", "quails", "rooks", "seals", "toads",
)  # fmt: skip
_WEEK, _WORKDAYS = 7, 5
_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One endpoint of a team: who uses it and how, in words and in invocations."""

    endpoint_name: str
    words: str
    traffic: Traffic


def teams(count: int, *, days: int, seed: int, first: datetime = FIRST_DAY) -> tuple[Habit, ...]:
    """Return the endpoints of so many teams, over so many days from midnight UTC of the first."""
    if not 1 <= count <= MOST_TEAMS:
        raise InvalidInput(f"{count} teams are not between 1 and {MOST_TEAMS}", field="teams")
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"{days} days are not between 1 and {MOST_DAYS}", field="days")
    calendar = _Calendar(first, days)
    habits: list[Habit] = []
    for number in range(count):
        # Each team has dice of its own: one more team changes nothing about the others.
        dice = Random(f"{seed} {number}")  # noqa: S311  nothing secret is drawn
        round_, animal = divmod(number, len(_ANIMALS))
        team = f"{_ANIMALS[animal]}{round_ + 1 if round_ else ''}"
        suffix, other = _OTHERS[number % len(_OTHERS)]
        habits += [
            _habit(f"{team}-lab", _people(dice, calendar), calendar),
            _habit(f"{team}-{suffix}", other(dice, calendar), calendar),
        ]
    return tuple(habits)


def period(days: int, first: datetime = FIRST_DAY) -> Period:
    """Return the time that the invocations of so many days are from."""
    return Period(start=first, end=first + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The days that are drawn."""

    first: datetime
    days: int

    def workdays(self) -> Iterator[int]:
        return (day for day in range(self.days) if self.weekday(day) < _WORKDAYS)

    def weekend(self) -> Iterator[int]:
        return (day for day in range(self.days) if self.weekday(day) >= _WORKDAYS)

    def weekday(self, day: int) -> int:
        return (self.first.weekday() + day) % _WEEK


#: What is said of an endpoint, and its requests by the minute since the first midnight.
_Drawn = tuple[str, dict[int, int]]


def _habit(name: str, drawn: _Drawn, calendar: _Calendar) -> Habit:
    words, requests = drawn
    bursts = (
        Burst(at=calendar.first + MINUTE * minute, count=count)
        for minute, count in requests.items()
        if count and minute < calendar.days * _DAY  # what runs past the end is not seen
    )
    return Habit(endpoint_name=name, words=words, traffic=Traffic(bursts))


def _people(dice: Random, calendar: _Calendar) -> _Drawn:
    people = dice.randint(2, 5)
    begins = [dice.randint(7 * 60, 10 * 60) for _ in range(people)]
    ends = [begin + dice.randint(7 * 60, 9 * 60) for begin in begins]
    requests: dict[int, int] = {}
    for begin, end in zip(begins, ends, strict=True):
        for day in calendar.workdays():
            if dice.random() < 0.85:  # else away, or in meetings all day
                _session(dice, requests, day * _DAY + begin, day * _DAY + end)
    words = (
        f"{people} people on weekdays, from {_clock(min(begins))} to {_clock(max(ends))}, in "
        "bursts of some minutes"
    )
    return words, requests


def _session(dice: Random, requests: dict[int, int], begin: int, end: int) -> None:
    """Draw a person's day: bursts with breaks that are mostly short and sometimes long."""
    minute = begin + dice.randint(0, 30)
    while minute < end:
        for at in range(minute, min(end, minute + dice.randint(3, 25))):
            if dice.random() < 0.6:
                requests[at] = requests.get(at, 0) + dice.randint(1, 4)
            minute = at
        minute += dice.choice((8, 15, 25, 50, 90, 150)) + dice.randint(0, 10)


def _batch(dice: Random, calendar: _Calendar) -> _Drawn:
    begin, length, rate = dice.randint(0, 4 * 60), dice.randint(20, 90), dice.randint(50, 400)
    requests = {
        day * _DAY + minute: round(rate * dice.uniform(0.8, 1.2))
        for day in range(calendar.days)
        for minute in range(begin, begin + dice.randint(length // 2, length))
    }
    return f"a batch job every night at {_clock(begin)}, for up to {length} minutes", requests


def _forgotten(dice: Random, calendar: _Calendar) -> _Drawn:
    requests: dict[int, int] = {}
    days = list(calendar.workdays())[: dice.randint(1, 2)]
    for day in days:
        _session(dice, requests, day * _DAY + 9 * 60, day * _DAY + 18 * 60)
    if days:  # somebody looks once more, much later
        late = min(days[-1] + dice.randint(5, 9), calendar.days - 1) * _DAY + 15 * 60
        requests[late] = requests.get(late, 0) + 2
    length = "two days" if len(days) > 1 else "a day"
    return f"an experiment of {length}, then forgotten but for one more look", requests


def _service(dice: Random, calendar: _Calendar) -> _Drawn:
    rate = dice.randint(3, 30)
    requests = {
        day * _DAY + minute: _poisson(dice, rate * _daylight(minute))
        for day in range(calendar.days)
        for minute in range(_DAY)
    }
    words = f"a service for customers, round the clock, up to {rate} requests a minute at noon"
    return words, requests


def _weekend(dice: Random, calendar: _Calendar) -> _Drawn:
    requests: dict[int, int] = {}
    for day in calendar.weekend():
        begin = day * _DAY + dice.randint(10 * 60, 15 * 60)
        _session(dice, requests, begin, begin + dice.randint(2 * 60, 5 * 60))
    return "a hobby of the weekend, some hours a day", requests


def _demonstration(dice: Random, calendar: _Calendar) -> _Drawn:
    requests: dict[int, int] = {}
    shown = 0
    for day in calendar.workdays():
        if dice.random() < 0.3:
            begin = day * _DAY + dice.choice((10, 11, 14, 15, 16)) * 60
            requests |= {begin + at: dice.randint(1, 3) for at in range(0, 30, 2)}
            shown += 1
    return f"demonstrations of half an hour when a customer comes, {shown} in all", requests


#: The second endpoints of teams, in turn.
_OTHERS: Sequence[tuple[str, Callable[[Random, _Calendar], _Drawn]]] = (
    ("nightly", _batch),
    ("trial", _forgotten),
    ("live", _service),
    ("hobby", _weekend),
    ("demo", _demonstration),
)


def _daylight(minute: int) -> float:
    """Return how busy customers are at a minute of the day: a tenth at night, all at noon."""
    distance = abs(minute - 12 * 60) / (12 * 60)
    return 1.0 - 0.9 * distance


def _poisson(dice: Random, mean: float) -> int:
    """Draw a number of independent arrivals."""
    count, left = 0, dice.expovariate(1.0)
    while left < mean:
        count += 1
        left += dice.expovariate(1.0)
    return count


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
