"""Quantiles of measured times, exactly: the least time that so much of them does not pass."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"p(\d{1,2}(?:\.\d{1,4})?)")


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the quantile of numbers that are in order and not none, by nearest rank."""
    # Rounded first: 0.07 * 100 is a little more than 7.
    rank = math.ceil(round(share * len(ordered), 9))
    return ordered[min(len(ordered), max(1, rank)) - 1]


def share_of(name: str) -> float:
    """Return the share that a name such as `p99` or `p99.9` means. Raises InvalidInput."""
    match = _NAME.fullmatch(name)
    if match is None or not float(match[1]):
        raise InvalidInput(
            f"quantile {name[:20]!r} is none", field="quantile", hint="write p50, p99 or p99.9"
        )
    return float(match[1]) / 100
