"""What a rule would have come to: for one endpoint, or for several together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Every request was either served at once, or met the endpoint stopped, or waking."""

    #: Time for which instances were paid.
    up: timedelta = timedelta(0)
    served: int = 0
    #: Requests that nothing answered: it was stopped.
    stopped: int = 0
    #: Requests that came while it was starting, or waking up.
    waking: int = 0
    #: Payments of people, and of the meter itself (office hours, extension by use).
    coins: int = 0
    by_itself: int = 0
    starts: int = 0
    #: Stops because nobody used it.
    idle_stops: int = 0
    #: The longest that somebody who found it stopped or waking had to wait until it served.
    longest_wait: timedelta = timedelta(0)
    #: Whether that wait was still going on at the end.
    unanswered: bool = False

    @property
    def requests(self) -> int:
        """All requests that came."""
        return self.served + self.stopped + self.waking

    @property
    def disturbed(self) -> float:
        """The share of requests that were not served at once."""
        return (self.stopped + self.waking) / self.requests if self.requests else 0.0


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what several endpoints come to."""
    every = tuple(outcomes)
    longest = max((each.longest_wait for each in every), default=timedelta(0))
    return Outcome(
        up=sum((each.up for each in every), timedelta(0)),
        served=sum(each.served for each in every),
        stopped=sum(each.stopped for each in every),
        waking=sum(each.waking for each in every),
        coins=sum(each.coins for each in every),
        by_itself=sum(each.by_itself for each in every),
        starts=sum(each.starts for each in every),
        idle_stops=sum(each.idle_stops for each in every),
        longest_wait=longest,
        unanswered=any(each.unanswered and each.longest_wait == longest for each in every),
    )
