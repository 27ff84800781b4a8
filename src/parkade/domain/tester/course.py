"""How a tester goes about it: how many clients, how often, for how long.

Client n of N begins n / N of an interval after the first one, and with another case: they neither
fire together nor ask the same. Calls lie on a grid of intervals; where an answer takes longer
than an interval, the calls whose time has passed are left out, not made up for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CLIENTS = 1000
#: Seconds: a day.
LONGEST = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Times are seconds. A duration of 0: every client asks every case once."""

    clients: int = 5
    interval: float = 1.0
    duration: float = 60.0
    #: An answer that takes longer counts as none.
    timeout: float = 120.0

    def __post_init__(self) -> None:
        if not 1 <= self.clients <= MOST_CLIENTS:
            raise _wrong("clients", self.clients, f"give 1 to {MOST_CLIENTS}")
        for name, seconds, least in (
            ("interval_seconds", self.interval, 0.0),
            ("duration_seconds", self.duration, 0.0),
            ("timeout_seconds", self.timeout, 0.001),
        ):
            if not math.isfinite(seconds) or not least <= seconds <= LONGEST:
                raise _wrong(name, seconds, f"give {least:g} to {LONGEST:g} seconds")

    def offset(self, client: int) -> float:
        """Return how long after the first client this one begins, in seconds."""
        return self.interval * client / self.clients

    def first_case(self, client: int, cases: int) -> int:
        """Return the place of the case that a client begins with."""
        return client * cases // self.clients

    def over(self, passed: float, calls: int, cases: int) -> bool:
        """Tell whether a client that made so many calls makes no more; `passed`: since the begin."""
        if self.duration:
            return passed >= self.duration
        return calls >= cases

    def following(self, planned: float, passed: float) -> float:
        """Return when the call after that of `planned` is due, in seconds since the begin."""
        if not self.interval:
            return passed
        late = max(0.0, passed - planned)
        return planned + self.interval * max(1, math.ceil(late / self.interval - 1e-9))


def turns(first: int, cases: int) -> Iterator[int]:
    """Give the places of the cases in their turn, for ever."""
    place = first % cases
    while True:
        yield place
        place = (place + 1) % cases


def _wrong(name: str, number: float, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} {number:g} is not possible", field=name, hint=hint)
