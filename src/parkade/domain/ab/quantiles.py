"""Quantiles of what was measured, with the interval that the measurements leave open.

A histogram says of each value only between which bounds it lies, about a fifth apart. So the interval
goes from the lower bound of the one sample's bucket to the upper bound of the other's: it has
both what is left to chance and what was not written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import intervals
from parkade.domain.series import NOTHING, upper_bound

if TYPE_CHECKING:
    from parkade.domain.series import Aggregate

#: The shares that are told of latencies.
TOLD = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """The value that `share` of all do not pass; None: too few were measured to say it."""

    share: float
    value: float | None
    low: float | None
    high: float | None

    @property
    def name(self) -> str:
        """As CloudWatch spells it: `p50`."""
        return f"p{self.share * 100:g}"


def quantile(
    measured: Aggregate, share: float, confidence: float = intervals.CONFIDENCE
) -> Quantile:
    """Return a quantile of what a histogram holds."""
    samples = round(sum(measured.buckets.values()))
    low, high = intervals.ranks(samples, share, confidence)
    ends = None if low is None else _bounds(measured, low)
    upper_ends = None if high is None else _bounds(measured, high)
    return Quantile(
        share=share,
        value=measured.percentile(share * 100) if samples else None,
        low=None if ends is None else ends[0],
        high=None if upper_ends is None else upper_ends[1],
    )


def _bounds(measured: Aggregate, rank: int) -> tuple[float, float]:
    """Return what the sample of this rank, from 1, lies between."""
    seen = 0.0
    for number in sorted(measured.buckets):
        seen += measured.buckets[number]
        if seen >= rank:
            lower = 0.0 if number <= NOTHING else upper_bound(number - 1)
            return max(lower, measured.least), min(upper_bound(number), measured.most)
    return measured.most, measured.most
