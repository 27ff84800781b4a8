"""Which of two variants has fewer errors, and how many requests it takes to say so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from parkade.domain.intervals import CONFIDENCE, Interval, difference, wilson

#: A difference of error rates that somebody would act on: one in a hundred requests.
SMALLEST = 0.01
#: Requests of each below which nothing is said: the intervals are not to be relied on for so few.
FEWEST = 30
#: Times as many requests as there are, at which the search for a number gives up.
_TOO_MANY = 2.0**30


class Finding(StrEnum):
    """What is to be said of two variants."""

    #: One of them was not asked.
    NO_REQUESTS = "no_requests"
    #: Too few were asked for either of the next.
    NOT_ENOUGH = "not_enough"
    FEWER_ERRORS = "fewer_errors"
    MORE_ERRORS = "more_errors"
    #: If there is any, it is smaller than somebody would act on.
    NO_DIFFERENCE = "no_difference"


@dataclass(frozen=True, slots=True)
class Count:
    """The requests of a variant, and those of them without a good answer."""

    requests: int
    errors: int

    @property
    def rate(self) -> float | None:
        """The share of errors; None: there were no requests."""
        return self.errors / self.requests if self.requests else None

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """How sure that is."""
        return wilson(self.errors, self.requests, confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of a variant beside another one."""

    finding: Finding
    #: Its error rate less the other's.
    difference: Interval
    #: About how many further requests, to both and shared as so far, would end it; None: it is ended.
    needed: int | None = None


def verdict(
    one: Count, other: Count, *, smallest: float = SMALLEST, confidence: float = CONFIDENCE
) -> Verdict:
    """Compare the error rate of `one` with that of `other`."""
    apart = _difference(one, other, 1.0, confidence)
    if not one.requests or not other.requests:
        return Verdict(finding=Finding.NO_REQUESTS, difference=apart)
    if not _is_ended(one, other, 1.0, smallest, confidence):
        needed = _needed(one, other, smallest, confidence)
        return Verdict(finding=Finding.NOT_ENOUGH, difference=apart, needed=needed)
    if apart.high < 0:
        return Verdict(finding=Finding.FEWER_ERRORS, difference=apart)
    if apart.low > 0:
        return Verdict(finding=Finding.MORE_ERRORS, difference=apart)
    return Verdict(finding=Finding.NO_DIFFERENCE, difference=apart)


def _difference(one: Count, other: Count, times: float, confidence: float) -> Interval:
    """Return the difference of the rates, had there been so many times as many of everything."""
    return difference(
        (one.errors * times, one.requests * times),
        (other.errors * times, other.requests * times),
        confidence,
    )


def _is_ended(one: Count, other: Count, times: float, smallest: float, confidence: float) -> bool:
    """Tell whether something can be said, had there been so many times as many of everything."""
    if min(one.requests, other.requests) * times < FEWEST:
        return False
    apart = _difference(one, other, times, confidence)
    return 0 not in apart or apart.reach <= smallest


def _needed(one: Count, other: Count, smallest: float, confidence: float) -> int:
    """Return how many more there have to be if errors go on as they were so far."""
    whole = one.requests + other.requests
    low, high = 1.0, 2.0
    while not _is_ended(one, other, high, smallest, confidence) and high < _TOO_MANY:
        low, high = high, high * 2
    # Until what is left is a request, or a hundredth of the answer.
    while (high - low) * whole > max(1.0, (high - 1) * whole / 100):
        middle = (low + high) / 2
        if _is_ended(one, other, middle, smallest, confidence):
            high = middle
        else:
            low = middle
    return _rounded((high - 1) * whole)


def _rounded(number: float) -> int:
    """Return a number in two digits, and no less: it is a guess, and is to look like one."""
    size: int = 10 ** max(0, math.floor(math.log10(max(1.0, number))) - 1)
    return math.ceil(number / size) * size
