"""Invocations as a simulation replays them: how many came when, and how long they took."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Invocations are recorded by the minute: in which part of it they came is not known.
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Requests that came at an instant, or within the minute that begins there."""

    at: datetime
    count: int = 1
    #: How long they kept the endpoint busy.
    lasting: timedelta = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time that is simulated: `start <= instant < end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @classmethod
    def around(cls, bursts: Iterable[Burst]) -> Period | None:
        """Return the whole UTC days that hold all the bursts; None: there are none."""
        instants = [each.at for each in bursts]
        if not instants:
            return None
        return cls(start=_midnight(min(instants)), end=_midnight(max(instants)) + timedelta(days=1))


class Traffic:
    """The requests to one endpoint in the order of time, summed up so that spans cost nothing."""

    def __init__(self, bursts: Iterable[Burst]) -> None:
        """Take the bursts, in any order."""
        self.bursts = tuple(sorted(bursts, key=lambda burst: burst.at))
        self._at = [burst.at for burst in self.bursts]
        self._requests = [0, *accumulate(burst.count for burst in self.bursts)]
        self._busy = list(accumulate((burst.at + burst.lasting for burst in self.bursts), max))

    @property
    def requests(self) -> int:
        """All of them."""
        return self._requests[-1]

    def before(self, instant: datetime) -> int:
        """Return how many bursts came before the instant."""
        return bisect_left(self._at, instant)

    def at(self, number: int) -> datetime | None:
        """Return when burst `number` came; None: there is no such one any more."""
        return self._at[number] if number < len(self._at) else None

    def between(self, first: int, last: int) -> int:
        """Return the requests of the bursts `first` to before `last`."""
        return self._requests[last] - self._requests[first]

    def busy_until(self, number: int) -> datetime | None:
        """Return until when the bursts before `number` keep the endpoint busy; None: no burst."""
        return self._busy[number - 1] if number else None

    def within(self, period: Period) -> Traffic:
        """Return the traffic of this time only."""
        first, last = self.before(period.start), self.before(period.end)
        whole = (first, last) == (0, len(self.bursts))
        return self if whole else Traffic(self.bursts[first:last])


def spread(traffic: Mapping[str, Traffic]) -> Period | None:
    """Return the whole days that hold the traffic of all endpoints."""
    return Period.around(burst for each in traffic.values() for burst in each.bursts)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
