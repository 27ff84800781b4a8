"""Which of several things a caller is given, the same one each time and wherever it is asked.

Weighted rendezvous hashing: each name makes a number of the caller and of itself, and the greatest
one wins, as often as its weight says. A number depends on no other name. So where one weight
grows, only callers who go to that name move; where a name is away, its callers go to the next best,
and come back with it. Nothing is stored, and all who ask agree.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bits of a digest that make a point: with half of a step more, floats hold all of them exactly, so
#: that no point is 0 or 1.
_BITS = 52
_POINTS = float(1 << _BITS)
_BYTES = 8


def assigned(caller: str, weights: Iterable[tuple[str, float]]) -> str | None:
    """Return the caller's own of these names; None: none of them has a weight."""
    ranked = ((rank(caller, name, weight), name) for name, weight in weights if weight > 0)
    # Equals are told apart by their names, for the order in which they come must not matter.
    return max(ranked, default=(0.0, None))[1]


def rank(caller: str, name: str, weight: float) -> float:
    """Return a number that is the highest among the names in so many cases as the weight is."""
    return -weight / math.log(point(caller, name))


def crosses(caller: str, what: str, share: float) -> bool:
    """Tell whether the caller is of the share that changes over to something.

    Who has crossed at one share has crossed at each that is larger. To something else others
    cross first.
    """
    return point(caller, what) < share


def point(caller: str, name: str) -> float:
    """Return where between 0 and 1 the two stand together, evenly spread."""
    digest = blake2b(f"{caller} {name}".encode(), digest_size=_BYTES).digest()
    return ((int.from_bytes(digest) >> (8 * _BYTES - _BITS)) + 0.5) / _POINTS
