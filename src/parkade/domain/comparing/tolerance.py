"""How far two numbers may lie apart and still be taken for the same."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

Number: TypeAlias = "int | float"

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\s*(%?)")
_HINT = 'write 0.01, "1%" of the larger number, "0.01, 1%", or {"absolute": 0.01, "relative": 0.01}'
#: As near to the bound floating point does not decide: 1.1 and 1.0 are 0.1 apart.
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Numbers agree that are no further apart than either bound; equal ones always do.

    `relative` is a share of the larger of both. Numbers are taken as they are written in decimals.
    """

    absolute: float = 0.0
    relative: float = 0.0

    @classmethod
    def read(cls, value: object, *, field: str = "tolerance") -> Tolerance:
        """Read a number, a text with a number, a percentage or both, or both by name.

        Raises InvalidInput.
        """
        if isinstance(value, str):
            return _of_text(value, field)
        if isinstance(value, dict):
            return _of_names(value, field)
        return cls(absolute=_bound(value, field))

    def agree(self, one: Number, other: Number) -> bool:
        """Tell whether they are the same number within the bounds; NaN is the same as NaN."""
        if one == other:
            return True
        if not (_is_finite(one) and _is_finite(other)):
            return one != one and other != other  # noqa: PLR0124  NaN alone differs from itself
        if not self.absolute and not self.relative:
            return False
        return self._near(one, other)

    def _near(self, one: Number, other: Number) -> bool:
        try:
            distance = abs(one - other)
            bound = max(self.absolute, self.relative * max(abs(one), abs(other)))
        except OverflowError:  # an integer that no float holds
            distance, bound = math.inf, math.inf
        if (
            math.isfinite(distance)
            and math.isfinite(bound)
            and abs(distance - bound) > _NEAR * (distance + bound)
        ):
            return distance < bound
        exact_one, exact_other = _exact(one), _exact(other)
        largest = max(abs(exact_one), abs(exact_other))
        allowed = max(_exact(self.absolute), _exact(self.relative) * largest)
        return abs(exact_one - exact_other) <= allowed

    def __bool__(self) -> bool:
        """Tell whether anything but equal numbers agrees."""
        return bool(self.absolute or self.relative)


#: Equal numbers alone agree.
EQUAL: Final = Tolerance()


def is_number(value: object) -> TypeGuard[Number]:
    """Tell a number from other values of JSON; `true` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def deviation(one: Number, other: Number) -> float | None:
    """Return how far apart they are; None: no number says it, as of NaN and 1."""
    if one == other or (one != one and other != other):  # noqa: PLR0124
        return 0.0
    if not (_is_finite(one) and _is_finite(other)):
        return None
    try:
        apart = float(abs(one - other))
    except OverflowError:
        return None
    return apart if math.isfinite(apart) else None


def _is_finite(number: Number) -> bool:
    return isinstance(number, int) or math.isfinite(number)


def _exact(number: Number) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _of_text(text: str, field: str) -> Tolerance:
    bounds = {"": 0.0, "%": 0.0}
    seen = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None or match[2] in seen:
            raise _unusable(text, field)
        seen.add(match[2])
        bounds[match[2]] = _bound(float(part.strip().removesuffix("%")), field)
    return Tolerance(absolute=bounds[""], relative=float(Fraction(repr(bounds["%"])) / 100))


def _of_names(named: Mapping[str, object], field: str) -> Tolerance:
    if not named or not named.keys() <= {"absolute", "relative"}:
        raise _unusable(named, field)
    return Tolerance(**{name: _bound(value, field) for name, value in named.items()})


def _bound(value: object, field: str) -> float:
    try:
        bound = float(value) if is_number(value) else -1.0
    except OverflowError:
        bound = math.inf
    if not (math.isfinite(bound) and bound >= 0):
        raise _unusable(value, field)
    return bound


def _unusable(value: object, field: str) -> InvalidInput:
    return InvalidInput(f"{field} {str(value)[:80]!r} is not a tolerance", field=field, hint=_HINT)
