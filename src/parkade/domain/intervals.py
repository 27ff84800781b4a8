"""How sure a count is: intervals of shares, of their differences, and of quantiles.

All are for a confidence, 0.95 unless it is said. Shares have Wilson's score interval, which is sensible
for few requests and for shares at 0 and 1; differences of two shares have Newcombe's, made of
theirs. Quantiles have the interval between two of the measured values, which supposes nothing of how
they are spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Tell whether a value is within."""
        return self.low <= value <= self.high

    @property
    def reach(self) -> float:
        """How far it goes from zero, to either side."""
        return max(abs(self.low), abs(self.high))


@lru_cache(maxsize=32)
def normal_quantile(confidence: float) -> float:
    """Return how many standard deviations of a normal variable have it in between: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(count: float, whole: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a share of which `count` of `whole` were seen; of nothing: 0 to 1."""
    if whole <= 0:
        return Interval(0.0, 1.0)
    z2 = normal_quantile(confidence) ** 2
    share = count / whole
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = math.sqrt(z2 * (share * (1 - share) / whole + z2 / (4 * whole * whole)))
    half /= 1 + z2 / whole
    # Rounding must not leave the share itself outside.
    return Interval(
        min(share, max(0.0, middle - half)) if count > 0 else 0.0,
        max(share, min(1.0, middle + half)) if count < whole else 1.0,
    )


def difference(
    one: tuple[float, float], other: tuple[float, float], confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of the first share less the second, each `(count, whole)`."""
    if one[1] <= 0 or other[1] <= 0:
        return Interval(-1.0, 1.0)
    first, second = one[0] / one[1], other[0] / other[1]
    a, b = wilson(*one, confidence), wilson(*other, confidence)
    apart = first - second
    return Interval(
        max(-1.0, apart - math.hypot(first - a.low, b.high - second)),
        min(1.0, apart + math.hypot(a.high - first, second - b.low)),
    )


def ranks(
    samples: int, share: float, confidence: float = CONFIDENCE
) -> tuple[int | None, int | None]:
    """Return which of the ordered samples, from 1, the quantile of all lies between.

    Each end is missed with at most half of what the confidence leaves. None: no sample is sure to be
    on that side of it; there are too few.
    """
    return _ranks(samples, share, confidence)


@lru_cache(maxsize=256)
def _ranks(samples: int, share: float, confidence: float) -> tuple[int | None, int | None]:
    tail = (1 - confidence) / 2
    low = _last_within(samples, share, tail)
    # The other end is the same question, counted from above.
    above = _last_within(samples, 1 - share, tail)
    return (low or None, samples + 1 - above if above else None)


def _last_within(samples: int, share: float, tail: float) -> int:
    """Return the largest k with P(B < k) <= tail, for B the count of successes; 0: none.

    Of `samples` values, B lie at or below the quantile, so the k-th does with 1 - P(B < k).
    """
    if samples <= 0 or not 0 < share < 1:
        return 0
    # What lies twelve deviations below the mean is less than any tail that matters.
    spread = math.sqrt(samples * share * (1 - share))
    at = max(0, math.floor(samples * share - 12 * spread - 30))
    chance = math.exp(
        math.lgamma(samples + 1)
        - math.lgamma(at + 1)
        - math.lgamma(samples - at + 1)
        + at * math.log(share)
        + (samples - at) * math.log1p(-share)
    )
    below, odds = 0.0, share / (1 - share)
    while at < samples and below + chance <= tail:
        below += chance
        chance *= odds * (samples - at) / (at + 1)
        at += 1
    return at
